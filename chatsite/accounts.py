"""Who may have an account: sign-up is closed unless SIGNUP=open; staff add people in the admin."""

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return settings.SIGNUP_OPEN


def signup(request: HttpRequest) -> dict[str, bool]:
    """Context processor: whether strangers may sign up."""
    return {"signup_is_open": settings.SIGNUP_OPEN}
