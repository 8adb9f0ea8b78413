"""API tokens: how a program signs in as a person. Of the secret only a digest is kept, so nobody can read it a second time."""

import secrets
from datetime import timedelta
from hashlib import sha256
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import User
from django.db import Error, models
from django.db.models import Q
from django.utils import timezone

from .prepared import Prepared

NAME_MAX_CHARACTERS = 100
MOST_LIVING = 50  # of one person
BEGINNING = "chat_"  # tells what it is where it is found, in a log or a repository
SECRET_BYTES = 32
SHOWN_CHARACTERS = len(BEGINNING) + 6
NOTED_EVERY = timedelta(minutes=1)


class Scope(models.TextChoices):
    """What a program may do with a token."""

    READ = "read", "Read conversations"
    WRITE = "write", "Write: begin turns and change conversations"
    CHAT = "chat", "Ask models over the OpenAI-compatible API"


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def living(self) -> "ApiTokenQuerySet":
        """Those that a program can sign in with now."""
        unexpired = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
        return self.filter(unexpired, revoked_at=None, owner__is_active=True)

    def revoke(self) -> int:
        return self.filter(revoked_at=None).update(revoked_at=timezone.now())


class ApiToken(models.Model):
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=NAME_MAX_CHARACTERS, help_text="What it is for.")
    scopes = models.JSONField(default=list)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    prefix = models.CharField(max_length=SHOWN_CHARACTERS, help_text="How the secret begins, to tell it from others.")
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="To the minute.")
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def is_living(self) -> bool:
        is_expired = self.expires_at is not None and self.expires_at <= timezone.now()
        return self.revoked_at is None and not is_expired and self.owner.is_active

    @property
    def scope_names(self) -> str:
        return ", ".join(self.scopes)

    def allows(self, scope: Scope) -> bool:
        return scope in self.scopes

    def revoke(self) -> None:
        ApiToken.objects.filter(pk=self.pk).revoke()

    def note_use(self) -> None:
        """Keep when it was used, once a minute at most: to write that for each request would cost more than the request."""
        now = timezone.now()
        if self.last_used_at is None or now - self.last_used_at >= NOTED_EVERY:
            ApiToken.objects.filter(pk=self.pk, last_used_at=self.last_used_at).update(last_used_at=now)


class TooManyTokens(Exception):
    """Of somebody who has MOST_LIVING already; the message is a sentence for the person."""


def make_token(owner: User, name: str, scopes: list[str], lifetime: timedelta | None) -> tuple[ApiToken, str]:
    """Make a token; return it with its secret, which is known only now. Raises TooManyTokens."""
    if owner.api_tokens.living().count() >= MOST_LIVING:
        raise TooManyTokens(f"You have {MOST_LIVING} tokens. Revoke one that you do not need any more, then make the new one.")
    secret = BEGINNING + secrets.token_hex(SECRET_BYTES)
    expires_at = timezone.now() + lifetime if lifetime else None
    fields = {"name": name, "scopes": scopes, "expires_at": expires_at}
    return owner.api_tokens.create(**fields, digest=digest_of(secret), prefix=secret[:SHOWN_CHARACTERS]), secret


def digest_of(secret: str) -> str:
    """Return what is kept of a secret. It is long and random, so that one round of SHA-256 is as good as many."""
    return sha256(secret.encode("utf-8", "replace")).hexdigest()


@Prepared
def token_with(digest: str) -> "models.QuerySet[ApiToken]":
    return ApiToken.objects.filter(digest=digest).select_related("owner")


def living_token(secret: str) -> ApiToken | None:
    """The token with that secret, if a program can sign in with it. How long the look-up takes tells of the digest, not of the secret."""
    token = token_with.first(digest_of(secret))
    return token if token and token.is_living else None


def is_living(pk: int) -> bool:
    """Say whether what is open for that token may go on."""
    try:
        return ApiToken.objects.living().filter(pk=pk).exists()
    except Error:  # while the database is away nobody revokes one, and answers wait
        return True
