import pytest
from django.test import Client

from tests.factories import make_user


@pytest.fixture
def root(client: Client, db: None) -> Client:
    """The browser of a superuser."""
    client.force_login(make_user("root", is_staff=True, is_superuser=True))
    return client
