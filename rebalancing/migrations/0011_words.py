"""The settings are called in one language; nothing in the database changes."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("rebalancing", "0010_one_key_one_run")]

    operations = [
        migrations.AlterModelOptions(
            name="rebalancingconfig",
            options={
                "ordering": ("-id",),
                "verbose_name": "리밸런싱 설정",
                "verbose_name_plural": "리밸런싱 설정",
            },
        )
    ]
