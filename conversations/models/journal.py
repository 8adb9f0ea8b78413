"""The journal: what a running generation has written so far, event by event. While it runs, this is the answer (law 2)."""

from typing import ClassVar

from django.db import models

from .prepared import Prepared


class JournalEntry(models.Model):
    """One committed event of a running generation. Its rows are removed once they are folded into the message."""

    pk = models.CompositePrimaryKey("generation", "position")
    generation = models.ForeignKey("Generation", on_delete=models.CASCADE, related_name="journal")
    position = models.PositiveIntegerField(help_text="1, 2, 3 … without gaps.")
    kind = models.CharField(max_length=20)
    data = models.TextField()

    class Meta:
        ordering: ClassVar = ["position"]
        verbose_name_plural = "journal entries"

    def __str__(self) -> str:
        return f"{self.kind} {self.position} of generation {self.generation_id}"


@Prepared
def journal_of(generation: int, after: int) -> "models.QuerySet[JournalEntry, tuple[int, str, str]]":
    """Position, kind and data of each entry behind position `after`, in order."""
    rows = JournalEntry.objects.filter(generation=generation, position__gt=after)
    return rows.order_by("position").values_list("position", "kind", "data")
