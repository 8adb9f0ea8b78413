"""Staff see what is shared and can end it; the link itself is not theirs."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations.models import Share, share
from tests.factories import make_conversation, make_path, make_user

LIST = reverse("admin:conversations_share_changelist")


@pytest.fixture
def link(alice: User) -> Share:
    conversation = make_conversation(alice, title="<b>Sea</b>")
    make_path(conversation, 2)
    return share(conversation, None)


def revoke(browser: Client, *links: Share) -> int:
    return browser.post(LIST, {"action": "revoke", "_selected_action": [link.pk for link in links]}).status_code


def test_the_list_says_who_shares_what_and_not_under_which_link(root: Client, link: Share) -> None:
    for url in (LIST, reverse("admin:conversations_share_change", args=[link.pk])):
        page = root.get(url).content.decode()
        assert "&lt;b&gt;Sea&lt;/b&gt;" in page
        assert "alice" in page
        assert link.token not in page


def test_revoking_ends_the_link_at_once_and_is_in_the_history(root: Client, client: Client, link: Share) -> None:
    url = reverse("shared", args=[link.token])
    assert Client().get(url).status_code == 200
    assert revoke(root, link) == 302
    assert Client().get(url).status_code == 404
    link.refresh_from_db()
    before = link.revoked_at
    assert revoke(root, link) == 302
    link.refresh_from_db()
    assert link.revoked_at == before
    assert LogEntry.objects.count() == 1


def test_who_may_only_look_cannot_revoke(client: Client, link: Share) -> None:
    client.force_login(make_user("carol", is_staff=True, permissions=("view_share",)))
    revoke(client, link)
    assert Share.objects.open().get() == link


def test_the_list_is_filtered_by_what_can_be_read(root: Client, link: Share, alice: User) -> None:
    conversation = make_conversation(alice, title="Mountain")
    make_path(conversation, 2)
    share(conversation, timedelta(days=1))
    Share.objects.filter(title="Mountain").update(expires_at=timezone.now() - timedelta(days=1))
    can_be_read, cannot = (root.get(LIST, {"open": value}).content.decode() for value in (1, 0))
    assert ("Sea&lt;/b&gt;" in can_be_read, "Mountain" in can_be_read) == (True, False)
    assert ("Sea&lt;/b&gt;" in cannot, "Mountain" in cannot) == (False, True)
