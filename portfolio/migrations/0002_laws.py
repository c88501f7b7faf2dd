"""A version of weights stays as it was made, and a decision names only versions whose rows are 100 together."""

from django.db import migrations

from trading.models.laws import make_append_only, require_whole

MP, SUB = "portfolio_modelportfolioweight", "portfolio_subportfolioweight"


def forwards(apps, editor):
    for table in (
        MP,
        SUB,
        "portfolio_modelportfolioversion",
        "portfolio_subportfolioversion",
        "ai_strategy_decisions",
    ):
        make_append_only(editor, table)
    require_whole(editor, "ai_strategy_decisions", "model_version_id", MP)
    require_whole(editor, "ai_strategy_decisions_sub_versions", "subportfolioversion_id", SUB)


class Migration(migrations.Migration):
    dependencies = [("portfolio", "0001_initial"), ("trading", "0004_more_laws")]
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
