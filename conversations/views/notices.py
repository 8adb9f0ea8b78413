"""What a page says of what was just done, and how that is undone: by one form, whatever it was."""

from dataclasses import dataclass, field
from typing import Self

from django.urls import reverse

from conversations.models import Conversation, Folder, Message, SavedPrompt, Share
from conversations.models.branches import Shown


@dataclass(frozen=True, slots=True)
class Notice:
    """What `_notice.html` expects."""

    text: str
    title: str = ""  # what it is about
    undo: str = ""  # where the form is sent that undoes it; "" where nothing can be undone
    fields: list[tuple[str, str]] = field(default_factory=list)  # of that form
    stays: bool = False  # whether htmx shows in this page what has become of it
    about: str = ""  # what it is about that another page may undo, too: then the notice goes

    @classmethod
    def of_conversation(cls, deleted: Conversation) -> Self:
        return cls("was deleted.", deleted.title, reverse("restore_conversation", args=[deleted.pk]), about="conversation")

    @classmethod
    def of_turn(cls, deleted: Message, shown: Shown) -> Self:
        """`shown` is what undoing it shows again."""
        fields = [(name, str(pk)) for name, pk in shown._asdict().items() if pk]
        undo = reverse("restore_turn", args=[deleted.pk])
        return cls("The turn was deleted, with all that followed it.", undo=undo, fields=fields, stays=True)

    @classmethod
    def of_folder(cls, deleted: Folder, text: str = "was deleted. Its conversations are all still there.") -> Self:
        return cls(text, deleted.name, reverse("restore_folder", args=[deleted.pk]))

    @classmethod
    def of_share(cls, revoked: Share) -> Self:
        return cls("cannot be read there any more: the link is revoked.", revoked.title, reverse("reopen_share", args=[revoked.pk]))

    @classmethod
    def of_prompt(cls, deleted: SavedPrompt) -> Self:
        """It is gone; what undoes that saves it anew."""
        return cls("was deleted.", f"/{deleted.command}", reverse("prompts"), [("command", deleted.command), ("text", deleted.text)])
