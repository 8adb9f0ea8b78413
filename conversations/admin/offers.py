"""The models that a provider offers: staff choose which to add, and see which prices are newer in the data than here.

Nothing is added or priced unless it is ticked, and a newer price is a new row from now on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode

from chatsite.discovery import MODELS_AT_MOST, NO_CHAT, add_models, price_of
from conversations.models import LanguageModel, Price, Provider
from conversations.models.keys import key_in
from conversations.models.prices import FREE, Rates
from conversations.providers.known import Known, known_of

from .amounts import plain
from .connection import ask_for_models

if TYPE_CHECKING:
    from .providers import ProviderAdmin

SHOWN_MODELS = 1000


@dataclass(frozen=True, slots=True)
class Offer:
    """A model as the provider names it, with what is known of it and, where it is here already, its row."""

    model_id: str
    known: Known
    model: LanguageModel | None

    @property
    def can_chat(self) -> bool:
        return not NO_CHAT.search(self.model_id)

    @property
    def prices_here(self) -> str:
        return told(self.model.rates) if self.model else ""

    @property
    def prices_known(self) -> str:
        rates = rates_known(self.known)
        return told(rates) if rates else ""

    @property
    def is_priced_anew(self) -> bool:
        """Whether the data has another price than the one that is in effect here."""
        rates = rates_known(self.known)
        return self.model is not None and rates is not None and rates != self.model.rates


def rates_known(known: Known) -> Rates | None:
    return price_of(LanguageModel(), known).rates if known.prices else None


def told(rates: Rates) -> str:
    """Return prices as "input / cached input / cache write / output", or in a word."""
    if not rates.is_known:
        return "unknown"
    return "free" if rates == FREE else " / ".join(plain(amount) for amount in rates[:4])


def offers_of(provider: Provider, offered: Sequence[str]) -> list[Offer]:
    here = {model.model_id: model for model in provider.models.all()}
    for model in here.values():
        model.provider = provider
    ids = list(dict.fromkeys(offered))[:SHOWN_MODELS]
    return [Offer(model_id, known_of(provider.base_url, model_id), here.get(model_id)) for model_id in ids]


def offers_page(admin: "ProviderAdmin", request: HttpRequest, object_id: str) -> HttpResponse:
    """Show what the provider offers, or add and price what was ticked. Asks the provider only to show it."""
    provider = admin.get_object(request, object_id)
    if provider is None:
        raise Http404
    models_admin: Any = admin.admin_site.get_model_admin(LanguageModel)
    if not (admin.has_change_permission(request, provider) and models_admin.has_add_permission(request)):
        raise PermissionDenied
    if request.method == "POST":
        return take(admin, request, provider)
    offered, complaint = ask_for_models(provider)
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": f"Models that {provider} offers",
        "provider": provider,
        "offers": offers_of(provider, offered),
        "complaint": complaint,
        "more": max(0, len(set(offered)) - SHOWN_MODELS),
        "most": MODELS_AT_MOST,
        "may_price": models_admin.has_change_permission(request),
    }
    return TemplateResponse(request, "admin/conversations/provider/models.html", context)


def take(admin: "ProviderAdmin", request: HttpRequest, provider: Provider) -> HttpResponse:
    """Add the models that were ticked, and give those here the newer price that was ticked."""
    models_admin: Any = admin.admin_site.get_model_admin(LanguageModel)
    wanted = [model_id for model_id in request.POST.getlist("add") if model_id.isprintable()]
    with transaction.atomic():
        added = add_models(provider, wanted)
        for model in added:
            models_admin.log_addition(request, model, "Added from what the provider offers.")
        priced = price_anew(provider, request.POST.getlist("price")) if models_admin.has_change_permission(request) else []
        for model in priced:
            models_admin.log_change(request, model, "Priced anew from public data.")
    admin.message_user(request, sentence(added, priced, left_out=len(set(wanted)) - len(added)), messages.SUCCESS)
    address = reverse("admin:conversations_languagemodel_changelist")
    return HttpResponseRedirect(f"{address}?{urlencode({'provider__id__exact': provider.pk})}")


def price_anew(provider: Provider, keys: Sequence[str]) -> list[LanguageModel]:
    """Let the publicly known price be in effect from now on for the models with these keys; return those for which it is another one."""
    models = provider.models.select_related("provider").filter(pk__in=[key_in(key) for key in keys])
    offers = [Offer(model.model_id, known_of(provider.base_url, model.model_id), model) for model in models]
    anew = [(offer.model, offer.known) for offer in offers if offer.model and offer.is_priced_anew]
    Price.objects.bulk_create([price_of(model, known) for model, known in anew], ignore_conflicts=True)
    return [model for model, _ in anew]


def sentence(added: Sequence[LanguageModel], priced: Sequence[LanguageModel], left_out: int) -> str:
    """Say what was done, and what is left to do by hand."""
    unpriced = sum(not model.rates.is_known for model in added)
    parts = [f"Added: {len(added)}."]
    if left_out > 0:
        parts.append(f"Left out: {left_out}, because they are here already, or more than {MODELS_AT_MOST} at once.")
    if unpriced:
        parts.append(f"The price of {unpriced} is unknown: set it by hand, or their answers show no cost.")
    if priced:
        parts.append(f"Priced anew: {len(priced)}.")
    return " ".join(parts)
