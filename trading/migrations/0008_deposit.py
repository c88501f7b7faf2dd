"""The D+2 deposit as the broker tells it, beside the cash that may be planned with."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("trading", "0007_schedule_outcomes")]
    operations = [
        migrations.AddField(
            model_name="snapshot", name="deposit", field=models.BigIntegerField(null=True)
        )
    ]
