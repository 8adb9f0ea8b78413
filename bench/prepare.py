"""Fill the site's database for a measurement: the fake provider, its models, and people who are signed in.

Run as `python -m bench.prepare PEOPLE PROVIDER_URL MODEL_ID…` with the site's environment; prints the primary keys of
the models and the session keys as JSON. It adds rows and never looks at those that are there.
"""

import json
import os
import sys

import django


def models_of(base_url: str, model_ids: list[str]) -> dict[str, int]:
    """Return the primary key of a new model for each model id."""
    from conversations.models import LanguageModel, Protocol, Provider

    name = f"bench {os.getpid()}"
    provider = Provider.objects.create(
        name=name, slug=name.replace(" ", "-"), protocol=Protocol.OPENAI_CHAT, base_url=base_url, api_key="none"
    )
    return {model_id: LanguageModel.objects.create(provider=provider, model_id=model_id, name=model_id).pk for model_id in model_ids}


def sessions_of(people: int) -> list[str]:
    """Return the session keys of so many new people, each signed in."""
    from django.contrib.auth.models import User

    names = [f"bench-{os.getpid()}-{number}" for number in range(people)]
    return [sign_in(user) for user in User.objects.bulk_create(User(username=name) for name in names)]


def sign_in(user: object) -> str:
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)  # type: ignore[attr-defined]
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()  # type: ignore[attr-defined]
    session.create()
    return str(session.session_key)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
    django.setup()
    people, base_url, *model_ids = sys.argv[1:]
    print(json.dumps({"models": models_of(base_url, model_ids), "sessions": sessions_of(int(people))}))


if __name__ == "__main__":
    main()
