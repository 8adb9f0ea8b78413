"""The page of a person's API tokens: made here, with a secret that is shown once, and revoked here."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from conversations.forms.tokens import TokenForm
from conversations.models import ApiToken, TooManyTokens, make_token

from .notices import Notice
from .pages import page
from .requests import SignedInRequest, number_in, signed_in


@never_cache
@require_http_methods(["GET", "POST"])
@signed_in
def index(request: SignedInRequest) -> HttpResponse:
    """The person's living tokens, and the form for another one. The reply to that holds the secret, which no redirect could carry."""
    if request.method != "POST":
        return token_page(request, TokenForm())
    form = TokenForm(request.POST)
    if not form.is_valid():
        return token_page(request, form, 422)
    fields = form.cleaned_data
    try:
        token, secret = make_token(request.user, fields["name"], fields["scopes"], fields["lifetime"])
    except TooManyTokens as refusal:
        form.add_error(None, str(refusal))
        return token_page(request, form, 422)
    return token_page(request, TokenForm(), 201, made=token, secret=secret)


@require_POST
@signed_in
def revoke(request: SignedInRequest, pk: int) -> HttpResponse:
    get_object_or_404(request.user.api_tokens.living(), pk=pk).revoke()
    return redirect(f"{reverse('tokens')}?revoked={pk}")


def token_page(
    request: SignedInRequest, form: TokenForm, status: int = 200, made: ApiToken | None = None, secret: str = ""
) -> HttpResponse:
    tokens = request.user.api_tokens.living().select_related("owner")
    revoked = request.user.api_tokens.exclude(revoked_at=None).filter(pk=number_in(request, "revoked")).first()
    notice = Notice("was revoked: whoever uses it is signed out.", revoked.name) if revoked else None
    return page(request, "tokens.html", status, form=form, tokens=tokens, notice=notice, made=made, secret=secret)
