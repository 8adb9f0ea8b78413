"""Who may have an account: sign-up is closed unless SIGNUP=open; staff add people in the admin."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest

from conversations.models.prepared import Prepared


@Prepared
def person(pk: int) -> QuerySet[User]:
    return User.objects.filter(pk=pk)


class AccountBackend(AuthenticationBackend):  # type: ignore[misc]
    """Logs in by name or email, on the site and in the admin."""

    def get_user(self, user_id: int) -> User | None:
        """Return who is logged in: asked at each request, so its SQL is made once."""
        user = person.first(int(user_id))
        return user if user and self.user_can_authenticate(user) else None


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return settings.SIGNUP_OPEN


def signup(request: HttpRequest) -> dict[str, bool]:
    """Context processor: whether strangers may sign up."""
    return {"signup_is_open": settings.SIGNUP_OPEN}
