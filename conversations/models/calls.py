"""Calls: what programs ask over the OpenAI-compatible API. A row is there while a call is open, then it is a row of the ledger.

So every process counts those of all, and what one that dies leaves open is accounted for by another.
"""

from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import User
from django.db import Error, models, transaction
from django.db.models.functions import Now

from .catalog import LanguageModel
from .pace import keep_pace
from .tokens import ApiToken

LEASE = timedelta(minutes=2)


class ApiCallQuerySet(models.QuerySet["ApiCall"]):
    def lost(self) -> "ApiCallQuerySet":
        """Those whose process has been silent for longer than a lease."""
        return self.filter(lease_until__lt=Now())


class ApiCall(models.Model):
    """An open call."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    token = models.ForeignKey(ApiToken, null=True, on_delete=models.SET_NULL, related_name="+")
    model = models.ForeignKey(LanguageModel, on_delete=models.PROTECT, related_name="+")
    input_tokens = models.PositiveIntegerField(help_text="As estimated before it began.")
    begun_at = models.DateTimeField(auto_now_add=True)
    lease_until = models.DateTimeField(help_text="Renewed while its process lives.")

    objects = ApiCallQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["lease_until"], name="calls_lost")]

    def __str__(self) -> str:
        return f"call {self.pk} of {self.model}"

    def may_go_on(self) -> bool:
        """Renew the lease; False where the token is not there any more, or the call was given up."""
        mine = ApiCall.objects.filter(pk=self.pk, token__in=ApiToken.objects.living())
        try:
            return bool(mine.update(lease_until=Now() + LEASE))
        except Error:  # while the database is away nobody revokes a token
            return True

    def close(self) -> bool:
        """End it, in the transaction that writes the ledger; True if this call won, and the ledger is to be written."""
        return bool(ApiCall.objects.filter(pk=self.pk).delete()[0])


@transaction.atomic
def begin_call(person: User, token: ApiToken, model: LanguageModel, input_tokens: int) -> ApiCall:
    """Open a call, before anything is sent upstream: what limits a person refuses it here. Raises TurnRefused."""
    keep_pace(person.pk)
    call = ApiCall(person=person, token=token, model=model, input_tokens=input_tokens, lease_until=Now() + LEASE)
    call.save()
    return call
