"""What came of a fire, whose it was, and a person's word on a day of the calendar."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0006_second_factor"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="schedulefire",
            options={
                "ordering": ("-id",),
                "verbose_name": "예약 기록",
                "verbose_name_plural": "예약 기록",
            },
        ),
        migrations.AddField(
            model_name="marketday",
            name="changed_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="변경 시각"),
        ),
        migrations.AddField(
            model_name="marketday",
            name="changed_by",
            field=models.CharField(blank=True, max_length=150, verbose_name="변경"),
        ),
        migrations.AddField(
            model_name="marketday",
            name="override",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "없음"),
                    ("closed", "휴장"),
                    ("open", "개장"),
                    ("normal", "보통 시간 (09:00–15:30)"),
                    ("late_day", "한 시간 늦게 (10:00–16:30)"),
                    ("late_open", "한 시간 늦게 개장 (10:00–15:30)"),
                ],
                default="",
                max_length=9,
                verbose_name="바로잡음",
            ),
        ),
        migrations.AddField(
            model_name="marketday",
            name="reason",
            field=models.CharField(blank=True, max_length=200, verbose_name="이유"),
        ),
        migrations.AddField(
            model_name="schedulefire",
            name="account",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="trading.account",
                verbose_name="계좌",
            ),
        ),
        migrations.AddField(
            model_name="schedulefire",
            name="facts",
            field=models.JSONField(blank=True, default=dict, verbose_name="내용"),
        ),
        migrations.AddField(
            model_name="schedulefire",
            name="outcome",
            field=models.CharField(
                choices=[
                    ("started", "시작함"),
                    ("done", "마침"),
                    ("quiet", "할 일 없음"),
                    ("opened", "리밸런싱 시작"),
                    ("refused", "시작하지 못함"),
                    ("skipped", "놓침"),
                ],
                default="started",
                max_length=8,
                verbose_name="결과",
            ),
        ),
        migrations.AlterField(
            model_name="marketday",
            name="is_open",
            field=models.BooleanField(blank=True, null=True, verbose_name="증권사의 답"),
        ),
        migrations.AlterField(
            model_name="marketday",
            name="read_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="조회 시각"),
        ),
        migrations.AlterField(
            model_name="schedulefire",
            name="fired_at",
            field=models.DateTimeField(verbose_name="실행 시각"),
        ),
        migrations.AlterField(
            model_name="schedulefire",
            name="job",
            field=models.CharField(max_length=60, verbose_name="작업"),
        ),
        migrations.AlterField(
            model_name="schedulefire",
            name="slot",
            field=models.CharField(max_length=40, verbose_name="예약 칸"),
        ),
        migrations.AddConstraint(
            model_name="marketday",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("override__in", ["", "closed", "open", "normal", "late_day", "late_open"])
                ),
                name="market_day_override_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="schedulefire",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("outcome__in", ["started", "done", "quiet", "opened", "refused", "skipped"])
                ),
                name="fire_outcome_known",
            ),
        ),
    ]
