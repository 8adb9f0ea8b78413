"""Secrets at rest: encrypted with a key derived from SECRET_KEY, never shown again once saved."""

import base64
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import models


def _fernet(secret: str) -> Fernet:
    key = HKDF(SHA256(), 32, salt=None, info=b"conversations.models.secrets").derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(key))


@lru_cache(maxsize=4)
def _keys_of(*secrets: str) -> MultiFernet:
    return MultiFernet([_fernet(secret) for secret in secrets])


def _keys() -> MultiFernet:
    """The first key encrypts; all of them decrypt, so SECRET_KEY can be rotated through SECRET_KEY_FALLBACKS."""
    return _keys_of(str(settings.SECRET_KEY), *map(str, settings.SECRET_KEY_FALLBACKS))


def encrypt(secret: str) -> str:
    return _keys().encrypt(secret.encode()).decode()


def decrypt(token: str) -> str | None:
    """Return the secret, or None where it was encrypted under a key that is no longer known."""
    try:
        return _keys().decrypt(token.encode()).decode()
    except InvalidToken:
        return None


class EncryptedField(models.TextField):  # type: ignore[type-arg]
    """Text that is encrypted in the database and plain in Python; "" stays ""."""

    def get_prep_value(self, value: Any) -> Any:
        return encrypt(value) if value else ""

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str:
        return (decrypt(value) or "") if value else ""
