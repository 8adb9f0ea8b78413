"""Where a thing is found."""

from django.urls import reverse

from conversations.models import Message


def address_of(message: Message) -> str:
    """The page that shows what is around a message, on its branch."""
    return f"{reverse('conversation', args=[message.conversation_id])}?message={message.pk}#message-{message.pk}"
