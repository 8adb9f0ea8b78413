"""Where what is imported is kept: in a folder of the person's that is there, and in no other."""

import pytest
from django.contrib.auth.models import User

from conversations.models import Conversation, Role
from conversations.models.folders import FOLDER_MAX_CHARACTERS
from conversations.transfer.drafts import Draft, DraftMessage
from conversations.transfer.keeping import keep_new
from tests.factories import make_folder


def draft(folder: str, key: str = "test:1") -> Draft:
    return Draft(key, "Sea", [DraftMessage(key="1", parent=None, role=Role.USER, text="Why?")], folder=folder)


def kept(owner: User, draft: Draft) -> Conversation:
    assert keep_new(owner, draft)
    return owner.conversations.get(source_key=draft.source_key)


@pytest.mark.parametrize("deleted", [1, 2])
def test_a_deleted_folder_takes_no_import(alice: User, deleted: int) -> None:
    for _ in range(deleted):
        make_folder(alice, name="Sea").soft_delete()
    conversation = kept(alice, draft("Sea"))
    assert conversation.folder == alice.folders.active().get()
    assert alice.folders.trashed().count() == deleted


def test_a_folder_that_is_there_takes_it_and_a_long_name_is_cut(alice: User, bob: User) -> None:
    make_folder(bob, name="Sea")
    folder = make_folder(alice, name="Sea")
    assert kept(alice, draft("Sea")).folder == folder
    long = kept(alice, draft("x" * 300, "test:2")).folder
    assert long is not None
    assert long.name == "x" * FOLDER_MAX_CHARACTERS
