"""Shares: read-only links to a conversation as it stood. Nothing is copied: the tree of messages is never overwritten."""

import secrets
from datetime import datetime, timedelta
from typing import ClassVar

from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q
from django.utils import timezone

from .conversations import TITLE_MAX_CHARACTERS, Conversation
from .generations import LIVE
from .messages import Message, Role

TOKEN_BYTES = 32


def new_token() -> str:
    return secrets.token_urlsafe(TOKEN_BYTES)


class NothingToShare(Exception):
    """A conversation in which nothing is finished; the message is a sentence for the person."""


class ShareQuerySet(models.QuerySet["Share"]):
    def of(self, user: User) -> "ShareQuerySet":
        """Those of a person's conversations."""
        return self.filter(conversation__owner=user)

    def open(self) -> "ShareQuerySet":
        """Those that whoever holds the link may read now."""
        unexpired = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
        there = self.filter(conversation__deleted_at=None, conversation__owner__is_active=True, head__deleted_at=None)
        return there.filter(unexpired, revoked_at=None)

    def revoked(self) -> "ShareQuerySet":
        return self.exclude(revoked_at=None)

    def ended(self, before: datetime) -> "ShareQuerySet":
        """Those that were revoked, or had expired, before a moment."""
        return self.filter(Q(revoked_at__lt=before) | Q(expires_at__lt=before))


class Share(models.Model):
    """The path down to `head`, under a title of that moment."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="shares")
    token = models.CharField(max_length=43, unique=True, default=new_token, editable=False)
    title = models.CharField(max_length=TITLE_MAX_CHARACTERS)
    head = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ShareQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"share of {self.title}"

    def revoke(self) -> bool:
        """Let nobody read it any more; True if this call won."""
        return bool(Share.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=timezone.now()))

    def reopen(self) -> None:
        Share.objects.filter(pk=self.pk).update(revoked_at=None)


def share(conversation: Conversation, lifetime: timedelta | None) -> Share:
    """Make a link to what of the shown path is finished now. Raises NothingToShare."""
    head = last_finished(conversation)
    if head is None or conversation.is_temporary:
        raise NothingToShare("There is no finished answer to share yet.")
    expires_at = timezone.now() + lifetime if lifetime else None
    return Share.objects.create(conversation=conversation, title=conversation.title, head=head, expires_at=expires_at)


def last_finished(conversation: Conversation) -> Message | None:
    answers = Message.objects.path_to(conversation.head_id).active().filter(role=Role.ASSISTANT)
    return answers.exclude(generation__status__in=LIVE).order_by("-pk").first()
