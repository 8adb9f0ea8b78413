"""A closed temporary conversation is stopped and swept away while the site runs; its cost stays."""

import asyncio

import pytest
from django.utils import timezone

from conversations.generation import sweeping
from conversations.models import Conversation, Message, Usage, temporary
from tests.live import PATIENCE, ask, working_supervisor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


async def test_a_temporary_conversation_that_was_left_is_stopped_and_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "SWEEP_SECONDS", 0.05)
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turn, other = await ask("/silent"), await ask("hello /rate 5000")
        left = timezone.now() - temporary.TIME_OUT - temporary.GRACE
        await Conversation.objects.filter(pk=turn.conversation.pk).aupdate(is_temporary=True, updated_at=left)
        while await Conversation.objects.filter(pk=turn.conversation.pk).aexists():
            await asyncio.sleep(0.02)
        assert not await Message.objects.filter(conversation=turn.conversation.pk).aexists()
        assert await Conversation.objects.aget() == other.conversation
    assert await Usage.objects.filter(generation=None).acount() == 1
