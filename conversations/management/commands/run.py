"""One command from nothing to a site that answers: database, static files, accounts, local model, web server.

It may be run again at any time and then loses nothing. Whatever it starts ends with it.
"""

import socket
import sys
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from chatsite import assets, discovery, layer, schema, setup
from chatsite import environment as env
from chatsite.alone import NotAlone, keep_others_out
from chatsite.listening import CannotListen, bound_socket
from chatsite.local_model import CannotServe
from chatsite.model_process import ModelProcess
from conversations.models import LanguageModel

from .serve import serve

INTERRUPTED = 130


class Command(BaseCommand):
    help = "Prepare the site, start the local model, and serve on HOST and PORT until Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        local: ModelProcess | None = None
        try:
            listening = bound_socket(settings.HOST, settings.PORT)
            schema.check_not_newer()
            layer.check()
            keep_others_out()  # before anything is touched that a running site reads
            local = self.start_local_model()
            self.prepare(local)
            serve(listening)
        except (CannotListen, CannotServe, NotAlone) as error:
            sys.exit(str(error))
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
        finally:
            if local:
                local.stop()

    def start_local_model(self) -> ModelProcess | None:
        """Start the local model, if any; it loads while the rest is made ready. Raises CannotServe for a file that was asked for."""
        try:
            local = ModelProcess.from_environment()
        except CannotServe as error:
            if settings_name_a_file():
                raise
            self.stderr.write(self.style.WARNING(f"No local model: {error}"))
            return None
        if local:
            local.start()
        return local

    def prepare(self, local: ModelProcess | None) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        assets.collect()
        setup.ensure_echo()
        account = setup.ensure_admin()
        warnings = discovery.ensure_openai()
        if local:
            local.introduce()
        else:
            setup.retire_local()
        self.greet(account, warnings)

    def greet(self, account: setup.Account | None, warnings: list[str]) -> None:
        """Say where the site is, who may log in, and which models there are. A password is shown here, once, and nowhere else."""
        lines = [f"  Address   http://{name_that_works()}:{settings.PORT}"]
        if account:
            lines.append(f"  Log in    {account.name}")
            lines.append(f"  Password  {account.password or 'as given in ADMIN_PASSWORD'}")
            if account.password:
                lines.append("            (shown this once; change it in the admin)")
        lines.append(f"  Models    {models_in_words()}")
        lines.extend(f"  Note      {note}" for note in [*warnings, *names_missing()])
        self.stdout.write("\n" + "\n".join(lines) + "\n\n  Ctrl-C ends it.\n")
        self.stdout.flush()


def settings_name_a_file() -> bool:
    return bool(env.text("LOCAL_MODEL"))


def name_that_works() -> str:
    """Return a name for the address bar: where every interface is served, one that the site answers to."""
    if not serves_everybody():
        return f"[{settings.HOST}]" if ":" in settings.HOST.strip("[]") else settings.HOST
    names = [name.lstrip(".") for name in settings.ALLOWED_HOSTS]
    return "127.0.0.1" if {"*", "127.0.0.1"} & set(names) else names[0]


def names_missing() -> list[str]:
    """Return what is to be said where other machines can reach the site, and would be refused."""
    if not serves_everybody() or env.text("ALLOWED_HOSTS"):
        return []
    example = f"ALLOWED_HOSTS=localhost,127.0.0.1,{socket.gethostname()}"
    return [f"Other machines are refused until ALLOWED_HOSTS has the name or address that they use for this one: {example}"]


def serves_everybody() -> bool:
    return settings.HOST.strip("[]") in {"0.0.0.0", "::", "0"}  # noqa: S104 - only compared


def models_in_words() -> str:
    """Return the models people can pick, a few by name: "A, B, C and 12 more"."""
    names = [str(model) for model in LanguageModel.objects.available()]
    shown = ", ".join(names[:4])
    return (f"{shown} and {len(names) - 4} more" if len(names) > 4 else shown) or "none: add one in the admin"
