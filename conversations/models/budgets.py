"""Budgets: what may be spent in a day or a month, by the site, a group or a person, and what of it is used and held.

What is used and held changes by guarded updates alone, in the order of keys and as the last thing that a transaction does: whoever waits
for a row of `BudgetPeriod` then holds nothing that its holder still wants.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import ClassVar, NamedTuple

from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Least
from django.utils import timezone

from .prepared import Prepared

# Costs are whole numbers of 10^-12 US dollars, the last place of the ledger: SQLite adds decimals as floats, and whole numbers exactly.
DOLLAR = 10**12
MOST = 10**18  # of either unit in one row; two of them fit into a column


class Amount(NamedTuple):
    """What something takes from a budget: a cost in 10^-12 US dollars, and tokens read and written."""

    cost: int
    tokens: int

    @classmethod
    def of(cls, cost: Decimal, tokens: int) -> "Amount":
        """`cost` in US dollars."""
        return cls(int((cost * DOLLAR).to_integral_value(ROUND_CEILING)), tokens)


class BudgetQuerySet(models.QuerySet["Budget"]):
    def in_force(self) -> "BudgetQuerySet":
        return self.filter(is_enabled=True)


class Budget(models.Model):
    """A limit in money, in tokens, or both, on what is spent in one period."""

    class Period(models.TextChoices):
        DAY = "day"
        MONTH = "month"

    group = models.ForeignKey(Group, null=True, blank=True, on_delete=models.CASCADE, related_name="budgets")
    person = models.ForeignKey(
        User,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="budgets",
        help_text="Neither: it is the budget of the whole site.",
    )
    is_each = models.BooleanField(
        "for each",
        default=False,
        help_text="Each person of the group, or of the site, has all of it, instead of sharing it with the others.",
    )
    period = models.CharField(
        max_length=5, choices=Period, default=Period.MONTH, help_text="It begins at midnight in the site's time zone."
    )
    cost_limit = models.DecimalField(
        "limit in US dollars", max_digits=10, decimal_places=4, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    token_limit = models.PositiveBigIntegerField(
        "limit in tokens", null=True, blank=True, validators=[MaxValueValidator(MOST)], help_text="Read and written, cached ones included."
    )
    is_enabled = models.BooleanField("enabled", default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = BudgetQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(cost_limit__isnull=False) | Q(token_limit__isnull=False),
                name="a_budget_limits_something",
                violation_error_message="Give a limit in US dollars, in tokens, or both.",
            ),
            models.CheckConstraint(
                condition=Q(group=None) | Q(person=None),
                name="a_budget_has_one_scope",
                violation_error_message="A budget is a group's or a person's: choose one, or neither for the whole site.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope}, each {self.period}"

    def clean(self) -> None:
        if self.is_each and self.person_id:
            raise ValidationError({"is_each": "A budget of one person is theirs alone already."})

    @property
    def scope(self) -> str:
        """Whose it is, for staff."""
        if self.person_id:
            return str(self.person)
        whole = f"group {self.group}" if self.group_id else "site"
        return f"each person of the {whole}" if self.is_each else f"the {whole}"

    @property
    def name(self) -> str:
        """What it is to the people it is about."""
        if self.person_id or self.is_each:
            return "your budget"
        return f"the budget of the group “{self.group}”" if self.group_id else "the budget of this site"

    @property
    def limit(self) -> int | None:
        """In 10^-12 US dollars."""
        return None if self.cost_limit is None else int(self.cost_limit * DOLLAR)

    def starts_on(self, day: date) -> date:
        """The first day of the period that `day` is in."""
        return day if self.period == self.Period.DAY else day.replace(day=1)

    def begins_again_on(self, day: date) -> date:
        """The first day of the next period."""
        start = self.starts_on(day)
        return start + timedelta(days=1) if self.period == self.Period.DAY else (start + timedelta(days=31)).replace(day=1)

    def holder(self, person: int) -> int:
        """The key in `BudgetPeriod.holder` of what a person may take from."""
        return person if self.is_each else 0


class BudgetPeriod(models.Model):
    """What is used of a budget in one period, and what is held for answers that are being written."""

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="periods")
    holder = models.BigIntegerField(default=0, help_text="The number of the person whose share it is; 0 where all share it.")
    starts_on = models.DateField()
    used_cost = models.BigIntegerField(default=0, help_text="In 10⁻¹² US dollars.")
    held_cost = models.BigIntegerField(default=0, help_text="In 10⁻¹² US dollars.")
    used_tokens = models.BigIntegerField(default=0)
    held_tokens = models.BigIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["budget", "holder", "starts_on"], name="one_row_per_period_of_a_budget")]

    def __str__(self) -> str:
        return f"{self.budget}, from {self.starts_on}"

    @property
    def is_used_up(self) -> bool:
        limits = ((self.budget.limit, self.used_cost), (self.budget.token_limit, self.used_tokens))
        return any(limit is not None and used >= limit for limit, used in limits)


class Reservation(models.Model):
    """What is held of a budget for one answer, a call of a program, or the title of a conversation, until it has ended and is paid."""

    generation = models.ForeignKey(
        "Generation",
        null=True,
        on_delete=models.SET_NULL,
        related_name="reservations",
        help_text="None: a title's, a call's, or the answer is gone.",
    )
    call = models.ForeignKey(
        "ApiCall", null=True, on_delete=models.SET_NULL, related_name="reservations", help_text="Of a program, while it is open."
    )
    period = models.ForeignKey(BudgetPeriod, on_delete=models.CASCADE, related_name="reservations")
    cost = models.BigIntegerField(help_text="In 10⁻¹² US dollars.")
    tokens = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["period"]
        indexes: ClassVar = [
            models.Index(fields=["created_at"], condition=Q(generation=None), name="reservations_of_no_answer"),
        ]

    def __str__(self) -> str:
        return f"reservation {self.pk}"


@Prepared
def budgets_of(person: int) -> BudgetQuerySet:
    """All that limit what a person spends."""
    groups = User.groups.through.objects.filter(user=person).values("group")
    theirs = Q(person=person) | Q(group__in=groups) | Q(person=None, group=None)
    return Budget.objects.in_force().filter(theirs).select_related("group").order_by("pk")


def today() -> date:
    """In the time zone of the site, whatever that of the person."""
    return timezone.localdate(timezone=timezone.get_default_timezone())


def periods_of(budgets: Iterable[Budget], person: int, day: date) -> models.QuerySet[BudgetPeriod]:
    """The rows, as far as they exist, of what a person may take from on a day, in the order in which they are locked."""
    found = Q(pk__in=[])
    for budget in budgets:
        found |= Q(budget=budget, holder=budget.holder(person), starts_on=budget.starts_on(day))
    return BudgetPeriod.objects.filter(found).order_by("pk")


def charge(periods: Iterable[int], amount: Amount) -> None:
    """Count what an attempt used, whether or not it was held before."""
    for pk in sorted(periods):
        BudgetPeriod.objects.filter(pk=pk).update(
            used_cost=Least(F("used_cost") + min(amount.cost, MOST), MOST),
            used_tokens=Least(F("used_tokens") + min(amount.tokens, MOST), MOST),
        )


def charge_for(generation: int, amount: Amount) -> None:
    """Count what an attempt of a generation used in the periods of which something is held for it."""
    charge(Reservation.objects.filter(generation=generation).values_list("period", flat=True), amount)


def pay(held: Iterable[Reservation], amount: Amount) -> None:
    """Count what was used in the periods of which something was held for it, and hold that no longer."""
    held = list(held)
    charge((reservation.period_id for reservation in held), amount)
    release(Reservation.objects.filter(pk__in=[reservation.pk for reservation in held]))


def release(reservations: models.QuerySet[Reservation]) -> None:
    """Hold no longer what was held; each reservation gives back what it took once, whoever asks."""
    for held in reservations.order_by("period"):
        deleted, _ = Reservation.objects.filter(pk=held.pk).delete()
        if deleted:
            BudgetPeriod.objects.filter(pk=held.period_id).update(
                held_cost=F("held_cost") - held.cost, held_tokens=F("held_tokens") - held.tokens
            )


def release_for(generation: int) -> None:
    release(Reservation.objects.filter(generation=generation))
