"""Kinds of schedules, why a run was opened, and the rows of beat that wake the workers."""
# ruff: noqa: E501

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

from rebalancing.services.wakeups import make_wakeups
from trading.models.laws import guard_values


def forwards(apps, editor):
    make_wakeups(apps)
    guard_values(editor, "rebalancing_run", "trigger_kind", ("drift", "periodic", "cash_flow"))
    # SQLite has made this table anew for the new columns, and its triggers went with the old one
    guard_values(editor, "rebalancing_runschedule", "planner", ("rules", "gemini"))


class Migration(migrations.Migration):
    dependencies = [
        ("rebalancing", "0006_advice"),
        ("trading", "0007_schedule_outcomes"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="runschedule",
            options={
                "ordering": ("account", "at"),
                "verbose_name": "예약",
                "verbose_name_plural": "예약",
            },
        ),
        migrations.AddField(
            model_name="run",
            name="trigger_facts",
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="run",
            name="trigger_kind",
            field=models.CharField(blank=True, max_length=10, null=True, verbose_name="동기"),
        ),
        migrations.AddField(
            model_name="runschedule",
            name="baseline",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="trading.snapshot",
            ),
        ),
        migrations.AddField(
            model_name="runschedule",
            name="catch_up",
            field=models.BooleanField(
                default=False,
                help_text="프로그램이 꺼져 있어 시각을 10분 넘게 지나쳤을 때 15:10 전이면 시작합니다. 정기는 다음 거래일까지 한 번 시작합니다. 끄면 건너뛰고 알립니다.",
                verbose_name="놓치면 늦게라도",
            ),
        ),
        migrations.AddField(
            model_name="runschedule",
            name="edge",
            field=models.CharField(
                choices=[("first", "첫 거래일"), ("last", "마지막 거래일")],
                default="last",
                help_text="정기일 때만 씁니다. 거래소 달력으로 정합니다.",
                max_length=5,
                verbose_name="날",
            ),
        ),
        migrations.AddField(
            model_name="runschedule",
            name="inside_bands",
            field=models.BooleanField(
                default=False,
                help_text="정기일 때만 씁니다. 켜면 편차가 임계값보다 작아도 목표 비중까지 되돌려 비용이 듭니다. 끄면 임계값을 넘은 때에만 거래합니다.",
                verbose_name="임계값 안이어도 목표까지",
            ),
        ),
        migrations.AddField(
            model_name="runschedule",
            name="kind",
            field=models.CharField(
                choices=[
                    ("drift", "편차: 거래일마다"),
                    ("periodic", "정기: 매월 또는 분기"),
                    ("cash_flow", "입출금이 있을 때"),
                ],
                default="drift",
                max_length=10,
                verbose_name="동기",
            ),
        ),
        migrations.AddField(
            model_name="runschedule",
            name="min_flow_won",
            field=models.BigIntegerField(
                default=1000000,
                help_text="입출금일 때만 씁니다. 이보다 적은 돈은 모였다가 함께 나눕니다.",
                validators=[django.core.validators.MinValueValidator(0)],
                verbose_name="최소 입출금액 (원)",
            ),
        ),
        migrations.AddField(
            model_name="runschedule",
            name="period",
            field=models.CharField(
                choices=[("month", "매월"), ("quarter", "분기 (1–3월, 4–6월, 7–9월, 10–12월)")],
                default="month",
                help_text="정기일 때만 씁니다.",
                max_length=7,
                verbose_name="주기",
            ),
        ),
        migrations.AddField(
            model_name="runschedule",
            name="since",
            field=models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="이때부터"
            ),
        ),
        migrations.AlterField(
            model_name="runschedule",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="run_schedules",
                to="trading.account",
                verbose_name="계좌",
            ),
        ),
        migrations.AlterField(
            model_name="runschedule",
            name="at",
            field=models.TimeField(
                help_text="09:00부터 15:10 전까지. 수능일이나 새해 첫 거래일처럼 늦게 여는 날에는 그만큼 늦춥니다.",
                verbose_name="시각 (KST)",
            ),
        ),
        migrations.AddConstraint(
            model_name="runschedule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind__in", ["drift", "periodic", "cash_flow"]),
                    ("period__in", ["month", "quarter"]),
                    ("edge__in", ["first", "last"]),
                ),
                name="schedule_words_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="runschedule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("min_flow_won__gte", 0),
                    models.Q(
                        models.Q(("kind", "cash_flow"), _negated=True),
                        ("min_flow_won__gt", 0),
                        _connector="OR",
                    ),
                ),
                name="schedule_minimum_sane",
            ),
        ),
        migrations.AlterConstraint(
            model_name="runschedule",
            name="one_schedule_per_time",
            constraint=models.UniqueConstraint(
                fields=("account", "at"),
                name="one_schedule_per_time",
                violation_error_message="이 계좌에는 같은 시각의 예약이 이미 있습니다.",
            ),
        ),
        migrations.RunPython(forwards, migrations.RunPython.noop),
    ]
