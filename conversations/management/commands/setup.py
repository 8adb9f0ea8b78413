"""Prepare a site: the administrator, the demo provider, and the provider that the environment names."""

from typing import Any

from django.core.management.base import BaseCommand

from chatsite import discovery, setup


class Command(BaseCommand):
    help = "Create the account admin, the demo provider and the provider of OPENAI_API_KEY. May be run again at any time."

    def handle(self, *args: Any, **options: Any) -> None:
        setup.ensure_echo()
        if account := setup.ensure_admin():
            self.stdout.write(f"Account {account.name} created" + (f", password {account.password}" if account.password else "."))
        for line in discovery.ensure_openai():
            self.stdout.write(line)
