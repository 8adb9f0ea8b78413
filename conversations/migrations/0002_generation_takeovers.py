from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("conversations", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="generation",
            name="takeovers",
            field=models.PositiveIntegerField(default=0, help_text="How often its owner was lost."),
        ),
        migrations.AlterField(
            model_name="generation",
            name="attempt",
            field=models.PositiveIntegerField(default=0, help_text="How often a provider was to be asked for it."),
        ),
    ]
