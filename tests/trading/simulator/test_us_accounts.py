"""The US screens of an account agree with each other and with the journal, to the cent."""

from __future__ import annotations

import random
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.trading.simulator.conftest import Make
from tests.trading.simulator.kis import ACCOUNT, Hand
from tests.trading.simulator.test_us_orders import KEYS, NIGHT, RICH, hold, night
from trading.kis_wire import calls
from trading.simulator.carried import ended_with

ORDERS = 300
CODES = ("AAPL", "NVDA", "KO", "SPY", "QQQ", "PFE")
SPAN = {"INQR_STRT_DT": "20261101", "INQR_END_DT": "20261231"}
PRESENT = {"NATN_CD": "000", "TR_MKET_CD": "00", "INQR_DVSN_CD": "00"}


def cents(text: str) -> int:
    value = Decimal(text) * 100
    assert value == int(value), text
    return int(value)


@pytest.fixture(params=[3, 4])
def day(make: Make, request: pytest.FixtureRequest) -> Hand:
    """A messy night after some hundred orders of somebody who does not think."""
    hand = night(make, tame=False, seed=request.param)
    hold(hand, "AAPL", None)
    rng = random.Random(request.param)
    for number in range(ORDERS):
        code = rng.choice(CODES)
        last = cents(hand.us_price(code)["last"])
        price = f"{(last + rng.randint(-40, 40)) / 100:.2f}"
        dice = rng.random()
        if dice < 0.85:
            side = rng.choice(("buy", "buy", "sell"))
            hand.us_order(side, code, rng.randint(1, 12), price)
        else:
            working = hand.all_of("overseas_inquire_nccs", "output", OVRS_EXCG_CD="NASD")
            if working:
                row = rng.choice(working)
                kind = rng.choice(("cancel", "revise"))
                left = row["nccs_qty"]
                hand.us_change(kind, row["odno"], row["pdno"], left, price)
        if number % 10 == 0:
            hand.sim.advance(rng.randint(1, 200))
    hand.us_order("buy", "KO", 3, "1.00")
    hand.sim.advance(60)
    return hand


def test_every_screen_tells_the_same_story(day: Hand) -> None:
    hand, journal = day, day.sim.journal()
    us = hand.sim.truth()["us"]
    fills = [row for row in journal if row["kind"] == "us_fill"]
    assert len(fills) > 80, "a night on which nothing trades proves nothing"
    held, money = us["positions"][ACCOUNT], us["cash"][ACCOUNT]
    want = counted(journal)

    # orders and what is left of them
    orders = hand.us_fills()
    by_fill: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in fills:
        by_fill[row["odno"]][0] += row["qty"]
        by_fill[row["odno"]][1] += row["amt"]
    assert {
        row["odno"]: [int(row["ft_ccld_qty"]), cents(row["ft_ccld_amt3"])]
        for row in orders
        if int(row["ft_ccld_qty"])
    } == dict(by_fill)
    working = hand.all_of("overseas_inquire_nccs", "output", OVRS_EXCG_CD="NASD", SORT_SQN="DS")
    left = {row["odno"]: int(row["nccs_qty"]) for row in orders if int(row["nccs_qty"])}
    assert {row["odno"]: int(row["nccs_qty"]) for row in working} == left != {}
    assert len({row["odno"] for row in orders}) == len(orders) > 100

    # the balance, in dollars
    rows, totals = hand.us_balance()
    assert {row["ovrs_pdno"]: int(row["ovrs_cblc_qty"]) for row in rows} == held
    assert {row["ovrs_pdno"]: cents(row["frcr_pchs_amt1"]) for row in rows} == want.cost
    value = sum(cents(row["ovrs_stck_evlu_amt"]) for row in rows)
    assert cents(totals["tot_evlu_pfls_amt"]) == value
    assert cents(totals["ovrs_tot_pfls"]) == sum(cents(r["frcr_evlu_pfls_amt"]) for r in rows)
    for row in rows:
        price = hand.us_price(row["ovrs_pdno"])["last"]
        assert cents(row["ovrs_stck_evlu_amt"]) == held[row["ovrs_pdno"]] * cents(price)
        offered = sum(
            left[o["odno"]]
            for o in orders
            if o["pdno"] == row["ovrs_pdno"] and o["sll_buy_dvsn_cd"] == "01" and o["odno"] in left
        )
        assert int(row["ord_psbl_qty"]) == held[row["ovrs_pdno"]] - offered

    # the present balance, in dollars and in won
    plain = hand.ask("overseas_inquire_present_balance", WCRC_FRCR_DVSN_CD="02", **PRESENT).json
    won = hand.ask("overseas_inquire_present_balance", WCRC_FRCR_DVSN_CD="01", **PRESENT).json
    assert cents(plain["output3"]["evlu_amt_smtl"]) == value
    rate = Decimal(plain["output2"][0]["frst_bltn_exrt"])
    assert rate > 1_000
    for here, there in zip(plain["output1"], won["output1"], strict=True):
        assert int(Decimal(here["frcr_evlu_amt2"]) * rate) == int(Decimal(there["frcr_evlu_amt2"]))
        assert here["pchs_rmnd_wcrc_amt"] == there["pchs_rmnd_wcrc_amt"] != "0"
    assert sum(int(Decimal(r["frcr_evlu_amt2"])) for r in won["output1"]) == int(
        won["output3"]["evlu_amt_smtl_amt"]
    )
    assert plain["output3"]["tot_asst_amt"] == won["output3"]["tot_asst_amt"]
    assert cents(plain["output2"][0]["frcr_dncl_amt_2"]) == money["cash"]

    # money
    assert money["settled"] == 10_000_000 + want.flow
    margin = hand.ask("overseas_foreign_margin").json["output"][0]
    power = hand.us_power("AAPL", "100.00")
    reserved = sum(
        need(left[o["odno"]] * cents(o["ft_ord_unpr3"]), cents(o["ft_ccld_amt3"]))
        for o in orders
        if o["odno"] in left and o["sll_buy_dvsn_cd"] == "02"
    )
    assert cents(margin["frcr_mgn_amt"]) == reserved
    free = money["settled"] - reserved
    assert cents(power["ord_psbl_frcr_amt"]) + cents(power["sll_ruse_psbl_amt"]) == free
    amount = cents(power["ovrs_ord_psbl_amt"])
    assert amount + int(amount * Decimal("0.0025")) <= free
    assert amount + 1 + int((amount + 1) * Decimal("0.0025")) > free
    assert int(power["ord_psbl_qty"]) == amount // 10_000
    assert margin["frcr_gnrl_ord_psbl_amt"] == power["ovrs_ord_psbl_amt"]
    cash = cents(margin["frcr_dncl_amt1"])
    flows = cents(margin["ustl_sll_amt"]) - cents(margin["ustl_buy_amt"])
    assert (cash, cash + flows) == (money["cash"], money["settled"])

    # what was made, told by two screens and counted once more from the journal
    query = {**SPAN, "WCRC_FRCR_DVSN_CD": "02", "OVRS_EXCG_CD": "NASD"}
    made = hand.ask("overseas_inquire_period_profit", **query).json
    profits = hand.all_of("overseas_inquire_period_profit", "output1", **query)
    assert cents(made["output2"]["ovrs_rlzt_pfls_tot_amt"]) == want.made
    assert sum(cents(row["ovrs_rlzt_pfls_amt"]) for row in profits) == want.made
    assert cents(totals["ovrs_rlzt_pfls_amt"]) == want.made
    span = {"ERLM_STRT_DT": "20261101", "ERLM_END_DT": "20261231", "SLL_BUY_DVSN_CD": "00"}
    trans = hand.all_of("overseas_inquire_period_trans", "output1", **span)
    sums = hand.ask("overseas_inquire_period_trans", **span).json["output2"]
    assert sum(cents(row["tr_frcr_amt2"]) for row in trans) == sum(r["amt"] for r in fills)
    assert cents(sums["dmst_fee_smtl"]) == sum(r["fee"] for r in fills)
    assert sum(cents(row["dmst_frcr_fee1"]) for row in trans) == cents(sums["dmst_fee_smtl"])
    assert len(trans) == len(by_fill)

    # the order of the lists, and the whole once it has settled
    backward = hand.us_fills(SORT_SQN="AS")
    assert [r["odno"] for r in backward] == [r["odno"] for r in orders][::-1]
    hand.sim.advance(3 * 86_400)
    us = hand.sim.truth()["us"]
    settled, held = us["cash"][ACCOUNT], us["positions"][ACCOUNT]
    assert settled["cash"] == settled["settled"] == 10_000_000 + counted(hand.sim.journal()).flow
    last = hand.login().ask(
        "overseas_inquire_paymt_stdr_balance", BASS_DT="20261231", WCRC_FRCR_DVSN_CD="02",
        INQR_DVSN_CD="00",
    ).json  # fmt: skip
    assert {r["pdno"]: int(Decimal(r["cblc_qty13"])) for r in last["output1"]} == held


def need(amount: int, filled: int) -> int:
    return amount + (filled + amount) * 25 // 10_000 - filled * 25 // 10_000


class counted:
    """Cost by listing, cents made by sales and the whole flow, by average cost from fills alone."""

    def __init__(self, journal: list[dict[str, Any]]) -> None:
        orders = {row["odno"]: row for row in journal if row["kind"] == "us_accepted"}
        quantity: dict[str, int] = defaultdict(int)
        cost: dict[str, int] = defaultdict(int)
        self.made = self.flow = 0
        for row in journal:
            if row["kind"] == "us_position":
                quantity[row["ticker"]], cost[row["ticker"]] = row["qty"], row["cost"]
            if row["kind"] != "us_fill":
                continue
            code = orders[row["odno"]]["ticker"]
            if orders[row["odno"]]["side"] == "buy":
                quantity[code] += row["qty"]
                cost[code] += row["amt"]
                self.flow -= row["amt"] + row["fee"]
            else:
                basis = cost[code] * row["qty"] // quantity[code]
                quantity[code] -= row["qty"]
                cost[code] -= basis
                self.made += row["amt"] - row["fee"] - basis
                self.flow += row["amt"] - row["fee"]
        self.cost = {code: paid for code, paid in cost.items() if quantity[code]}


# --- which rows a list covers -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("profile", "exchange", "codes"),
    [
        ("real", "", {"AAPL", "KO", "SPY"}),
        ("real", "NASD", {"AAPL", "KO", "SPY"}),
        ("real", "NAS", {"AAPL"}),
        ("real", "NYSE", {"KO"}),
        ("real", "SEHK", set()),
        ("mock", "NASD", {"AAPL"}),
        ("mock", "AMEX", {"SPY"}),
    ],
)
def test_an_exchange_names_what_a_list_covers(
    make: Make, profile: str, exchange: str, codes: set[str]
) -> None:
    overseas = {"AAPL": 1, "KO": 2, "SPY": 3}
    sim = make(start=NIGHT, profile=profile, accounts=[{**KEYS, "overseas": overseas}])
    hand = Hand(sim).login()
    rows = hand.all_of(
        "overseas_inquire_balance", "output1", OVRS_EXCG_CD=exchange, TR_CRCY_CD="USD"
    )
    assert {row["ovrs_pdno"] for row in rows} == codes


REFUSED = [
    # call, the parameters refused, the ones let through
    ("overseas_inquire_balance", {"OVRS_EXCG_CD": "AMS"}, {"OVRS_EXCG_CD": "AMEX"}),
    ("overseas_inquire_balance", {"TR_CRCY_CD": "KRW"}, {"TR_CRCY_CD": "HKD"}),
    ("overseas_inquire_present_balance", {**PRESENT, "WCRC_FRCR_DVSN_CD": ""},
     {**PRESENT, "WCRC_FRCR_DVSN_CD": "01"}),
    ("overseas_inquire_ccnl", {"ORD_STRT_DT": "2026", "ORD_END_DT": "20261120"},
     {"ORD_STRT_DT": "20261120", "ORD_END_DT": "20261120"}),
    ("overseas_inquire_psamount", {"OVRS_EXCG_CD": "NASD", "ITEM_CD": "KO"},
     {"OVRS_EXCG_CD": "NYSE", "ITEM_CD": "KO"}),
    ("overseas_inquire_psamount", {"OVRS_EXCG_CD": "NYS", "ITEM_CD": "KO"},
     {"OVRS_EXCG_CD": "NYSE", "ITEM_CD": "KO", "OVRS_ORD_UNPR": "70.00"}),
    ("overseas_inquire_paymt_stdr_balance",
     {"BASS_DT": "20261119", "WCRC_FRCR_DVSN_CD": "01", "INQR_DVSN_CD": "00"},
     {"BASS_DT": "20261120", "WCRC_FRCR_DVSN_CD": "01", "INQR_DVSN_CD": "00"}),
]  # fmt: skip


@pytest.mark.parametrize(("call", "bad", "good"), REFUSED)
def test_what_is_asked_wrongly_is_refused(
    make: Make, call: str, bad: dict[str, str], good: dict[str, str]
) -> None:
    hand = night(make)
    assert hand.ask(call, **bad).code in ("OPSQ2001", "APBK0656")
    assert hand.ask(call, **good).json["rt_cd"] == "0"


def test_mock_lists_all_orders_or_none_and_lacks_some_screens(make: Make) -> None:
    hand = night(make, profile="mock")
    hand.us_order("buy", "AAPL", 1, "280.00")
    dates = {"ORD_STRT_DT": "20261120", "ORD_END_DT": "20261120", "CCLD_NCCS_DVSN": "00"}
    wrong = hand.ask("overseas_inquire_ccnl", **dates, SLL_BUY_DVSN="02")
    right = hand.ask("overseas_inquire_ccnl", **dates, SLL_BUY_DVSN="00")
    assert (wrong.code, len(right.json["output"])) == ("OPSQ2001", 1)
    row = calls()["overseas_inquire_nccs"]
    headers = hand.headers("TTTS3018R")
    assert hand.raw("GET", row.path + "?CANO=1", headers).code == "OPSQ0002"


def test_lists_go_on_where_they_ended(make: Make) -> None:
    hand = night(make)
    for _ in range(45):
        hand.us_order("buy", "AAPL", 1, "100.00")
    assert len({row["odno"] for row in hand.us_fills()}) == 45
    first = hand.ask("overseas_inquire_nccs", OVRS_EXCG_CD="NASD", SORT_SQN="DS")
    assert (len(first.json["output"]), first.headers["tr_cont"]) == (40, "M")
    assert len(first.json["ctx_area_nk200"]) == 200
    assert len(hand.all_of("overseas_inquire_nccs", "output", OVRS_EXCG_CD="NASD")) == 45


# --- no zeros from a schema -------------------------------------------------------------------

MAY_BE_ZERO = {
    "echm_af_ord_psbl_amt": "won are never exchanged by an order here",
    "echm_af_ord_psbl_qty": "won are never exchanged by an order here",
    "ft_ccld_qty": "an order that has been filled in part does not work in a tame world",
    "ft_ccld_amt3": "an order that has been filled in part does not work in a tame world",
    "ft_ccld_unpr3": "an order that has been filled in part does not work in a tame world",
    "frcr_etc_mgna": "no other margin exists",
    "etc_mgna": "no other margin exists",
    "cma_evlu_amt": "no CMA account exists",
    "tot_loan_amt": "nothing is lent",
    "loan_rmnd": "nothing is lent",
    "tot_ldng_evlu_amt": "nothing is lent",
    "ldng_cblc_qty": "nothing is lent",
    "mgge_qty": "nothing is pledged",
    "frcr_rcvb_amt": "cash is never negative",
    "frcr_fee1": "no fee of the exchange is told of",
    "ovrs_wcrc_fee": "no fee of the exchange is told of",
    "ovrs_fee_smtl": "no fee of the exchange is told of",
}
MEANT = ("integer", "amount", "price", "decimal", "decimal %")


def test_no_number_is_a_zero_of_the_schema(make: Make) -> None:
    hand = night(make)
    hand.us_order("buy", "AAPL", 5, "271.00")
    hold(hand, "AAPL", "280.00")
    hold(hand, "KO", "72.00")
    hand.us_order("sell", "KO", 10, "70.00")
    hand.us_order("sell", "AAPL", 1, "270.00")
    hand.us_order("buy", "AAPL", 2, "200.00")
    span = {"ERLM_STRT_DT": "20261101", "ERLM_END_DT": "20261231", "SLL_BUY_DVSN_CD": "00"}
    kinds = ({"WCRC_FRCR_DVSN_CD": "01"}, {"WCRC_FRCR_DVSN_CD": "02"})
    sweep: list[tuple[str, dict[str, str]]] = [
        ("overseas_inquire_balance", {"TR_CRCY_CD": "USD"}),
        ("overseas_inquire_psamount", {"OVRS_EXCG_CD": "NASD", "ITEM_CD": "AAPL"}),
        ("overseas_inquire_nccs", {}),
        ("overseas_inquire_ccnl", {"ORD_STRT_DT": "20261120", "ORD_END_DT": "20261120"}),
        ("overseas_inquire_period_trans", span),
        ("overseas_foreign_margin", {}),
        *(("overseas_inquire_present_balance", PRESENT | kind) for kind in kinds),
        *(("overseas_inquire_period_profit", SPAN | kind) for kind in kinds),
        *(
            ("overseas_inquire_paymt_stdr_balance",
             {"BASS_DT": "20261231", "INQR_DVSN_CD": "00"} | kind)
            for kind in kinds
        ),
    ]  # fmt: skip
    assert zeros(hand, sweep) - MAY_BE_ZERO.keys() == set()


def zeros(hand: Hand, sweep: list[tuple[str, dict[str, str]]]) -> set[str]:
    """Numbers of the calls that are zero in every row of the sweep."""
    seen: dict[tuple[str, str, str], bool] = {}
    for call, params in sweep:
        answer = hand.ask(call, **params).json
        assert answer["rt_cd"] == "0", (call, answer["msg1"])
        for output in calls()[call].outputs:
            block = answer[output.key]
            rows = block if isinstance(block, list) else [block]
            for field in output.fields:
                if field.meaning in MEANT:
                    place = (call, output.key, field.name)
                    found = any(Decimal(row[field.name].strip() or "0") for row in rows)
                    seen[place] = seen.get(place, False) or found
    return {name for (_call, _key, name), found in seen.items() if not found}


def test_what_a_journal_ended_with_begins_another_world(make: Make, tmp_path: Path) -> None:
    hand = night(make, journal=tmp_path / "night.jsonl")
    hand.us_order("buy", "AAPL", 5, "280.00")
    hand.us_order("sell", "KO", 50, "1.00")
    kept = ended_with(tmp_path / "night.jsonl")["accounts"][ACCOUNT]
    assert kept["overseas"] == {"AAPL": 5} == hand.sim.truth()["us"]["positions"][ACCOUNT]
    assert cents(kept["usd"]) == hand.sim.truth()["us"]["cash"][ACCOUNT]["settled"]
    again = make(start=NIGHT, accounts=[{**KEYS, **kept}])
    assert again.truth()["us"]["positions"] == hand.sim.truth()["us"]["positions"]


def test_the_accounts_file_gives_dollars_and_shares(make: Make) -> None:
    hand = night(make)
    rows, _totals = hand.us_balance()
    assert [(r["ovrs_pdno"], r["pchs_avg_pric"]) for r in rows] == [("KO", "65.5000")]
    with pytest.raises(ValueError, match="dollars and cents"):
        make(start=NIGHT, accounts=[{**RICH, "usd": "1.005"}])
    with pytest.raises(ValueError, match="no US exchange"):
        make(start=NIGHT, accounts=[{**RICH, "overseas": {"005930": 1}}])


def test_won_of_a_trade_counts_in_the_settlement_balance_of_the_day_it_settles(make: Make) -> None:
    hand = Hand(make(accounts=[KEYS | {"cash": 10**8}])).login()  # Friday the 20th
    hand.order("buy", "069500", 10)
    cash, later = int(hand.balance()[1]["dnca_tot_amt"]), hand.balance()[1]["prvs_rcdl_excc_amt"]
    hand.sim.advance(14 * 3600)
    how = {"WCRC_FRCR_DVSN_CD": "01", "INQR_DVSN_CD": "00"}
    totals = {
        day: hand.ask("overseas_inquire_paymt_stdr_balance", BASS_DT=day, **how).json["output3"]
        for day in ("20261123", "20261124", "20261231")
    }
    assert cash == 10**8 > int(later)
    assert [int(one["tot_dncl_amt"]) for one in totals.values()] == [cash, int(later), int(later)]
    for one in totals.values():
        assert float(one["tot_asst_amt2"]) == float(one["tot_dncl_amt"])
