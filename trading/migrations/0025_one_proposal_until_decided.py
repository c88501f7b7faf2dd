from django.db import migrations, models
from django.db.models import Q


def close_forgotten(apps, _editor):
    """One that was being decided when its program died, and whose place another has taken since."""
    proposals = apps.get_model("trading", "Proposal").objects.all()
    taken = list(proposals.filter(outcome="").values_list("subject", flat=True))
    proposals.filter(outcome="deciding", subject__in=taken).update(outcome="replaced")


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0024_open_orders_and_promises"),
    ]

    operations = [
        migrations.RunPython(close_forgotten, migrations.RunPython.noop),
        migrations.RemoveConstraint(
            model_name="proposal",
            name="proposal_one_open_per_subject",
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.UniqueConstraint(
                condition=Q(outcome__in=["", "deciding"]),
                fields=("subject",),
                name="proposal_one_open_per_subject",
            ),
        ),
    ]
