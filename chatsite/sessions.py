"""Sessions in the database, as Django keeps them; only the look-up that begins every request has its SQL made once."""

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone

from conversations.models.prepared import Prepared


@Prepared
def session_of(key: str) -> QuerySet[Session]:
    return Session.objects.filter(session_key=key)


def living_session(key: str) -> Session | None:
    """The session of that key, if there is one that has not run out."""
    session = session_of.first(key)
    return session if session and session.expire_date > timezone.now() else None


class SessionStore(db.SessionStore):
    def _get_session_from_db(self) -> Session | None:
        session = living_session(self.session_key or "")
        if session is None:
            self._session_key = None
        return session
