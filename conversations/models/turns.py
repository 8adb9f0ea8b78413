"""Turns: a prompt and the answer to it, begun in one transaction before anything is sent upstream.

Nothing is overwritten: an edited prompt, another answer and the rest of one that was cut off each stand beside what there is.
Whatever begins a turn raises TooFast and NothingLeft, too, which are TurnRefused: where the person asks too fast, or no budget pays for it.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypedDict, Unpack

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from .catalog import LanguageModel
from .conversations import Conversation, locked_conversation, title_from
from .folders import Folder
from .generations import Generation, live_in
from .holds import hold_for
from .journal import JournalEntry
from .messages import Message, Role
from .pace import keep_pace
from .refusals import TurnRefused
from .settings import with_instructions
from .system_prompts import SystemPrompt

DELETED = "This conversation has been deleted. Restore it, or start a new chat."
GONE = "This turn has been deleted meanwhile, perhaps in another tab. Undo that there, or send a new message."
BUSY = "An answer is still being written. Wait for it or stop it, then send again."
BUSY_ELSEWHERE = (
    "An answer is still being written on another branch of this conversation. Wait for it, or go to it and stop it, then send again."
)
NO_PROMPT = "There is no message of yours before this answer. Send a new one."
WHOLE = "This answer is whole. Ask in a new message for more."


@dataclass(frozen=True, slots=True)
class Turn:
    """`rival` is a second answer, to be compared with the first."""

    prompt: Message
    answer: Message
    rival: Message | None = None

    @property
    def generation(self) -> Generation:
        return self.answer.generation

    @property
    def conversation(self) -> Conversation:
        return self.answer.conversation

    @property
    def answers(self) -> list[Message]:
        return [self.answer, *([self.rival] if self.rival else [])]


class Wishes(TypedDict, total=False):
    """What a person may want of a new conversation."""

    system_prompt: str | None  # None: the site's default
    parameters: dict[str, Any]
    is_temporary: bool
    folder: Folder | None


def start_conversation(owner: User, prompt: str, model: LanguageModel, request_key: uuid.UUID, **wishes: Unpack[Wishes]) -> Turn:
    """Begin a conversation with its first turn; the same prompt under the same request key again returns the turn it began."""
    try:
        return _start_conversation(owner, prompt, model, request_key, wishes)
    except IntegrityError:  # the key is taken
        return _turn_of(Message.objects.of(owner), prompt, request_key) or _start_conversation(owner, prompt, model, uuid.uuid4(), wishes)


@transaction.atomic
def _start_conversation(owner: User, prompt: str, model: LanguageModel, request_key: uuid.UUID, wishes: Wishes) -> Turn:
    text = wishes.get("system_prompt")
    text = SystemPrompt.objects.default_text() if text is None else text
    conversation = Conversation.objects.create(
        **wishes | {"owner": owner, "title": title_from(prompt), "model": model, "system_prompt": with_instructions(text, owner.pk)}
    )
    return _begin(conversation, None, prompt, model, request_key)


def start_turn(conversation: Conversation, prompt: str, model: LanguageModel, request_key: uuid.UUID) -> Turn:
    """Add a prompt and a queued answer at the end of the shown path; the same prompt under the same key is one turn.

    Raises TurnRefused while an answer of the conversation is being written.
    """
    return _once(partial(_start_turn, conversation, prompt, model), conversation, prompt, request_key)


@transaction.atomic
def _start_turn(conversation: Conversation, prompt: str, model: LanguageModel, request_key: uuid.UUID) -> Turn:
    conversation = locked(conversation)
    refuse_if_busy(conversation)
    return _begin(conversation, conversation.head_id, prompt, model, request_key)


def edit(old: Message, prompt: str, model: LanguageModel, request_key: uuid.UUID) -> Turn:
    """Begin a turn beside that of an `old` prompt, which stays; the same prompt under the same key is one turn.

    Raises TurnRefused while an answer of the conversation is being written, and where the old turn has been deleted.
    """
    return _once(partial(_edit, old, prompt, model), old.conversation, prompt, request_key)


@transaction.atomic
def _edit(old: Message, prompt: str, model: LanguageModel, request_key: uuid.UUID) -> Turn:
    conversation = locked(old.conversation)
    refuse_if_busy(conversation)
    refuse_if_gone(old)
    return _begin(conversation, old.parent_id, prompt, model, request_key)


def retry(answer: Message, model: LanguageModel, rival: LanguageModel | None = None) -> Turn:
    """Queue another answer to the same prompt, beside those there are; with a `rival` two, one of each model, to be compared.

    Raises TurnRefused while an answer of the conversation is being written, and where the turn has been deleted.
    """
    return _answer(answer.conversation, _prompt_of(answer), model, rival)


def answer_prompt(prompt: Message, model: LanguageModel, rival: LanguageModel | None = None) -> Turn:
    """The same for a prompt, which may have no answer yet, for example because it came from a file."""
    return _answer(prompt.conversation, prompt, model, rival)


@transaction.atomic
def _answer(conversation: Conversation, prompt: Message, model: LanguageModel, rival: LanguageModel | None) -> Turn:
    conversation = locked(conversation)
    refuse_if_busy(conversation)
    refuse_if_gone(prompt)
    first = _queue_answer(conversation, prompt, model)
    second = _queue_answer(conversation, prompt, rival) if rival else None
    return _shown(Turn(prompt, first, second), conversation, model)


@transaction.atomic
def go_on(answer: Message, model: LanguageModel) -> Turn:
    """Queue an answer that begins with the text of one that was cut off, and stands beside it.

    Raises TurnRefused while an answer of the conversation is being written, and for one that is whole or has been deleted.
    """
    conversation = locked(answer.conversation)
    refuse_if_busy(conversation)
    refuse_if_gone(answer)
    if not answer.can_be_continued:
        raise TurnRefused(WHOLE, "whole")
    prompt = _prompt_of(answer)
    longer = _queue_answer(conversation, prompt, model, continues=answer)
    return _shown(Turn(prompt, longer), conversation, model)


def _once(begin: Callable[[uuid.UUID], Turn], conversation: Conversation, prompt: str, request_key: uuid.UUID) -> Turn:
    """Begin a turn, or return the one that the key began with this prompt. A key that is another prompt's is given up."""
    try:
        return begin(request_key)
    except (TurnRefused, IntegrityError) as refusal:
        if turn := _turn_of(conversation.messages.all(), prompt, request_key):
            return turn
        if isinstance(refusal, TurnRefused):
            raise
        return begin(uuid.uuid4())


def _turn_of(messages: QuerySet[Message], prompt: str, request_key: uuid.UUID) -> Turn | None:
    """The turn that the key began with this prompt.

    None where the key is another prompt's: a page that comes back from the browser's history sends its old key with a new one.
    """
    sent = messages.filter(request_key=request_key, text=prompt).first()
    answer = sent and sent.children.select_related("generation", "conversation").order_by("pk").last()
    return Turn(sent, answer) if sent and answer else None


def locked(conversation: Conversation) -> Conversation:
    """Read the row and hold it until the transaction ends, so that two who change its tree at once do so one after the other."""
    row = locked_conversation.first(conversation.pk)
    if row is None:
        raise TurnRefused(DELETED, "deleted")
    return row


def refuse_if_busy(conversation: Conversation) -> None:
    if live := live_in(conversation.pk):
        shown = Generation.objects.filter(pk__in=live, message__in=[conversation.head_id, conversation.rival_id]).exists()
        raise TurnRefused(BUSY if shown else BUSY_ELSEWHERE)


def refuse_if_gone(message: Message) -> None:
    if not Message.objects.active().filter(pk=message.pk).exists():
        raise TurnRefused(GONE, "gone")


def _prompt_of(answer: Message) -> Message:
    """What it answers; an imported conversation may begin with an answer."""
    if answer.parent is None or answer.parent.role != Role.USER:
        raise TurnRefused(NO_PROMPT, "no_prompt")
    return answer.parent


def _begin(conversation: Conversation, parent_id: int | None, text: str, model: LanguageModel, request_key: uuid.UUID) -> Turn:
    prompt = Message.objects.create(conversation=conversation, parent_id=parent_id, role=Role.USER, text=text, request_key=request_key)
    answer = _queue_answer(conversation, prompt, model)
    return _shown(Turn(prompt, answer), conversation, model)


def _queue_answer(conversation: Conversation, prompt: Message, model: LanguageModel, *, continues: Message | None = None) -> Message:
    keep_pace(conversation.owner_id)
    answer = Message.objects.create(conversation=conversation, parent=prompt, role=Role.ASSISTANT, continues=continues)
    generation = Generation.objects.create(message=answer, model=model, model_name=model.name)
    if continues:
        opening = enumerate(continues.opening(), start=1)
        JournalEntry.objects.bulk_create(
            JournalEntry(generation=generation, position=position, kind=kind, data=data) for position, (kind, data) in opening
        )
    return answer


def _shown(turn: Turn, conversation: Conversation, model: LanguageModel) -> Turn:
    """Let the path to a new answer be the one that is shown, and have it paid for; a comparison that was open is over.

    Raises NothingLeft.
    """
    head, rival = turn.answer, turn.rival
    conversation.head, conversation.rival, conversation.model = head, rival, model
    Conversation.objects.filter(pk=conversation.pk).update(head=head, rival=rival, model=model, updated_at=timezone.now())
    hold_for(conversation, turn.answers)
    return turn
