"""Fill a new site for the stories: `python -m tests.browser.people WIRE_URL` prints the sessions of the cast as JSON.

Runs as a process of its own in the site's environment; the site itself is asked only over HTTP.
"""

import json
import os
import sys
from importlib import import_module
from typing import Any

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")


def session_of(user: Any) -> str:
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(user.pk), settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def main(wire_url: str) -> None:
    django.setup()
    from conversations.models import LanguageModel, Protocol
    from tests.factories import make_model, make_provider, make_user

    LanguageModel.objects.filter(is_default=True).update(is_default=False)
    LanguageModel.objects.filter(model_id="echo").update(is_default=True)
    if wire_url:
        wire = make_provider(name="Wire", slug="wire", protocol=Protocol.OPENAI_CHAT, base_url=wire_url, api_key="none")
        make_model(wire, model_id="wire", name="Wire", input_price=1, output_price=10)
    for local in LanguageModel.objects.filter(provider__slug="local"):
        parameters = {**local.parameters, "ignore_eos": True}
        make_model(local.provider, model_id="endless", name="Endless", parameters=parameters, max_output_tokens=4096)
    if os.environ.get("WITHOUT_MODELS"):
        LanguageModel.objects.update(is_enabled=False)
    cast = {name: make_user(name) for name in ("alice", "bob", "dora")}
    cast["erin"] = make_user("erin", is_staff=True)
    cast["carol"] = make_user("carol", is_staff=True, is_superuser=True)
    print(json.dumps({name: session_of(user) for name, user in cast.items()}))


if __name__ == "__main__":
    main(sys.argv[1])
