"""Remove for good what has been in the trash for TRASH_DAYS, and temporary conversations that are closed. For cron or a timer."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from conversations.models import trash


class Command(BaseCommand):
    help = f"Remove for good what was deleted more than {settings.TRASH_DAYS} days ago (TRASH_DAYS), in batches. The ledger stays."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        counts = trash.to_purge() if dry_run else trash.purge()
        verb = "Would remove" if dry_run else "Removed"
        self.stdout.write(f"{verb}: " + ", ".join(f"{count} {name}" for name, count in counts.items()) + ".")
