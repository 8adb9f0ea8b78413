"""The prices of each model as a row that begins now, and in the ledger which attempts had a price. The columns go in 0013."""

from typing import Any
from urllib.parse import urlsplit

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models
from django.utils import timezone

KINDS = ("input_price", "cached_input_price", "output_price")
HOUSE = {"localhost", "127.0.0.1", "::1", "host.docker.internal"}


def has_price(row: Any) -> bool:
    return any(getattr(row, kind) for kind in KINDS)


def is_in_house(provider: Any) -> bool:
    host = urlsplit(provider.base_url).hostname or ""
    private = host.startswith(("10.", "192.168.")) or host.endswith((".local", ".lan")) or "." not in host
    return provider.protocol == "echo" or host in HOUSE or private


def date_prices(apps: Any, schema_editor: Any) -> None:
    Price, LanguageModel, Usage = (apps.get_model("conversations", name) for name in ("Price", "LanguageModel", "Usage"))
    now = timezone.now().replace(microsecond=0)
    for model in filter(has_price, LanguageModel.objects.all()):
        prices = {kind: getattr(model, kind) for kind in KINDS}
        Price.objects.create(model=model, valid_from=now, source="by hand", **prices)
    for kind in KINDS:
        Usage.objects.filter(**{f"{kind}__gt": 0}).update(is_priced=True)
    house = [provider.pk for provider in apps.get_model("conversations", "Provider").objects.all() if is_in_house(provider)]
    Usage.objects.filter(model__provider__in=house).update(is_priced=True)


def undate_prices(apps: Any, schema_editor: Any) -> None:
    for price in apps.get_model("conversations", "Price").objects.filter(valid_from__lte=timezone.now()).order_by("valid_from"):
        model = price.model
        model.input_price, model.output_price = price.input_price, price.output_price
        model.cached_input_price = price.input_price if price.cached_input_price is None else price.cached_input_price
        model.save(update_fields=KINDS)


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0011_more_protocols"),
    ]

    operations = [
        migrations.AddField(
            model_name="usage",
            name="cache_write_price",
            field=models.DecimalField(db_default=0, decimal_places=6, default=0, max_digits=12),
        ),
        migrations.AddField(
            model_name="usage",
            name="cache_write_tokens",
            field=models.PositiveIntegerField(db_default=0, default=0, help_text="The part that was written into a cache."),
        ),
        migrations.AddField(
            model_name="usage",
            name="is_priced",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Off: its price was not known; it counts as none.", verbose_name="priced"
            ),
        ),
        migrations.AlterField(
            model_name="usage",
            name="cost",
            field=models.DecimalField(decimal_places=12, help_text="US dollars.", max_digits=22),
        ),
        migrations.CreateModel(
            name="Price",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("valid_from", models.DateTimeField(blank=True, help_text="Empty: from now on.", verbose_name="in effect from")),
                (
                    "input_price",
                    models.DecimalField(
                        decimal_places=6, max_digits=12, validators=[django.core.validators.MinValueValidator(0)], verbose_name="input"
                    ),
                ),
                (
                    "cached_input_price",
                    models.DecimalField(
                        blank=True,
                        decimal_places=6,
                        help_text="Read from a cache. Empty: as other input.",
                        max_digits=12,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="cached input",
                    ),
                ),
                (
                    "cache_write_price",
                    models.DecimalField(
                        blank=True,
                        decimal_places=6,
                        help_text="Written into a cache. Empty: as other input.",
                        max_digits=12,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="cache write",
                    ),
                ),
                (
                    "output_price",
                    models.DecimalField(
                        decimal_places=6, max_digits=12, validators=[django.core.validators.MinValueValidator(0)], verbose_name="output"
                    ),
                ),
                ("source", models.CharField(default="by hand", editable=False, max_length=100)),
                (
                    "model",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="prices", to="conversations.languagemodel"),
                ),
            ],
            options={
                "ordering": ["-valid_from"],
                "constraints": [models.UniqueConstraint(fields=("model", "valid_from"), name="one_price_at_a_time")],
            },
        ),
        migrations.RunPython(date_prices, undate_prices),
    ]
