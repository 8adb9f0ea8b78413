"""Who may have an account: sign-up is closed unless SIGNUP=open; staff add people in the admin."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.core.internal.httpkit import clean_client_ip
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
    error_messages = {  # noqa: RUF012 - as allauth has it
        **DefaultAccountAdapter.error_messages,
        "too_many_login_attempts": "That was wrong too often. Wait five minutes, then try again.",
        "username_password_mismatch": "The name or the password is not right.",
        "email_password_mismatch": "The address or the password is not right.",
        "rate_limited": "That was too often. Wait a minute, then try again.",
    }

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address that attempts are counted for."""
        return address_of(request)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Return for whom attempts are counted: not for a Host, too, as allauth does, whose port anybody may make up."""
        login = str(credentials.get("email") or credentials.get("username") or "")
        return login.strip().upper().casefold()  # as the database compares: ſ is an s, and ı an i

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return settings.SIGNUP_OPEN


def address_of(request: HttpRequest) -> str:
    """Return the address that a request came from: as the first of TRUSTED_PROXIES saw it, else whoever is connected.

    What stands before that in X-Forwarded-For anybody may have written.
    """
    hops = request.headers.get("X-Forwarded-For", "").split(",")[-settings.TRUSTED_PROXIES :] if settings.TRUSTED_PROXIES else [""]
    return clean_client_ip(hops[0]) or str(request.META.get("REMOTE_ADDR") or "unknown")


def ways_in(request: HttpRequest) -> dict[str, bool]:
    """Context processor: whether strangers may sign up, and whether who forgot a password can be sent a mail."""
    return {"signup_is_open": settings.SIGNUP_OPEN, "mails_are_sent": settings.MAILS_ARE_SENT}
