"""A log out counts for streams that are open already."""

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.test import Client

from conversations.views.events import still_signed_in
from tests.factories import make_user


@pytest.mark.django_db(transaction=True)
async def test_who_logs_out_may_not_go_on_reading() -> None:
    alice: User = await sync_to_async(make_user)("alice")
    browser = Client()
    await sync_to_async(browser.force_login)(alice)
    request = HttpRequest()
    request.session = browser.session
    may_go_on = still_signed_in(request)
    assert await may_go_on()
    await sync_to_async(browser.logout)()
    assert not await may_go_on()
