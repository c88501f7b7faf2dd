"""What proves the rest: audit chain, transitions, snapshots, switches, alerts, process epochs."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from trading.models.account import Account
from trading.models.fields import EncryptedTextField
from trading.models.row import Row

__all__ = [
    "Alert",
    "AuditEntry",
    "KisToken",
    "ProcessEpoch",
    "ReconciledEpoch",
    "ScheduleFire",
    "Snapshot",
    "ReleaseRequest",
    "Switch",
    "Transition",
]


class AuditEntry(Row):
    """One link of the audit chain: HMAC over the previous hash and this row. Never changed."""

    seq = models.BigIntegerField(primary_key=True)
    at = models.CharField(max_length=40)
    actor = models.CharField(max_length=150)
    action = models.CharField(max_length=60)
    object = models.CharField(max_length=80)
    payload = models.TextField()
    payload_hash = models.CharField(max_length=64)
    prev_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64, unique=True)
    key_id = models.CharField(max_length=16)

    class Meta:
        verbose_name = _("감사 기록")
        verbose_name_plural = _("감사 기록")
        ordering = ("-seq",)
        indexes = [models.Index(fields=["object"], name="audit_object")]


class AuditHead(Row):
    """The one row that serialises writers, so that the chain never forks."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    seq = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="audit_head_single")]


class Transition(Row):
    """Every change of state, written in the transaction of the change. `at` is the market's time of it,
    `recorded_at` the wall's, by which it is ordered among what has no other; null in rows older than the
    column."""

    object_type = models.CharField(max_length=8)
    object_id = models.BigIntegerField()
    from_state = models.CharField(max_length=24)
    to_state = models.CharField(max_length=24)
    at = models.DateTimeField()
    by = models.CharField(max_length=150)
    reason = models.CharField(max_length=300, blank=True)
    recorded_at = models.DateTimeField(null=True, default=timezone.now)

    class Meta:
        verbose_name = _("상태 변화")
        verbose_name_plural = _("상태 변화")
        ordering = ("id",)
        indexes = [
            models.Index(fields=["object_type", "object_id"]),
            models.Index(fields=["object_type", "-id"], name="transition_newest_of_type"),
        ]


class Snapshot(Row):
    """The broker's answers about one account at one time, raw and as read. `deposit` is the D+2 deposit, of
    which `cash` may be planned with; null in rows older than the column."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="snapshots")
    taken_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    equity = models.BigIntegerField()
    cash = models.BigIntegerField()
    deposit = models.BigIntegerField(null=True)
    holdings = models.JSONField()
    quotes = models.JSONField()
    raw = EncryptedTextField()
    raw_hash = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("잔고 스냅샷")
        verbose_name_plural = _("잔고 스냅샷")
        ordering = ("-id",)
        indexes = [models.Index(fields=["account", "-id"])]


class Switch(Row):
    """The kill switch's history; the newest row of a scope rules."""

    class State(models.TextChoices):
        ACTIVE = "ACTIVE", _("거래 가능")
        REDUCING = "REDUCING", _("축소만")
        HALTED = "HALTED", _("정지")

    scope = models.CharField(max_length=40)
    state = models.CharField(max_length=8, choices=State)
    by = models.CharField(max_length=150)
    second = models.CharField(max_length=150, blank=True)
    reason = models.CharField(max_length=300)
    policy = models.CharField(max_length=16, blank=True)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("거래 스위치")
        verbose_name_plural = _("거래 스위치")
        ordering = ("-id",)
        indexes = [models.Index(fields=["scope", "-id"])]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["ACTIVE", "REDUCING", "HALTED"]), name="switch_state_known"
            )
        ]


class ReleaseRequest(Row):
    """One person asks for trading to go on; a second one agrees within the half hour, or it lapses."""

    class Outcome(models.TextChoices):
        OPEN = "", _("동의를 기다림")
        AGREED = "agreed", _("동의함")
        WITHDRAWN = "withdrawn", _("거두어들임")
        EXPIRED = "expired", _("기한 지남")

    scope = models.CharField(max_length=40)
    by = models.CharField(max_length=150)
    reason = models.CharField(max_length=300)
    at = models.DateTimeField()
    expires_at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    second = models.CharField(max_length=150, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    switch_id = models.BigIntegerField(null=True, blank=True)
    """The newest row of the scope when it was asked: another stop since is another thing to release."""

    class Meta:
        verbose_name = _("해제 요청")
        verbose_name_plural = _("해제 요청")
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=["scope"], condition=Q(outcome=""), name="release_one_open_per_scope"
            ),
            models.CheckConstraint(
                condition=~Q(outcome="agreed") | ~Q(second=models.F("by")) & ~Q(second=""),
                name="release_agreed_by_another",
            ),
        ]


class Alert(Row):
    """Something a person must see; delivered by whoever is listening, acknowledged by name."""

    class Severity(models.TextChoices):
        INFO = "info", _("알림")
        WARNING = "warning", _("주의")
        PAGE = "page", _("호출")

    severity = models.CharField(max_length=8, choices=Severity)
    code = models.CharField(max_length=40)
    facts = models.JSONField(default=dict)
    subject = models.CharField(max_length=200)
    account = models.ForeignKey(Account, models.PROTECT, null=True, related_name="alerts")
    intent_id = models.BigIntegerField(null=True)
    run_id = models.BigIntegerField(null=True)
    order_no = models.CharField(max_length=10, blank=True)
    created_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=150, blank=True)
    acknowledged_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("알림")
        verbose_name_plural = _("알림")
        ordering = ("-id",)


class ProcessEpoch(Row):
    """One life of one process. Its end proves that nothing it began is still being sent."""

    host = models.CharField(max_length=120)
    pid = models.PositiveIntegerField()
    role = models.CharField(max_length=20)
    build_id = models.CharField(max_length=40)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)


class ReconciledEpoch(Row):
    """This process has read the account's whole order list: only then may it send."""

    epoch = models.ForeignKey(ProcessEpoch, models.CASCADE)
    account = models.ForeignKey(Account, models.CASCADE)
    trade_date = models.DateField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["epoch", "account", "trade_date"], name="reconciled_once_per_day"
            )
        ]


class KisToken(Row):
    """The access token of one key at one host, shared by every process and encrypted at rest.

    `issuing_until` is a lease: whoever moves it forward issues, everyone else waits and reads.
    """

    key_digest = models.CharField(max_length=64)
    host = models.CharField(max_length=120)
    token = EncryptedTextField(blank=True)
    issued_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    last_attempt_at = models.DateTimeField(null=True)
    issuing_until = models.DateTimeField(null=True)
    failures = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key_digest", "host"], name="token_once_per_key")
        ]


class ScheduleFire(Row):
    """One fire per job and slot, whatever the number of schedulers, and what came of it."""

    class Outcome(models.TextChoices):
        STARTED = "started", _("시작함")
        DONE = "done", _("마침")
        QUIET = "quiet", _("할 일 없음")
        OPENED = "opened", _("리밸런싱 시작")
        REFUSED = "refused", _("시작하지 못함")
        SKIPPED = "skipped", _("놓침")

    job = models.CharField(_("작업"), max_length=60)
    slot = models.CharField(_("예약 칸"), max_length=40)
    fired_at = models.DateTimeField(_("실행 시각"))
    task_id = models.CharField(max_length=64, blank=True)
    account = models.ForeignKey(
        Account, models.PROTECT, null=True, blank=True, verbose_name=_("계좌"), related_name="+"
    )
    outcome = models.CharField(_("결과"), max_length=8, choices=Outcome, default=Outcome.STARTED)
    facts = models.JSONField(_("내용"), default=dict, blank=True)

    class Meta:
        verbose_name = _("예약 기록")
        verbose_name_plural = _("예약 기록")
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=["job", "slot"], name="slot_fires_once"),
            models.CheckConstraint(
                condition=Q(
                    outcome__in=["started", "done", "quiet", "opened", "refused", "skipped"]
                ),
                name="fire_outcome_known",
            ),
        ]
