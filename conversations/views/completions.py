"""The door for OpenAI's clients: the models there are, and answers that are kept nowhere but in the ledger. Open to tokens only."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from chatsite.handler import LaterResponse
from conversations.eventstream.completions import Telling
from conversations.forms.completions import NotSupported, completion_in
from conversations.generation.calls import Call
from conversations.generation.orders import order_of
from conversations.models import LanguageModel, Scope
from conversations.models.keys import key_in

from .programs import only_with_token, with_token
from .requests import SignedInRequest, refusal

NO_MODEL = "There is no such model: GET /v1/models lists what there is."


@with_token(get=Scope.CHAT)
@require_GET
@only_with_token
def models(request: SignedInRequest) -> HttpResponse:
    """All that its person may pick."""
    found = [described(model) for model in LanguageModel.objects.available(request.user.pk)]
    return JsonResponse({"object": "list", "data": found})


@with_token(get=Scope.CHAT)
@require_GET
@only_with_token
def model(request: SignedInRequest, name: str) -> HttpResponse:
    found = find_model(name, request.user.pk)
    return JsonResponse(described(found)) if found else refusal(request, NO_MODEL, 404, "model_not_found")


@with_token(post=Scope.CHAT)
@csrf_exempt
@require_POST
@only_with_token
def completions(request: SignedInRequest) -> HttpResponseBase:
    """Have a model answer, as a stream or in one piece. No thread and no connection to the database is held meanwhile."""
    try:
        asked = completion_in(request.body)
        system_prompt, spoken = asked.spoken()
    except NotSupported as error:
        return refusal(request, str(error), 400, error.code, param=error.param)
    found = find_model(asked.model, request.user.pk)
    if found is None:
        return refusal(request, NO_MODEL, 404, "model_not_found", param="model")
    token = request.token  # type: ignore[attr-defined]
    call = Call(order_of(request.user, token, found, system_prompt, spoken, asked.parameters))
    telling = Telling(call, asked.model, asked.wants_usage, refuser(request))
    return LaterResponse(telling.stream if asked.stream else telling.whole, call.stop)


def refuser(request: HttpRequest) -> Any:
    def refuse(sentence: str, status: int, code: str, retry_after: int | None) -> HttpResponse:
        told = refusal(request, sentence, status, code)
        if retry_after is not None:
            told.headers["Retry-After"] = str(retry_after)
        return told

    return refuse


def find_model(name: str, person: int) -> LanguageModel | None:
    """The model that a program names, if its person may pick it: by the id that is listed, or by its number, as elsewhere."""
    slug, _, model_id = name.partition("/")
    if "\0" in name:
        return None
    wanted = {"provider__slug": slug, "model_id": model_id} if model_id else {"pk": key_in(name)}
    return LanguageModel.objects.available(person).filter(**wanted).first()


def described(model: LanguageModel) -> dict[str, Any]:
    return {
        "id": f"{model.provider.slug}/{model.model_id}",
        "object": "model",
        "created": 0,  # nobody keeps when
        "owned_by": model.provider.slug,
        "name": model.name,
        "context_window": model.context_window,
    }
