"""An answer as its template shows it: one object for the page, for the end of a stream, and for a finished stream."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from django.utils.safestring import SafeString

from conversations.events import JournalEvent, Place
from conversations.models import Feedback, Generation, Message, Rendering, Siblings, Status, Usage
from conversations.models.prices import KINDS

from .fragments import LiveAnswer
from .prompts import excerpt


@dataclass(frozen=True, slots=True)
class UsageText:
    """The quiet row under an answer."""

    input_tokens: int
    output_tokens: int
    cost_text: str
    is_estimated: bool
    seconds_to_first_token_text: str
    tokens_per_second_text: str

    @classmethod
    def of(cls, generation: Generation, *, has_tools: bool = False) -> "UsageText | None":
        """Without a speed where the time went to tools, too."""
        usages = generation.attempts
        if not any(usage.input_tokens or usage.output_tokens for usage in usages):
            return None  # nothing was asked of anybody: no numbers rather than zeros
        waited, wrote = generation.seconds_to_first_token, generation.seconds_of_output
        output = max(usages, key=lambda usage: usage.attempt).output_tokens  # of the attempt that was timed
        return cls(
            input_tokens=sum(usage.input_tokens for usage in usages),
            output_tokens=sum(usage.output_tokens for usage in usages),
            cost_text=cost_text(usages),
            is_estimated=any(usage.is_estimated for usage in usages),
            seconds_to_first_token_text=f"{waited:.1f} s" if waited is not None else "",
            tokens_per_second_text=f"{output / wrote:.0f} tokens/s" if wrote and output > 1 and not has_tools else "",
        )


def cost_text(usages: list[Usage]) -> str:
    """Return what all attempts cost together; what has a price of zero is free, and what has none is not called so."""
    if any(getattr(usage, kind) for usage in usages for kind in KINDS):
        return dollars(sum((usage.cost for usage in usages), Decimal(0)))
    return "free" if all(usage.is_priced for usage in usages) else "no price set"


def dollars(amount: Decimal) -> str:
    """Return US dollars with two significant digits below a cent, and cents from there on."""
    if not amount or amount >= Decimal("0.01"):
        return f"${amount:.2f}"
    digits = 1 - amount.adjusted()
    return f"${amount:.{digits}f}" if digits <= 8 else "< $0.0000001"


class Answer:
    """What `_answer.html` and `_answer_footer.html` expect. Needs generation, model and provider selected.

    `journal` is what there is of a running answer, `rendering` the HTML that was kept of a finished one.
    """

    role = "assistant"
    is_compared = False  # with another one, which stands beside it

    def __init__(
        self,
        message: Message,
        journal: Iterable[JournalEvent] = (),
        rendering: Rendering | None = None,
        siblings: Siblings | None = None,
    ) -> None:
        generation: Generation | None = getattr(message, "generation", None)
        self.message, self.pk, self.siblings = message, message.pk, siblings
        self.parent_id = message.parent_id or 0
        self.status = generation.status if generation else Status.COMPLETE
        self.is_live = generation is not None and generation.is_live
        self.model_name = message.written_by
        self.is_edited = message.edited_at is not None
        self.is_demo = bool(generation and generation.model and generation.model.is_demo)
        self.trimmed_turns = generation.trimmed_turns if generation else 0
        self.error_sentence = generation.error_sentence if generation else ""
        self.is_cut_off = generation is not None and generation.reached_output_limit
        self.is_refused = self.status == Status.COMPLETE and generation is not None and generation.was_refused
        self.can_continue = message.can_be_continued
        self.can_retry = not self.is_live and message.parent_id is not None
        self.is_empty = self.status == Status.COMPLETE and not message.text
        self.has_only_thought = self.is_empty and bool(message.reasoning)
        self.usage = UsageText.of(generation, has_tools=bool(message.tool_events)) if generation and not self.is_live else None
        self._journal, self._rendering = journal, rendering

    @cached_property
    def rating(self) -> int:
        """What its owner thinks of it: 1 or -1, 0 for nothing. Needs feedback selected."""
        feedback: Feedback | None = getattr(self.message, "feedback", None)
        return feedback.rating if feedback else 0

    @cached_property
    def label(self) -> str:
        """What tells it from other answers, in the names of its controls."""
        return excerpt(self.message.text) or self.model_name

    @property
    def is_to_be_kept(self) -> bool:
        """Whether its HTML is final, and not kept yet."""
        return not self.is_live and self._rendering is None and self.message.extent != Place()

    @cached_property
    def _live(self) -> LiveAnswer:
        """While the generation runs its journal is the answer; afterwards the message is (law 2)."""
        live = LiveAnswer(self.pk)
        if self.is_live:
            live.apply(self._journal)
        else:
            live.load(self.message.events())
        return live

    @property
    def text_html(self) -> SafeString:
        return SafeString(self._rendering.text_html) if self._rendering else self._live.text_html  # as it was written here

    @property
    def reasoning_html(self) -> SafeString:
        return SafeString(self._rendering.reasoning_html) if self._rendering else self._live.reasoning_html

    @property
    def steps_html(self) -> SafeString:
        return SafeString(self._rendering.steps_html) if self._rendering else self._live.steps_html

    @property
    def cursor(self) -> str:
        return str(self._live.place)
