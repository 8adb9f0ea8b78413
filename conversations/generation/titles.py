"""Titles: once the first answer of a conversation is complete, a model is asked to name it, beside everything else.

Nothing waits for it and nothing fails with it: a conversation that gets no title keeps the first words of its prompt.
"""

import asyncio
import logging
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Left

from chatsite import threads
from conversations.events import EventKind, clean
from conversations.models import (
    Conversation,
    Generation,
    LanguageModel,
    Message,
    NothingLeft,
    Reservation,
    Role,
    Status,
    Usage,
)
from conversations.models.budgets import pay
from conversations.models.holds import hold_for_title
from conversations.models.limits import parameters_of
from conversations.models.titles import title_in
from conversations.providers.base import ChatMessage, ChatRequest, Stream
from conversations.providers.errors import ProviderError
from conversations.providers.registry import adapter_for

from .changes import Kind, tell_of
from .ending import Outcome, enter
from .estimates import need_of
from .history import Assignment, endpoint_of
from .patience import insist

log = logging.getLogger(__name__)

INSTRUCTION = (
    "Write a title of at most six words, in its language, for a conversation that begins like this. Reply with the title only.\n\n"
)
# A model as small as the packaged one obeys examples, and no instruction alone; the answer, too, would only lead it astray.
EXAMPLES = {
    "How long do I have to boil an egg so that it is soft?": "Boiling a Soft Egg",
    "Schreibe eine höfliche Absage an einen Bewerber.": "Höfliche Absage an Bewerber",
    "My Python script prints None at the end. What is wrong?": "Python Script Prints None",
}
LOCAL = "local"  # the slug of the provider that LOCAL_MODEL makes
EXCERPT = 2000  # characters of the prompt: what a conversation is about is said by then
PATIENCE = 60.0  # seconds
MOST_TOKENS, MOST_TOKENS_WITH_REASONING = 60, 2000
MOST_CHARACTERS = 8000  # read; who has not come to the point by then never will


@dataclass(frozen=True, slots=True)
class Naming:
    """One attempt to name a conversation: this process has claimed it, and it is the only one there will be."""

    conversation: Conversation
    model: LanguageModel
    request: ChatRequest
    held: list[Reservation]


def is_to_be_named(assignment: Assignment, outcome: Outcome) -> bool:
    """Whether the answer that has just ended is the first of its conversation, as far as is known without asking the database."""
    prompts = sum(message.role == Role.USER for message in assignment.request.messages) + assignment.trimmed_turns
    return settings.TITLES == "auto" and outcome.status == Status.COMPLETE and prompts - bool(assignment.begun) == 1


async def write_title(generation: Generation) -> None:
    """Name the conversation of an answer that has ended, if nobody has begun to. What goes wrong is logged and no more."""
    naming = await begin_in_thread(generation)
    if naming is None:
        return
    stream = adapter_for(endpoint_of(naming.model.provider)).stream(naming.request)
    outcome, text = Outcome(Status.FAILED), {EventKind.TEXT_DELTA: "", EventKind.REASONING_DELTA: ""}
    try:
        async with asyncio.timeout(PATIENCE), aclosing(stream):
            await read(stream, text)
        outcome.status = Status.COMPLETE
    except ProviderError as error:
        outcome.fail(error)
        log.warning("Conversation %s got no title: %s: %s", naming.conversation.pk, error.code, error.detail)
    except TimeoutError:
        log.warning("Conversation %s got no title within %.0f s.", naming.conversation.pk, PATIENCE)
    finally:  # an attempt is accounted for, also where the process stops in the middle of it
        outcome.note(stream)
        written, thought = clean(text[EventKind.TEXT_DELTA]), clean(text[EventKind.REASONING_DELTA])
        complaint = f"What became of the title of conversation {naming.conversation.pk} could not be written"
        await insist(lambda: finish_in_thread(naming, outcome, written, thought), list, complaint)


async def read(stream: Stream, text: dict[EventKind, str]) -> None:
    """Read into `text` until there is a title; what a model says behind it is not waited for."""
    async for events in stream:
        for kind, data in events:
            if kind in text:
                text[kind] += data
        written = text[EventKind.TEXT_DELTA]
        if sum(map(len, text.values())) > MOST_CHARACTERS or ("\n" in written.strip() and title_in(written)):
            return


def begin(generation: Generation) -> Naming | None:
    """Claim the naming of the conversation; None where it has been, or is not to be, named, or no budget pays for it."""
    answer = generation.message
    marked = LanguageModel.objects.available(answer.conversation.owner_id).filter(writes_titles=True).first()
    conversation, model = answer.conversation, marked or own_model(generation)
    if model is None or not conversation.claim_naming():
        return None
    model.hold_rates()
    prompt = Message.objects.filter(children=answer.pk).values_list(Left("text", EXCERPT), flat=True).first() or ""
    request = request_for(prompt, model)
    try:
        held = hold_for_title(conversation.owner_id, need_of(request, model, most_tokens_for(model)))
    except NothingLeft:
        return None
    return Naming(conversation, model, request, held)


def own_model(generation: Generation) -> LanguageModel | None:
    """The model that wrote the answer. That of this machine is too small for titles, and is asked only where staff marked it."""
    model = generation.model
    return None if model is None or model.provider.slug == LOCAL else model


def request_for(prompt: str, model: LanguageModel) -> ChatRequest:
    wishes: dict[str, Any] = {"max_tokens": most_tokens_for(model)}
    if "temperature" in model.parameters:  # some models take none
        wishes["temperature"] = 0
    pairs = [(INSTRUCTION + text, title) for text, title in EXAMPLES.items()]
    examples = [message for text, title in pairs for message in (ChatMessage("user", text), ChatMessage("assistant", title))]
    messages, parameters = [*examples, ChatMessage("user", INSTRUCTION + prompt)], parameters_of(model, wishes)
    return ChatRequest(model.model_id, messages, "", parameters, purpose="title", reasons=model.supports_reasoning)


def most_tokens_for(model: LanguageModel) -> int:
    return MOST_TOKENS_WITH_REASONING if model.supports_reasoning else MOST_TOKENS


@transaction.atomic
def finish(naming: Naming, outcome: Outcome, text: str, reasoning: str) -> None:
    """Account for the attempt, and give the conversation the title, unless a person has named it meanwhile.

    Done again, because its commit was not heard of, it changes nothing: there is one attempt for each conversation.
    """
    is_there = Conversation.objects.filter(pk=naming.conversation.pk).exists()
    owner = User.objects.filter(pk=naming.conversation.owner_id).first()
    usage = Usage(purpose=Usage.Purpose.TITLE, conversation=naming.conversation if is_there else None, person=owner)
    if is_there and Usage.objects.filter(purpose=usage.purpose, conversation=naming.conversation).exists():
        return
    amount = enter(usage, naming.model, naming.request, outcome, text, reasoning)
    title = title_in(text) if outcome.status == Status.COMPLETE else ""
    if title and naming.conversation.entitle(title):
        transaction.on_commit(partial(tell_of, naming.conversation, Kind.RENAMED))
    pay(naming.held, amount)


begin_in_thread = threads.in_thread(threads.web, begin)
finish_in_thread = threads.in_thread(threads.web, finish)
