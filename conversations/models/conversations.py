"""A person's conversations. Soft delete is asked for by name; the default manager hides nothing."""

from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q
from django.utils import timezone

from .catalog import LanguageModel
from .folders import Folder
from .prepared import Prepared
from .titles import is_plain, is_visible

TITLE_MAX_CHARACTERS = 200
SYSTEM_PROMPT_MAX_CHARACTERS = 50_000
COMING = "coming:"  # with what follows, the `source_key` of one that is being imported and not whole yet
TITLE_LOOKED_FOR = 2000  # characters of a prompt, at most
KEPT = Q(deleted_at=None, is_temporary=False)
LISTED = KEPT & Q(archived_at=None)
FILED = Q(*((f"conversations__{name}", value) for name, value in LISTED.children))  # type: ignore[misc]  # the same, seen from a folder


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def active(self) -> "ConversationQuerySet":
        return self.filter(deleted_at=None)

    def visible_to(self, user: User | int) -> "ConversationQuerySet":
        """Those that a person may read and go on with, or the one with that key; temporary ones, too."""
        return self.active().filter(owner=user)

    def trashed(self) -> "ConversationQuerySet":
        """What its owner may have back."""
        return self.filter(is_temporary=False, deleted_at__isnull=False).exclude(source_key__startswith=COMING)

    def kept(self) -> "ConversationQuerySet":
        """Active, and to be found again later: no temporary one is in any list."""
        return self.filter(KEPT)

    def listed(self) -> "ConversationQuerySet":
        return self.filter(LISTED)

    def pinned(self) -> "ConversationQuerySet":
        return self.listed().filter(pinned_at__isnull=False).order_by("-pinned_at", "-pk")

    def unpinned(self) -> "ConversationQuerySet":
        return self.listed().filter(pinned_at=None)

    def archived(self) -> "ConversationQuerySet":
        return self.kept().filter(archived_at__isnull=False)

    def pin(self) -> int:
        return self.update(pinned_at=timezone.now())

    def unpin(self) -> int:
        return self.update(pinned_at=None)

    def archive(self) -> int:
        return self.update(archived_at=timezone.now())

    def unarchive(self) -> int:
        return self.update(archived_at=None)

    def restore(self) -> int:
        return self.update(deleted_at=None)

    def trash(self) -> list[int]:
        """Move them to the trash and ask what is being answered in them to stop; return the keys of those generations."""
        from .generations import Generation  # which imports this module

        chosen = list(self.values_list("pk", flat=True))
        Conversation.objects.active().filter(pk__in=chosen).update(deleted_at=timezone.now())
        live = Generation.objects.live().filter(message__conversation__in=chosen)
        return [generation.pk for generation in live if generation.request_stop()]

    def with_running(self) -> "ConversationQuerySet":
        """Each with `is_running`: whether its last answer is being written."""
        from .generations import LIVE  # which imports this module

        return self.annotate(is_running=Q(head__generation__status__in=LIVE))


class Conversation(models.Model):
    """A tree of messages, of which one path - the one that ends at `head` - is shown."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="conversations")
    title = models.CharField(max_length=TITLE_MAX_CHARACTERS)
    model = models.ForeignKey(LanguageModel, null=True, on_delete=models.SET_NULL, related_name="+", help_text="Answers the next prompt.")
    system_prompt = models.TextField(blank=True, help_text="The text in effect.")
    parameters = models.JSONField(
        default=dict, blank=True, help_text='Sent with each request, over the model\'s own: {"temperature": 0.7}.'
    )
    head = models.ForeignKey("Message", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    rival = models.ForeignKey(
        "Message", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", help_text="Shown beside the head until one is kept."
    )
    has_own_title = models.BooleanField(default=False, help_text="A person named it: no model may.")
    title_asked_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="When a model was asked to name it: once.")
    is_temporary = models.BooleanField("temporary", default=False, help_text="In no list, and gone once it is closed.")
    folder = models.ForeignKey(Folder, null=True, blank=True, on_delete=models.SET_NULL, related_name="conversations")
    pinned_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    source_key = models.CharField(max_length=200, blank=True, help_text="What it was in the file it was imported from.")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-updated_at", "-pk"]
        indexes: ClassVar = [
            models.Index(fields=["owner", "-updated_at", "-id"], condition=LISTED & Q(pinned_at=None), name="conversations_listed"),
            models.Index(fields=["owner", "-pinned_at", "-id"], condition=LISTED & Q(pinned_at__isnull=False), name="conversations_pinned"),
            models.Index(
                fields=["folder", "-updated_at", "-id"],
                condition=LISTED & Q(pinned_at=None, folder__isnull=False),
                name="conversations_in_folder",
            ),
            models.Index(
                fields=["owner", "-updated_at", "-id"], condition=KEPT & Q(archived_at__isnull=False), name="conversations_archived"
            ),
            models.Index(
                fields=["owner", "-deleted_at", "-id"],
                condition=Q(deleted_at__isnull=False, is_temporary=False),
                name="conversations_trashed",
            ),
            models.Index(fields=["deleted_at"], condition=Q(deleted_at__isnull=False), name="conversations_to_purge"),
            models.Index(fields=["updated_at"], condition=Q(is_temporary=True), name="conversations_temporary"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "source_key"], condition=~Q(source_key=""), name="one_import_of_a_conversation"),
        ]

    def __str__(self) -> str:
        return self.title

    def rename(self, title: str) -> None:
        """Take the title that a person gave; no model overwrites it."""
        self.title, self.has_own_title = title, True
        self.save(update_fields=["title", "has_own_title"])

    def claim_naming(self) -> bool:
        """Say that a model is asked for a title now; True if this call won. It is asked once, whatever becomes of it."""
        unnamed = Conversation.objects.active().filter(pk=self.pk, title_asked_at=None, has_own_title=False, is_temporary=False)
        return bool(unnamed.update(title_asked_at=timezone.now()))

    def entitle(self, title: str) -> bool:
        """Take the title that a model wrote, unless a person gave one meanwhile; True if this call won."""
        return bool(Conversation.objects.active().filter(pk=self.pk, has_own_title=False).update(title=title))

    def soft_delete(self) -> list[int]:
        """Move it to the trash; return the keys of the generations that were asked to stop."""
        return Conversation.objects.filter(pk=self.pk).trash()

    def restore(self) -> None:
        Conversation.objects.trashed().filter(pk=self.pk).restore()


@Prepared
def own_conversation(pk: int, owner: int) -> ConversationQuerySet:
    return Conversation.objects.visible_to(owner).filter(pk=pk)


@Prepared
def locked_conversation(pk: int) -> ConversationQuerySet:
    """The row, held until the transaction ends; not one that is deleted."""
    return Conversation.objects.active().select_for_update().filter(pk=pk)


def title_from(prompt: str) -> str:
    """Return the first line of the prompt in which something can be seen, cut at a word, as a title until a better one is given."""
    lines = (" ".join("".join(filter(is_plain, line)).split()) for line in prompt.lstrip()[:TITLE_LOOKED_FOR].splitlines())
    line = next(filter(is_visible, lines), "")
    if len(line) <= 60:
        return line or "New conversation"
    return line[:60].rsplit(" ", 1)[0].rstrip(".,;:") + "…"
