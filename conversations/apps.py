from django.apps import AppConfig


class ConversationsConfig(AppConfig):
    name = "conversations"

    def ready(self) -> None:
        from django.db.models.signals import post_migrate, pre_migrate

        from .models import search_triggers
        from .tools import registry as registry  # its check of the settings

        pre_migrate.connect(search_triggers.drop, sender=self)
        post_migrate.connect(search_triggers.make, sender=self)
