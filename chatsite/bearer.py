"""Programs that name a token in `Authorization: Bearer` (RFC 6750). Another scheme there is none of ours: a proxy may have asked for it."""

from django.db import Error

from conversations.models.tokens import ApiToken, living_token

SCHEME = "bearer"


def secret_in(authorization: str) -> str | None:
    """Return the secret in the value of an Authorization header, which may be empty; None where it is not about a token."""
    scheme, _, secret = authorization.strip().partition(" ")
    return secret.strip() if scheme.lower() == SCHEME else None


def token_in(authorization: str) -> ApiToken | None:
    """Return the living token that a header names."""
    secret = secret_in(authorization)
    return living_token(secret) if secret else None


def is_somebodys(authorization: str) -> bool:
    """Say whether a header names a living token."""
    try:
        return token_in(authorization) is not None
    except Error:  # the request itself is told that, in words
        return True
