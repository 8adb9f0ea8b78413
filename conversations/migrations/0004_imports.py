import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

# Written out: SQLite would copy the whole table for it, and lose the triggers on it. Both databases add a column with a constant at once.
ADD_MODEL_NAME = "ALTER TABLE conversations_message ADD COLUMN model_name varchar(200) DEFAULT '' NOT NULL"
DROP_MODEL_NAME = "ALTER TABLE conversations_message DROP COLUMN model_name"


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0003_whole_product"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(ADD_MODEL_NAME, DROP_MODEL_NAME)],
            state_operations=[
                migrations.AddField(
                    model_name="message",
                    name="model_name",
                    field=models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Who wrote it, where no generation says so: it was imported.",
                        max_length=200,
                    ),
                ),
                # Python's business alone: what is imported keeps its moment.
                migrations.AlterField(
                    model_name="conversation", name="created_at", field=models.DateTimeField(default=django.utils.timezone.now)
                ),
                migrations.AlterField(
                    model_name="message", name="created_at", field=models.DateTimeField(default=django.utils.timezone.now)
                ),
            ],
        ),
        migrations.CreateModel(
            name="Import",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("file_name", models.CharField(help_text="As the person's device named it.", max_length=200)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("complete", "Complete"),
                            ("failed", "Failed"),
                            ("stopped", "Stopped"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("worker", models.CharField(blank=True, help_text="Who works at it.", max_length=40)),
                ("heard_at", models.DateTimeField(default=django.utils.timezone.now, help_text="When its worker last said so.")),
                ("size", models.PositiveBigIntegerField(default=0, help_text="Bytes to read, unpacked.")),
                ("position", models.PositiveBigIntegerField(default=0, help_text="Bytes read.")),
                ("added", models.PositiveIntegerField(default=0, help_text="Conversations that are new.")),
                ("known", models.PositiveIntegerField(default=0, help_text="Conversations that were here already.")),
                ("refused", models.PositiveIntegerField(default=0, help_text="Conversations that could not be read.")),
                ("problems", models.JSONField(default=list, help_text="What was wrong with those, and where they stand in the file.")),
                ("error", models.TextField(blank=True, help_text="Why the file as a whole could not be read on.")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "owner",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="imports", to=settings.AUTH_USER_MODEL),
                ),
            ],
            options={"ordering": ["-pk"]},
        ),
    ]
