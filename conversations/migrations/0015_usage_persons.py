"""Say in each row of the ledger who asked, as far as the conversation is still there that says so."""

from typing import Any

from django.db import migrations
from django.db.models import OuterRef, Subquery


def name_persons(apps: Any, schema_editor: Any) -> None:
    usage, conversation = apps.get_model("conversations", "Usage"), apps.get_model("conversations", "Conversation")
    owner = conversation.objects.filter(messages__generation=OuterRef("generation")).values("owner")[:1]
    usage.objects.filter(person=None, generation__isnull=False).update(person=Subquery(owner))
    titled = conversation.objects.filter(pk=OuterRef("conversation")).values("owner")[:1]
    usage.objects.filter(person=None, conversation__isnull=False).update(person=Subquery(titled))


class Migration(migrations.Migration):
    dependencies = [("conversations", "0014_budgets")]

    operations = [migrations.RunPython(name_persons, migrations.RunPython.noop, elidable=True)]
