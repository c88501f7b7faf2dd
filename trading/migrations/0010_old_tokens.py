"""Tokens of an earlier kind could be read from their table: it goes."""

from __future__ import annotations

from typing import Any

from django.db import migrations


def forget(apps: Any, editor: Any) -> None:
    editor.execute("DROP TABLE IF EXISTS authtoken_token")
    kinds = apps.get_model("contenttypes", "ContentType").objects.filter(app_label="authtoken")
    apps.get_model("auth", "Permission").objects.filter(content_type__in=kinds).delete()
    kinds.delete()


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0009_api_token"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]
    operations = [migrations.RunPython(forget, migrations.RunPython.noop)]
