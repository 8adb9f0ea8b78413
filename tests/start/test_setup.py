"""What a start adds to a site, and what it leaves alone."""

from pathlib import Path

import pytest
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType

from chatsite import setup
from chatsite.local_model import LocalModel
from conversations.models import LanguageModel, Provider

pytestmark = pytest.mark.django_db
SMALL = LocalModel(Path("/models/small.gguf"), "small", "Small", is_packaged=True)
LARGE = LocalModel(Path("/models/large.gguf"), "large", "Large")


def serve(model: LocalModel, port: int = 5001) -> None:
    setup.ensure_local(model, f"http://127.0.0.1:{port}/v1", "key", 8192)


def local(model_id: str) -> LanguageModel:
    return LanguageModel.objects.get(provider__slug="local", model_id=model_id)


def test_the_first_start_makes_an_administrator_whose_password_works() -> None:
    account = setup.ensure_admin()
    assert account
    admin = get_user_model()._default_manager.get(username="admin")
    assert admin.check_password(account.password)
    assert admin.is_staff
    assert admin.is_superuser


def test_the_second_start_makes_no_administrator_and_knows_no_password() -> None:
    setup.ensure_admin()
    assert setup.ensure_admin() is None


def test_a_given_password_is_used_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADMIN_PASSWORD", "correct horse")
    assert setup.ensure_admin() == ("admin", "")
    assert get_user_model()._default_manager.get(username="admin").check_password("correct horse")


def test_somebody_called_admin_is_not_made_an_administrator() -> None:
    get_user_model()._default_manager.create_user("admin")  # type: ignore[attr-defined]
    assert setup.ensure_admin() is None
    assert not get_user_model()._default_manager.filter(is_superuser=True).exists()


def test_a_demo_provider_that_staff_switched_off_stays_off() -> None:
    setup.ensure_echo()
    Provider.objects.update(is_enabled=False)
    setup.ensure_echo()
    assert not Provider.objects.get(slug="echo").is_enabled


def test_a_demo_provider_that_staff_deleted_stays_away() -> None:
    setup.ensure_echo()
    LanguageModel.objects.all().delete()
    Provider.objects.all().delete()
    staff = get_user_model()._default_manager.create_user("carol")  # type: ignore[attr-defined]
    provider_type = ContentType.objects.get_for_model(Provider)
    LogEntry.objects.create(user=staff, content_type=provider_type, object_repr="Demo (echo)", action_flag=DELETION)
    setup.ensure_echo()
    assert not Provider.objects.exists()


def test_the_local_model_is_the_default_and_found_where_it_is_served() -> None:
    setup.ensure_echo()
    serve(SMALL, port=5001)
    serve(SMALL, port=5002)
    assert LanguageModel.objects.default() == local("small")
    assert local("small").provider.base_url == "http://127.0.0.1:5002/v1"
    assert LanguageModel.objects.filter(provider__slug="local").count() == 1


def test_another_default_that_staff_chose_stays_the_default() -> None:
    setup.ensure_echo()
    LanguageModel.objects.update(is_default=True)
    serve(SMALL)
    default = LanguageModel.objects.default()
    assert default
    assert default.is_demo


def test_what_staff_changed_in_the_local_model_is_kept() -> None:
    serve(SMALL)
    LanguageModel.objects.update(name="House model", parameters={"temperature": 1}, is_enabled=False)
    serve(SMALL)
    row = local("small")
    assert (row.name, row.parameters, row.is_enabled) == ("House model", {"temperature": 1}, False)


def test_only_the_file_that_is_served_can_be_picked() -> None:
    for model in (SMALL, LARGE, SMALL):
        serve(model)
        assert [row.model_id for row in LanguageModel.objects.available()] == [model.model_id]


def test_a_site_without_a_local_model_does_not_offer_it() -> None:
    serve(SMALL)
    setup.retire_local()
    assert not LanguageModel.objects.available().exists()
