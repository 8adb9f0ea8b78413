"""Turns: a prompt and the answer to it, begun in one transaction before anything is sent upstream."""

import uuid
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from .catalog import LanguageModel, SystemPrompt
from .conversations import Conversation, locked_conversation, title_from
from .generations import Generation, live_in
from .messages import Message, Role


class TurnRefused(Exception):
    """A turn that cannot begin now; its text is a sentence for the person."""


@dataclass(frozen=True, slots=True)
class Turn:
    prompt: Message
    answer: Message

    @property
    def generation(self) -> Generation:
        return self.answer.generation

    @property
    def conversation(self) -> Conversation:
        return self.answer.conversation


def start_conversation(owner: User, prompt: str, model: LanguageModel, request_key: uuid.UUID) -> Turn:
    """Begin a conversation with its first turn; the same prompt under the same request key again returns the turn it began."""
    try:
        return _start_conversation(owner, prompt, model, request_key)
    except IntegrityError:  # the key is taken
        mine = Message.objects.filter(conversation__owner=owner, conversation__deleted_at=None)
        return _turn_of(mine, prompt, request_key) or _start_conversation(owner, prompt, model, uuid.uuid4())


@transaction.atomic
def _start_conversation(owner: User, prompt: str, model: LanguageModel, request_key: uuid.UUID) -> Turn:
    conversation = Conversation.objects.create(
        owner=owner, title=title_from(prompt), model=model, system_prompt=SystemPrompt.objects.default_text()
    )
    return _begin(conversation, prompt, model, request_key)


def start_turn(conversation: Conversation, prompt: str, model: LanguageModel, request_key: uuid.UUID) -> Turn:
    """Add a prompt and a queued answer at the end of the shown path; the same prompt under the same key is one turn.

    Raises TurnRefused while an answer of the conversation is being written.
    """
    try:
        return _start_turn(conversation, prompt, model, request_key)
    except (TurnRefused, IntegrityError) as refusal:
        if turn := _turn_of(conversation.messages.all(), prompt, request_key):
            return turn
        if isinstance(refusal, TurnRefused):
            raise
        return _start_turn(conversation, prompt, model, uuid.uuid4())


@transaction.atomic
def _start_turn(conversation: Conversation, prompt: str, model: LanguageModel, request_key: uuid.UUID) -> Turn:
    conversation = _locked(conversation)
    _refuse_if_busy(conversation)
    return _begin(conversation, prompt, model, request_key)


@transaction.atomic
def retry(answer: Message, model: LanguageModel) -> Turn:
    """Queue another answer to the same prompt, beside the one there is: nothing is overwritten.

    Raises TurnRefused while an answer of the conversation is being written, and for an answer that is not the last.
    """
    conversation = _locked(answer.conversation)
    _refuse_if_busy(conversation)
    if conversation.head_id != answer.pk:
        raise TurnRefused("Only the last answer can be retried.")
    assert answer.parent is not None
    return Turn(answer.parent, _queue_answer(conversation, answer.parent, model))


def _turn_of(messages: QuerySet[Message], prompt: str, request_key: uuid.UUID) -> Turn | None:
    """The turn that the key began with this prompt.

    None where the key is another prompt's: a page that comes back from the browser's history sends its old key with a new one.
    """
    sent = messages.filter(request_key=request_key, text=prompt).first()
    answer = sent and sent.children.select_related("generation", "conversation").order_by("pk").last()
    return Turn(sent, answer) if sent and answer else None


def _locked(conversation: Conversation) -> Conversation:
    """Read the row and hold it until the transaction ends, so that two prompts sent at once cannot both begin."""
    locked = locked_conversation.first(conversation.pk)
    if locked is None:
        raise TurnRefused("This conversation has been deleted. Restore it, or start a new chat.")
    return locked


def _refuse_if_busy(conversation: Conversation) -> None:
    if live_in(conversation.pk):
        raise TurnRefused("An answer is still being written. Wait for it or stop it, then send again.")


def _begin(conversation: Conversation, text: str, model: LanguageModel, request_key: uuid.UUID) -> Turn:
    prompt = Message.objects.create(
        conversation=conversation, parent_id=conversation.head_id, role=Role.USER, text=text, request_key=request_key
    )
    return Turn(prompt, _queue_answer(conversation, prompt, model))


def _queue_answer(conversation: Conversation, prompt: Message, model: LanguageModel) -> Message:
    answer = Message.objects.create(conversation=conversation, parent=prompt, role=Role.ASSISTANT)
    Generation.objects.create(message=answer, model=model, model_name=model.name)
    conversation.head, conversation.model = answer, model
    Conversation.objects.filter(pk=conversation.pk).update(head=answer, model=model, updated_at=timezone.now())
    return answer
