"""What a model was asked and said, kept as it was: asked once, answered once, settled once."""

import django.db.models.deletion
from django.db import migrations, models

from rebalancing.domain.advice_states import ADVICE_BIRTH, ADVICE_MOVES
from trading.models.laws import (
    freeze_columns,
    guard_states,
    guard_values,
    keep_rows,
    require_birth,
)

INSTALLED = {"rebalancing_advice": "36d9165684777e4a"}
QUESTION = ("run_id", "generation", "model", "request", "look_ms", "created_at")
ANSWER = ("ended_at", "response", "latency_ms", "tokens")
VERDICT = ("items", "reasons", "rules", "settled_at")


def forwards(apps, editor):
    table = "rebalancing_advice"
    guard_states(editor, table, ADVICE_MOVES)
    require_birth(editor, table, ADVICE_BIRTH)
    keep_rows(editor, table)
    freeze_columns(editor, table, QUESTION)
    freeze_columns(editor, table, ("asked_at",), "OLD.asked_at IS NULL", named="asked_frozen")
    freeze_columns(editor, table, ANSWER, "OLD.ended_at IS NULL", named="answer_frozen")
    freeze_columns(editor, table, VERDICT, "OLD.settled_at IS NULL", named="verdict_frozen")
    guard_values(editor, "rebalancing_run", "planner", ("rules", "gemini", "fallback"))
    guard_values(editor, "rebalancing_runschedule", "planner", ("rules", "gemini"))


class Migration(migrations.Migration):
    dependencies = [
        ("rebalancing", "0005_birth_and_words"),
        ("trading", "0005_chain_and_words"),
    ]

    operations = [
        migrations.AlterField(
            model_name="run",
            name="planner",
            field=models.CharField(
                choices=[
                    ("rules", "규칙"),
                    ("gemini", "Gemini 조언"),
                    ("fallback", "규칙 (조언을 쓰지 않음)"),
                ],
                default="rules",
                max_length=10,
                verbose_name="계획한 이",
            ),
        ),
        migrations.AlterField(
            model_name="runschedule",
            name="planner",
            field=models.CharField(
                choices=[("rules", "규칙"), ("gemini", "Gemini 조언")],
                default="rules",
                max_length=10,
                verbose_name="플래너",
            ),
        ),
        migrations.CreateModel(
            name="Advice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("generation", models.PositiveSmallIntegerField(verbose_name="세대")),
                ("state", models.CharField(max_length=10, verbose_name="상태")),
                ("model", models.CharField(blank=True, max_length=100, verbose_name="모델")),
                ("request", models.JSONField(default=dict)),
                ("look_ms", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField(verbose_name="준비")),
                ("asked_at", models.DateTimeField(null=True, verbose_name="요청 시각")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="끝난 시각")),
                ("response", models.TextField(blank=True)),
                ("latency_ms", models.PositiveIntegerField(null=True, verbose_name="걸린 시간 ms")),
                ("tokens", models.JSONField(default=dict)),
                ("items", models.JSONField(default=list)),
                ("reasons", models.JSONField(default=list)),
                ("rules", models.JSONField(default=list)),
                ("settled_at", models.DateTimeField(null=True)),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="advice",
                        to="rebalancing.run",
                        verbose_name="실행",
                    ),
                ),
            ],
            options={
                "verbose_name": "AI 조언",
                "verbose_name_plural": "AI 조언",
                "ordering": ("run", "generation"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("run", "generation"), name="advice_once_per_plan"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "READY",
                                    "NOT_ASKED",
                                    "ASKED",
                                    "ANSWERED",
                                    "REFUSED",
                                    "LATE",
                                    "FAILED",
                                    "LOST",
                                    "FOLLOWED",
                                    "DISCARDED",
                                ],
                            )
                        ),
                        name="advice_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("asked_at__isnull", True), ("state__in", ["READY", "NOT_ASKED"])
                            ),
                            models.Q(
                                models.Q(("state__in", ["READY", "NOT_ASKED"]), _negated=True),
                                ("asked_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="advice_asked_has_time",
                    ),
                ],
            },
        ),
        migrations.RunPython(forwards, migrations.RunPython.noop),
    ]
