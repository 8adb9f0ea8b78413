"""What a person wrote and was answered in other conversations."""

from typing import Annotated

from msgspec import Meta

from conversations.models.search import Found, find_messages
from conversations.models.search_terms import Terms, TooSlow

from .base import Caller, ToolError

EXCERPT = 600  # characters of a message


def search_conversations(
    caller: Caller,
    words: Annotated[str, "What to look for: a message is found that holds all of the words."],
    most: Annotated[int, Meta(ge=1, le=20, description="How many messages to tell at most.")] = 5,
) -> str:
    """Search the person's earlier conversations with this site, newest first."""
    terms = Terms.of(words)
    if not terms:
        raise ToolError("There is no word in this to look for.")
    try:
        found = find_messages(caller.user_id, terms, most=most + 1)
    except TooSlow:
        raise ToolError("This search takes too long. Add a word that is less common.") from None
    return told(found, caller.conversation_id, most) or "Nothing was found."


def told(found: Found, besides: int, most: int) -> str:
    """Return what was found, without the conversation that is going on: it is before the model's eyes."""
    others = [message for message in found.messages if message.conversation_id != besides][:most]
    return "\n\n".join(
        f"{message.created_at:%Y-%m-%d}, {message.role}, in “{message.conversation.title}”:\n{message.text[:EXCERPT]}" for message in others
    )
