"""Sessions in the database, as Django keeps them; only the look-up that begins every request has its SQL made once."""

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone

from conversations.models.prepared import Prepared


@Prepared
def session_of(key: str) -> QuerySet[Session]:
    return Session.objects.filter(session_key=key)


class SessionStore(db.SessionStore):
    def _get_session_from_db(self) -> Session | None:
        session = session_of.first(self.session_key or "")
        if session and session.expire_date > timezone.now():
            return session
        self._session_key = None
        return None
