"""Sessions in the database, as Django keeps them; only the look-up that begins every request has its SQL made once."""

import re

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db import Error
from django.db.models import QuerySet
from django.utils import timezone

from conversations.models.prepared import Prepared

KEY = re.compile(r"[0-9a-z]{8,40}")


@Prepared
def session_of(key: str) -> QuerySet[Session]:
    return Session.objects.filter(session_key=key)


def living_session(key: str) -> Session | None:
    """The session of that key, if there is one that has not run out."""
    session = session_of.first(key)
    return session if session and session.expire_date > timezone.now() else None


def is_living(key: str) -> bool:
    """Say whether what is open for that session may go on."""
    try:
        return living_session(key) is not None
    except Error:  # while the database is away nobody logs out, and answers wait
        return True


def is_somebodys(key: str) -> bool:
    """Say whether somebody is logged in with that session."""
    try:
        return SESSION_KEY in SessionStore(key)
    except Error:  # the request itself is told that, in words
        return True


class SessionStore(db.SessionStore):
    def _validate_session_key(self, key: str | None) -> bool:
        """Say whether a cookie may be a key: one of another alphabet is none, and PostgreSQL would break off at a NUL."""
        return KEY.fullmatch(key or "") is not None

    def _get_session_from_db(self) -> Session | None:
        session = living_session(self.session_key or "")
        if session is None:
            self._session_key = None
        return session
