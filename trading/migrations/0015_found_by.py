"""What records are looked up by: the subject of an audit row, the broker's number of an order."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("trading", "0014_credential_changes")]

    operations = [
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["object"], name="audit_object"),
        ),
        migrations.AddIndex(
            model_name="brokerorder",
            index=models.Index(fields=["order_no"], name="broker_order_no"),
        ),
    ]
