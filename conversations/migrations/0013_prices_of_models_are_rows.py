from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0012_dated_prices"),
    ]

    operations = [
        migrations.RemoveField(
            model_name="languagemodel",
            name="cached_input_price",
        ),
        migrations.RemoveField(
            model_name="languagemodel",
            name="input_price",
        ),
        migrations.RemoveField(
            model_name="languagemodel",
            name="output_price",
        ),
    ]
