"""Forks: a conversation that begins with a copy of another one, as far as a message of it."""

from .conversations import TITLE_MAX_CHARACTERS, Conversation
from .copies import copy_path
from .generations import Generation
from .messages import Message
from .refusals import TurnRefused
from .turns import refuse_if_gone

UNFINISHED = "This answer is still being written. Wait for its end or stop it, then fork."
SUFFIX = " (fork)"


def fork(message: Message) -> Conversation:
    """Copy the path to a message into a new conversation of the same person, where what follows touches the old one no more.

    Raises TurnRefused for an answer that is being written or has been deleted.
    """
    refuse_if_gone(message)
    if Generation.objects.live().filter(message=message).exists():
        raise TurnRefused(UNFINISHED)
    old = message.conversation
    return copy_path(
        message.pk,
        owner_id=old.owner_id,
        title=old.title[: TITLE_MAX_CHARACTERS - len(SUFFIX)] + SUFFIX,
        model_id=old.model_id,
        system_prompt=old.system_prompt,
        parameters=old.parameters,
        folder_id=old.folder_id,
        is_temporary=old.is_temporary,
    )
