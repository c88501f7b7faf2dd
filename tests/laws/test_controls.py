"""Every law has a history that it must flag and one that it must pass; one flaw, and only its law speaks."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from rebalancing.domain.laws import LAWS, PAIRS, judge
from rebalancing.domain.laws.record import i23
from tests.laws.good import ACCOUNT, KEY, at, case_of, good, key, seal

pytestmark = pytest.mark.once
Row = dict[str, Any]


class Story:
    """A good history to be spoiled: `one` finds a row by what it says, `again` copies one with a difference."""

    def __init__(self) -> None:
        self.evidence, self.journal, self.truth = good()

    def one(self, kind: str, **says: Any) -> Row:
        rows = [*self.evidence, *self.journal]
        found = [
            row
            for row in rows
            if kind in (row.get("view"), row.get("kind"))
            and all(row.get(name) == value for name, value in says.items())
        ]
        return found[0]

    def again(self, kind: str, says: Row, **other: Any) -> Row:
        """A copy of a row that is otherwise in some ways, after it."""
        model = self.one(kind, **says)
        rows = self.evidence if model in self.evidence else self.journal
        copy = deepcopy(model) | other
        rows.append(copy)
        return copy

    def moved(self, attempt: int, *states: tuple[str, str, float]) -> None:
        """An attempt went these ways (to, from, second) and stands where the last one led."""
        mine = {"view": "transition", "object_type": "attempt", "object_id": attempt}
        self.evidence = [
            row for row in self.evidence if not (mine.items() <= row.items() and row["from"])
        ]
        last = 1_000
        for before, after, second in states:
            last += 1
            self.evidence.append(
                mine | {"from": before, "to": after, "at": at(second), "seq": last}
            )
        self.one("attempt", id=attempt)["state"] = states[-1][1]

    @property
    def broken(self) -> set[str]:
        found = judge(case_of(self.evidence, self.journal, self.truth))
        return {one.law for finding in found.values() for one in finding.violations}


def told(story: Story, intent: int) -> None:
    story.evidence.append(
        {"view": "alert", "id": 1, "severity": "page", "subject": f"intent {intent}", "created": at(9),
         "delivered_at": [at(9)], "acked_by": None, "intent_id": intent, "run_id": None, "odno": None}
    )  # fmt: skip


def sent_twice(story: Story) -> None:
    story.again("http_req", {"nonce": "nonce2"}, seq=99)


def accepted_twice(story: Story) -> None:
    second = {"id": 3, "nonce": "nonce3", "n": 2, "odno_key": None, "state": "ACKED"}
    story.again("attempt", {"id": 1}, **second)
    story.again("http_req", {"nonce": "nonce1"}, nonce="nonce3", seq=98)
    story.again("accepted", {"req_seq": 4}, odno="0000000009", req_seq=98, seq=99)


def unpromised(story: Story) -> None:
    story.again("http_req", {"nonce": "nonce1"}, nonce="stranger", seq=99)


def other_build(story: Story, answered: float) -> None:
    """The second order is of another build, and the first one's answer was there at that second."""
    story.one("attempt", id=2).update(build_id="b2")
    story.moved(1, ("SENDING", "ACKED", answered))


def two_open(story: Story) -> None:
    story.again("attempt", {"id": 1}, id=3, nonce="nonce3")
    move = {"object_type": "attempt", "object_id": 1, "to": "ACKED"}
    story.again("transition", move, object_id=3, **{"from": "", "to": "SENDING"}, seq=2_000)


def absent(story: Story) -> None:
    """A person declared an order absent that the broker never took; three looks, late enough, and a page."""
    story.moved(1, ("SENDING", "UNKNOWN", 3), ("UNKNOWN", "ABSENT", 40))
    story.one("attempt", id=1)["odno_key"] = None
    story.evidence = [r for r in story.evidence if r.get("odno_key") != key("0000000001")]
    story.journal = [r for r in story.journal if r.get("odno") != "0000000001"]
    story.evidence.append(
        {"view": "decision", "id": 1, "intent_id": 1, "attempt_id": 1, "verdict": "absent", "by": "kim",
         "at": at(40), "odno": None}
    )  # fmt: skip
    for number in range(3):
        story.evidence.append(
            {"view": "enumeration", "id": number, "account": ACCOUNT, "trade_date": "2026-11-20",
             "scope": "ALL", "pages": 1, "complete": True, "rows_hash": "", "ended": at(59),
             "started": f"2026-11-20T10:05:{number:02d}+09:00"}
        )  # fmt: skip
    told(story, 1)


def test_nothing_is_wrong_with_the_good_history_and_every_law_looks_at_it() -> None:
    story = Story()
    found = judge(case_of(story.evidence, story.journal, story.truth))
    assert not [one for finding in found.values() for one in finding.violations]
    idle = {name for name, finding in found.items() if not finding.examined}
    assert idle == {"I2", "I4"}, "nothing was refused and nothing unknown"


FLAWS: list[tuple[str, str, Callable[[Story], object]]] = [
    ("I1a", "accepted twice", accepted_twice),
    ("I1b", "sent twice", sent_twice),
    ("I1c", "no record", unpromised),
    ("I1c", "another body", lambda s: s.one("http_req", nonce="nonce1").update(body_hash="x")),
    ("I1c", "late record", lambda s: s.one("attempt", id=1).update(committed_at=at(2.2))),
    ("I1d", "two at once", two_open),
    ("I1e", "more than planned", lambda s: s.one("run")["legs"][0].update(qty=9, filled=9)),
    ("I2", "rejected, yet there", lambda s: s.moved(1, ("SENDING", "REJECTED", 3))),
    ("I2", "not sent, yet there", lambda s: s.moved(1, ("SENDING", "NOT_SENT", 3))),
    ("I3", "booked less", lambda s: s.one("ledger", id=1).update(d_qty=9)),
    ("I3", "booked another amount", lambda s: s.one("ledger", id=1).update(d_amt=9_999)),
    ("I3", "a step missing", lambda s: s.one("ledger", id=1).update(cum_before=1)),
    ("I3", "parts", lambda s: s.one("border", owner_intent=1).update(rmn_qty=3)),
    ("I3", "not the truth", lambda s: s.truth["orders"][0].update(filled=9)),
    ("I5", "two owners", lambda s: s.one("attempt", id=2).update(odno_key=key("0000000001"))),
    ("I5", "a stranger's", lambda s: s.one("accepted", odno="0000000001").update(req_seq=None)),
    ("I6", "another position", lambda s: s.one("position").update(qty=6)),
    ("I6", "an order unseen", lambda s: s.truth["orders"].append(
        s.truth["orders"][0] | {"odno": "0000000007"})),
    ("I7", "cancelled and filled", lambda s: s.journal.append(
        {"kind": "cancel", "odno": "0000000001", "qty": 1, "vt": at(8), "seq": 99})),
    ("I8", "a float", lambda s: s.one("ledger", id=1).update(fee=1.0)),
    ("I8", "a won lost", lambda s: s.one("cash", d2_cash=4_998).update(d2_cash=4_997)),
    ("I9", "no check", lambda s: s.one("rulecheck", id=1).update(attempt_id=None)),
    ("I9", "refused", lambda s: s.one("rulecheck", id=1).update(verdict="FAIL")),
    ("I9", "a rule failed", lambda s: s.one("rulecheck", id=1)["results"][0].update(passed=False)),
    ("I9", "a rule not asked", lambda s: s.one("rulecheck", id=1)["results"].pop()),
    ("I9", "too early", lambda s: s.one("rulecheck", id=2).update(at=at(3.9))),
    ("I9", "afterwards", lambda s: s.one("rulecheck", id=2).update(at=at(6.01))),
    ("I10a", "no cash", lambda s: s.one("cash", d2_cash=9_999).update(cash=-1)),
    ("I10b", "too much", lambda s: s.one("reservation", intent_id=2).update(krw=9_991)),
    ("I10b", "blind", lambda s: s.one("http_resp", req_seq=9).update(status=500)),
    ("I10c", "let go", lambda s: s.one("intent", id=2).update(state="ACKED")),
    ("I10c", "kept", lambda s: s.one("reservation", intent_id=1).update(closed=None)),
    ("I10d", "a sale open", lambda s: s.one("fill", odno="0000000001").update(qty=9)),
    ("I10d", "unseen proceeds", lambda s: s.one("fill", odno="0000000001").update(vt=at(5.5))),
    ("I11", "another plan", lambda s: s.one("intent", id=2).update(plan_hash="q" * 64)),
    ("I11", "denied", lambda s: s.one("approval").update(verdict="DENY")),
    ("I11", "too late", lambda s: s.one("approval").update(expires_at=at(0.5))),
    ("I11", "afterwards", lambda s: s.one("approval").update(decided_at=at(3))),
    ("I11", "alone", lambda s: s.one("approval").update(approver="kim")),
    ("I11", "no code", lambda s: s.one("approval").update(auth_level="password")),
    ("I11", "twice", lambda s: s.again("approval", {"id": 1}, id=2)),
    ("I11", "after the end", lambda s: s.one("run").update(deadline_at=at(5))),
    ("I12", "halted", lambda s: s.again("switch", {"id": 1}, id=2, seq=1.5, state="HALTED")),
    ("I12", "buys halted", lambda s: s.again("switch", {"id": 1}, id=2, seq=1.5, state="REDUCING")),
    ("I12", "its account halted", lambda s: s.again(
        "switch", {"id": 1}, id=2, seq=1.5, state="HALTED", scope=f"account:{ACCOUNT}")),
    ("I12", "released alone", lambda s: s.one("switch").update(by2="")),
    ("I14", "stands still", lambda s: _ends(s, "SELL_WAIT")),
    ("I14", "nobody called", lambda s: _ends(s, "PAUSED_UNKNOWN")),
    ("I14", "unknown, untold", lambda s: s.moved(
        1, ("SENDING", "UNKNOWN", 3), ("UNKNOWN", "ACKED", 3)) or s.one(
        "transition", to="ACKED", object_type="attempt", object_id=1).update(
        at="2026-11-20T10:03:00+09:00")),
    ("I15", "nineteen a second", lambda s: s.journal.extend(
        {"kind": "http_req", "path": "/x", "account": ACCOUNT, "nonce": None, "body_hash": "",
         "method": "GET", "vt": at(20 + n / 100), "seq": 100 + n} for n in range(19))),
    ("I16", "twice a minute", lambda s: s.again("token_issue", {}, vt=at(30), seq=99)),
    ("I17", "real money", lambda s: s.one("intent", id=1).update(env="real")),
    ("I18", "not complete", lambda s: s.one("run")["legs"][0].update(filled=9)),
    ("I18", "no shortfall", lambda s: _ends(s, "COMPLETED_WITH_SHORTFALL")),
    ("I19", "fired twice", lambda s: s.again("schedfire", {})),
    ("I19", "ran twice", lambda s: s.again("run", {"id": 1}, id=2, legs=[], netted=[])),
    ("I20", "two builds at once", lambda s: other_build(s, answered=8)),
    ("I20", "back and forth", lambda s: other_build(s, answered=3) or s.again(
        "attempt", {"id": 1}, id=3, nonce="nonce3", committed_at=at(9))),
    ("I21", "another leg", lambda s: s.one("run")["netted"][1].update(qty=4)),
    ("I21", "another ticker", lambda s: s.one("intent", id=2).update(ticker="005930")),
    ("I22", "no wish", lambda s: s.one("attempt", id=2).update(intent_id=77)),
    ("I22", "no audit", lambda s: s.one("audit", seq=1).update(action="looked") or seal(s.evidence)),
    ("I23", "a gap", lambda s: s.one("audit", seq=2).update(seq=3) or seal(s.evidence)),
    ("I23", "a link", lambda s: s.one("audit", seq=2).update(prev_hash="x")),
    ("I24", "out of order", lambda s: s.one("transition", to="SELL_WAIT").update(to="BUYING")),
    ("I24", "from the end", lambda s: s.evidence.append(
        {"view": "transition", "object_type": "run", "object_id": 1, "from": "COMPLETED",
         "to": "BUYING", "at": at(9), "seq": 999})),
    ("I24", "unmoved", lambda s: s.one("intent", id=1).update(state="CANCELED")),
]  # fmt: skip


def _ends(story: Story, state: str) -> None:
    story.one("run").update(state=state)
    story.one("transition", object_type="run", to="COMPLETED").update(to=state)


@pytest.mark.parametrize(
    ("law", "spoil"),
    [(law, spoil) for law, _name, spoil in FLAWS],
    ids=[f"{law} {name}" for law, name, _spoil in FLAWS],
)
def test_a_flaw_is_found_by_its_law(law: str, spoil: Callable[[Story], object]) -> None:
    story = Story()
    assert not story.broken
    spoil(story)
    assert law in story.broken


def test_another_build_may_follow_when_every_order_of_the_first_has_its_answer() -> None:
    story = Story()
    other_build(story, answered=3)
    assert "I20" not in story.broken


@pytest.mark.parametrize("name", sorted(LAWS))
def test_every_law_has_a_flaw_that_it_finds(name: str) -> None:
    at_hand = {law for law, _name, _spoil in FLAWS} | {"I4"}
    assert any(law == name or law[:-1] == name for law in at_hand), name


@pytest.mark.parametrize(
    ("looks", "paged", "late", "broken"),
    [(3, True, True, False), (2, True, True, True), (3, True, False, True)],
)
def test_an_absence_needs_three_complete_looks_late_enough_and_a_person(
    looks: int, paged: bool, late: bool, broken: bool
) -> None:
    story = Story()
    absent(story)
    kept = [row for row in story.evidence if row["view"] == "enumeration"][looks:]
    story.evidence = [row for row in story.evidence if row not in kept]
    if not late:
        for row in story.evidence:
            if row["view"] == "enumeration":
                row["started"] = at(59)
    assert ("I2" in story.broken) is broken
    story.evidence = [row for row in story.evidence if row["view"] != "decision"]
    assert "I2" in story.broken, "and without a person it never is one"


def test_looks_at_one_venue_are_whole_where_the_broker_has_no_other() -> None:
    story = Story()
    absent(story)
    looks = [row for row in story.evidence if row["view"] == "enumeration"]
    for row in looks:
        row["scope"] = "KRX"
    assert "I2" not in story.broken
    story.evidence.append(looks[0] | {"id": 9, "scope": "ALL", "started": at(1)})
    assert "I2" in story.broken, "it was asked for all of them before"


def test_an_absence_that_was_wrong_is_flagged_unless_a_person_declared_it_and_was_called() -> None:
    story = Story()
    absent(story)
    story.journal = good()[1]
    assert "I2" not in story.broken
    story.evidence = [row for row in story.evidence if row["view"] != "alert"]
    assert "I2" in story.broken


def unknown(story: Story) -> None:
    story.moved(1, ("SENDING", "UNKNOWN", 3), ("UNKNOWN", "ACKED", 5))


def test_what_was_unknown_and_is_adopted_passes() -> None:
    story = Story()
    unknown(story)
    assert not story.broken


def test_what_is_sent_while_the_first_is_unknown_is_flagged() -> None:
    story = Story()
    unknown(story)
    story.again("attempt", {"id": 1}, id=3, nonce="nonce3", odno_key=None, committed_at=at(3.5))
    story.again("http_req", {"nonce": "nonce1"}, nonce="nonce3", vt=at(4), seq=99)
    assert "I4" in story.broken


def test_what_is_known_again_without_an_order_is_flagged() -> None:
    story = Story()
    unknown(story)
    story.one("border", owner_intent=1)["owner_intent"] = None
    assert "I4" in story.broken
    story.evidence.append({"view": "decision", "intent_id": 1, "verdict": "adopt"})
    assert "I4" not in story.broken


def test_a_new_order_beside_a_cancel_of_unknown_fate_is_flagged() -> None:
    story = Story()
    story.again("intent", {"id": 2}, id=3, action="cancel")
    story.again("attempt", {"id": 2}, id=3, intent_id=3, action="cancel", nonce="n3", odno_key=None)
    story.evidence += [
        {"view": "transition", "object_type": "attempt", "object_id": 3, "from": before, "to": after,
         "at": at(second), "seq": 3_000 + second}
        for before, after, second in (("", "SENDING", 4), ("SENDING", "UNKNOWN", 5), ("UNKNOWN", "ACKED", 7))
    ]  # fmt: skip
    assert "I7" in story.broken
    for row in story.evidence:
        if row.get("to") == "ACKED" and row.get("object_id") == 3:
            row["at"] = at(5.5)
    assert "I7" not in story.broken


def test_a_page_lets_a_run_wait_for_a_person_until_it_is_taken_for_read() -> None:
    story = Story()
    _ends(story, "PAUSED_UNKNOWN")
    told(story, 1)
    alert = story.one("alert")
    alert["run_id"] = 1
    assert "I14" not in story.broken
    alert["acked_by"] = "kim"
    assert "I14" in story.broken


def test_a_claim_is_never_more_than_was_booked() -> None:
    story = Story()
    told(story, 1)
    story.one("alert").update(claimed_qty=10, odno="0000000001")
    assert "I18" not in story.broken
    story.one("alert").update(claimed_qty=11)
    assert "I18" in story.broken


def test_a_leg_that_was_shrunk_to_the_cash_is_complete_with_less() -> None:
    story = Story()
    story.one("run")["legs"][1].update(qty=6, resized=5)
    story.one("run")["netted"][1].update(qty=6)
    assert not story.broken


@pytest.mark.parametrize(
    ("kind", "says", "value"),
    [("audit", {"seq": 1}, {"actor": "nobody"}), ("audit", {"seq": 1}, {"hash": "0" * 64})],
)
def test_a_row_of_the_audit_that_was_changed_is_seen_with_the_key(
    kind: str, says: Row, value: Row
) -> None:
    story = Story()
    whole = case_of(story.evidence, story.journal, story.truth)
    assert not i23(whole, KEY).violations and i23(whole, b"another").violations
    story.one(kind, **says).update(value)
    assert i23(case_of(story.evidence, None, None), KEY).violations


def test_faults_that_break_the_record_on_purpose_are_not_held_against_it() -> None:
    story = Story()
    unpromised(story)
    story.one("audit", seq=2)["prev_hash"] = "x"
    assert {"I1c", "I22", "I23"} <= story.broken
    story.journal += [{"kind": "fault_fired", "fault": name, "seq": 200} for name in ("G22", "L02")]
    assert not story.broken & {"I1c", "I22", "I23"}


def test_two_histories_end_alike_or_somebody_was_called() -> None:
    story, twin = Story(), Story()
    cases = [case_of(s.evidence, s.journal, s.truth) for s in (story, twin)]
    assert not PAIRS["I25"](*cases).violations
    story.truth["positions"][ACCOUNT]["114260"] = 4
    assert PAIRS["I25"](case_of(story.evidence, None, story.truth), cases[1]).violations
    story.one("run")["state"] = "PAUSED_UNKNOWN"
    assert not PAIRS["I25"](case_of(story.evidence, None, story.truth), cases[1]).violations


def test_one_seed_is_one_journal() -> None:
    one, two = Story(), Story()
    whole = case_of(one.evidence, one.journal, one.truth)
    assert not PAIRS["I26"](whole, case_of(two.evidence, two.journal, two.truth)).violations
    two.journal[-1]["vt"] = at(30)
    assert PAIRS["I26"](whole, case_of(two.evidence, two.journal, two.truth)).violations


def test_without_a_journal_what_the_evidence_shows_is_judged_all_the_same() -> None:
    evidence, _journal, _truth = good()
    found = judge(case_of(evidence, None, None))
    assert not [one for finding in found.values() for one in finding.violations]
    assert {n for n in ("I3", "I9", "I11", "I12", "I14", "I18", "I24") if found[n].examined} == {
        "I3", "I9", "I11", "I12", "I14", "I18", "I24",
    }  # fmt: skip


@pytest.mark.parametrize(
    "flaw",
    [
        lambda s: s.one("approval").update(plan_hash="another"),
        lambda s: s.one("rulecheck", attempt_id=2).update(attempt_id=77),
        lambda s: s.one("attempt", id=2).update(intent_id=77),
        lambda s: s.one("run").update(id=77),
    ],
    ids=["no approval", "no check", "no wish", "no run"],
)
def test_without_a_journal_every_record_of_a_send_leads_back_all_the_same(
    flaw: Callable[[Story], None],
) -> None:
    story = Story()
    whole = case_of(story.evidence, None, None)
    assert LAWS["I22"](whole).examined > 0 and not LAWS["I22"](whole).violations
    flaw(story)
    assert LAWS["I22"](case_of(story.evidence, None, None)).violations
