"""What a month cost: sums by each dimension, charts that are drawn by the server, a CSV that no spreadsheet runs."""

import csv
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from xml.etree import ElementTree

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from conversations.models import Generation, LanguageModel, Status, Usage
from tests.factories import make_group, make_model, make_provider, make_turn, make_user

from .test_walk import InlineCode

pytestmark = pytest.mark.postgresql
FIFTH = datetime(2026, 3, 5, 12, tzinfo=UTC)


def spend(person: User, model: LanguageModel, moment: datetime = FIFTH, status: str = Status.COMPLETE) -> None:
    """A turn with a row of the ledger: 1,000 tokens in and 500 out, its first token after two seconds."""
    turn = make_turn(owner=person, model=model)
    usage = Usage(person=person, generation=turn.generation, input_tokens=1000, output_tokens=500)
    usage.take_prices(model)
    usage.save()
    Usage.objects.filter(pk=usage.pk).update(created_at=moment)
    wrote = moment + timedelta(seconds=2)
    Generation.objects.filter(pk=turn.generation.pk).update(status=status, queued_at=moment, first_token_at=wrote)


def make_month() -> None:
    alice, bob = make_user("alice"), make_user("bob")
    make_group("Research", alice, bob)
    make_group("Sea", alice)
    dear = make_model(make_provider(name="Cloud"), name="Dear", input_price=1000, output_price=2000)
    spend(alice, dear)
    spend(alice, dear, FIFTH + timedelta(days=1), Status.FAILED)
    spend(bob, make_model(make_provider(name="House"), name="Cheap"))


def shown(root: Client, **query: str) -> Any:
    response = root.get(reverse("admin:usage_dashboard"), {"month": "2026-03"} | query)
    assert response.status_code == 200
    return response


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("model", [("Dear", "2", "4", "50.0%"), ("Cheap", "1", "0", "0.0%")]),
        ("provider", [("Cloud", "2", "4", "50.0%"), ("House", "1", "0", "0.0%")]),
        ("person", [("alice", "2", "4", "50.0%"), ("bob", "1", "0", "0.0%")]),
        ("group", [("Research", "3", "4", "33.3%"), ("Sea", "2", "4", "50.0%")]),
    ],
)
def test_a_month_is_summed_up_by_each_dimension(root: Client, by: str, expected: list[tuple[str, ...]]) -> None:
    make_month()
    rows = shown(root, by=by).context["rows"]
    assert [(row[0], row[1], row[4], row[6]) for row in rows] == expected
    assert {row[7] for row in rows} == {"2.00 s"}


def test_the_chart_has_a_bar_for_each_day_and_is_drawn_without_script_or_style(root: Client) -> None:
    make_month()
    body = shown(root).content.decode()
    drawing = ElementTree.fromstring(body[body.index("<svg") : body.index("</svg>") + 6])
    heights = [int(bar.attrib["height"]) for bar in drawing.iter("rect")]
    assert (len(heights), [day for day, height in enumerate(heights, 1) if height]) == (31, [5, 6])
    assert "5 March: 2" in body
    assert InlineCode(body).found == []


def test_csv_has_a_row_for_each_day_and_runs_nothing(root: Client) -> None:
    spend(make_user("alice"), make_model(name='=HYPERLINK("x")', input_price=1))
    response = shown(root, format="csv")
    rows = list(csv.reader(StringIO(response.content.decode())))
    assert rows[1:] == [["2026-03-05", '\'=HYPERLINK("x")', "1", "1000", "500", "0.001"]]
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "usage-2026-03-by-model.csv" in response.headers["Content-Disposition"]


def test_a_longer_month_takes_no_more_queries(root: Client) -> None:
    counts = []
    for times in (1, 6):
        for _ in range(times):
            spend(make_user(), make_model())
        with CaptureQueriesContext(connection) as captured:
            shown(root)
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 5


def test_who_may_not_view_the_ledger_sees_nothing(client: Client, db: None) -> None:
    address = reverse("admin:usage_dashboard")
    assert client.get(address).status_code == 302
    client.force_login(make_user("carol", is_staff=True))
    assert client.get(address).status_code == 403
    client.force_login(make_user("dave", is_staff=True, permissions=("view_usage",)))
    assert client.get(address).status_code == 200


@pytest.mark.parametrize("query", [{"by": "password"}, {"by": "person__password"}, {"month": "9999-99"}, {"by": "\0", "month": "\0"}])
def test_what_is_no_month_and_no_dimension_is_this_month_by_model(root: Client, query: dict[str, str]) -> None:
    page = root.get(reverse("admin:usage_dashboard"), query)
    assert (page.status_code, page.context["by"], page.context["month"].is_now) == (200, "model", True)


def test_hostile_names_stay_text(root: Client) -> None:
    spend(make_user("alice"), make_model(name="<script>alert(1)</script>"))
    assert "<script>alert" not in shown(root).content.decode()


def test_the_ledger_leads_to_it(root: Client) -> None:
    assert reverse("admin:usage_dashboard") in root.get(reverse("admin:conversations_usage_changelist")).content.decode()
