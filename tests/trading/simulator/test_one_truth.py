"""After a random day every screen tells the same story, to the won: balance, power, lists, profit, notices."""

from __future__ import annotations

import random
from collections import defaultdict
from typing import Any

import pytest

from tests.trading.simulator.conftest import FRIDAY, Make
from tests.trading.simulator.ear import Ear
from tests.trading.simulator.kis import ACCOUNT, Hand
from trading.kis_wire import channels
from trading.simulator import DEMO_APPKEY, DEMO_APPSECRET, Simulator

ORDERS = 1_000
CODES = ("005930", "000660", "069500", "114260", "247540", "035720")
NOTICE = {name: i for i, name in enumerate(channels()["ccnl_notice"].fields)}


@pytest.fixture(params=[3, 4])
def day(make: Make, request: pytest.FixtureRequest) -> tuple[Simulator, Hand, list[list[str]]]:
    """A messy world after a thousand orders, and every notice that was heard of them."""
    sim = make(tame=False, seed=request.param)
    hand = Hand(sim).login()
    rng = random.Random(request.param)
    with Ear(hand) as ear:
        ear.register("H0STCNI0", "me")
        for number in range(ORDERS):
            act(sim, hand, rng)
            if number % 40 == 0:
                sim.advance(rng.randint(1, 300))
        sim.advance(60)
        out = len([row for row in sim.journal() if row["kind"] == "notice_out"])
        heard = [ear.frame().rows[0] for _ in range(out)]
    return sim, hand, heard


def act(sim: Simulator, hand: Hand, rng: random.Random) -> None:
    """One order of somebody who does not think."""
    code = rng.choice(CODES)
    market = sim.world.market
    last = market.shown(code, sim.now()).last
    choice = rng.random()
    quantity = rng.randint(1, 40)
    if choice < 0.35:
        hand.order("buy", code, quantity)
    elif choice < 0.55:
        hand.order("sell", code, quantity)
    elif choice < 0.85:
        step = 100 if last < 200_000 else 1_000
        price = (last + rng.randint(-3, 3) * step) // step * step
        hand.order(rng.choice(("buy", "sell")), code, quantity, price)
    else:
        working = hand.open_orders()
        if working:
            odno = rng.choice(working)["odno"]
            kind = rng.choice(("cancel", "cancel", "revise"))
            hand.change(kind, odno, price=0 if kind == "cancel" else last // 1_000 * 1_000)


def numbers(row: dict[str, str], *names: str) -> list[int]:
    return [int(row[name]) for name in names]


def test_every_screen_tells_the_same_story(day: Any) -> None:
    sim, hand, heard = day
    held = sim.truth()["positions"][hand.account]
    cash = sim.truth()["cash"][hand.account]
    journal = sim.journal()
    fills = [row for row in journal if row["kind"] == "fill"]
    assert len(fills) > 300, "a day on which nothing trades proves nothing"

    # the balance
    rows, totals = hand.balance()
    assert {r["pdno"]: int(r["hldg_qty"]) for r in rows if int(r["hldg_qty"])} == held
    assert int(totals["dnca_tot_amt"]) == cash["cash"]
    assert int(totals["prvs_rcdl_excc_amt"]) == cash["d2_cash"]
    assert int(totals["scts_evlu_amt"]) == sum(int(r["evlu_amt"]) for r in rows)
    assert int(totals["tot_evlu_amt"]) == int(totals["scts_evlu_amt"]) + cash["d2_cash"]

    # orders and what is left of them
    orders = hand.fills()
    assert len(orders) > 500
    for row in orders:
        parts = numbers(row, "tot_ccld_qty", "rmn_qty", "cnc_cfrm_qty", "rjct_qty")
        assert int(row["ord_qty"]) == sum(parts), row
    by_fill: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in fills:
        by_fill[row["odno"]][0] += row["qty"]
        by_fill[row["odno"]][1] += row["amt"]
    assert {
        row["odno"]: numbers(row, "tot_ccld_qty", "tot_ccld_amt")
        for row in orders
        if int(row["tot_ccld_qty"])
    } == dict(by_fill)
    working = {row["odno"]: int(row["psbl_qty"]) for row in hand.open_orders()}
    assert working, "something still rests"
    assert working == {r["odno"]: int(r["rmn_qty"]) for r in orders if int(r["rmn_qty"])}

    # what may be sold and what may be bought
    locked: dict[str, int] = defaultdict(int)
    for row in orders:
        if row["sll_buy_dvsn_cd"] == "01":
            locked[row["pdno"]] += int(row["rmn_qty"])
    for code, quantity in held.items():
        sellable = hand.ask("inquire_psbl_sell", PDNO=code).json["output"]
        assert numbers(sellable, "cblc_qty", "ord_psbl_qty") == [quantity, quantity - locked[code]]
        assert sellable["pchs_amt"] == next(r["pchs_amt"] for r in rows if r["pdno"] == code)
    power = hand.power("069500").json["output"]
    assert int(power["ord_psbl_cash"]) <= cash["d2_cash"]

    # realised profit: told by three screens and counted once more from the journal
    made, fee, tax = counted(journal)
    today = f"{sim.now():%Y%m%d}"
    span = {"INQR_STRT_DT": today, "INQR_END_DT": today}
    daily = hand.ask("inquire_period_profit", **span).json
    whole = hand.ask("inquire_balance_rlz_pl", INQR_DVSN="00").json["output2"][0]
    single = hand.ask("inquire_period_trade_profit", **span).json
    assert int(whole["rlzt_pfls"]) == int(daily["output2"]["tot_rlzt_pfls"]) == made
    assert sum(int(r["rlzt_pfls"]) for r in single["output1"]) == made
    assert numbers(daily["output2"], "tot_fee", "tot_tltx") == [fee, tax]
    assert int(totals["thdt_tlex_amt"]) == fee + tax
    assets = hand.ask("inquire_account_balance").json["output2"]
    assert assets["tot_asst_amt"] == totals["tot_evlu_amt"]

    # notices: each fill once, but for those that are known to be lost
    lost = [r for r in journal if r["kind"] == "notice_drop" and r["kind_of"] == "2"]
    told = [row for row in heard if row[NOTICE["CNTG_YN"]] == "2"]
    assert len(told) + len(lost) == len(fills)
    assert 1 <= len(lost) < len(fills) // 10
    for row in told:
        paid = [f["price"] for f in fills if f["odno"] == row[NOTICE["ODER_NO"]]]
        assert int(row[NOTICE["CNTG_UNPR"]]) in paid
    in_parts = [odno for odno in by_fill if sum(f["odno"] == odno for f in fills) > 1]
    unfinished = set(working) | set(in_parts)
    assert len(unfinished) >= len(by_fill) // 20, "a messy market fills in parts"


def counted(journal: list[dict[str, Any]]) -> tuple[int, int, int]:
    """(realised won, fees, taxes) by average cost, from fills alone."""
    orders = {row["odno"]: row for row in journal if row["kind"] == "accepted"}
    quantity: dict[str, int] = defaultdict(int)
    cost: dict[str, int] = defaultdict(int)
    made = fee = tax = 0
    for row in journal:
        if row["kind"] != "fill":
            continue
        order = orders[row["odno"]]
        code = order["ticker"]
        fee, tax = fee + row["fee"], tax + row["tax"]
        if order["side"] == "buy":
            quantity[code] += row["qty"]
            cost[code] += row["amt"]
        else:
            basis = cost[code] * row["qty"] // quantity[code]
            quantity[code] -= row["qty"]
            cost[code] -= basis
            made += row["amt"] - row["fee"] - row["tax"] - basis
    return made, fee, tax


DOLLARS = "100000.00"
"""What the account below begins with, beside won, Korean and US shares."""


@pytest.fixture
def abroad(make: Make) -> Hand:
    """An account with won and dollars, shares of both countries, and trades that have not settled."""
    plan = {
        "appkey": DEMO_APPKEY,
        "appsecret": DEMO_APPSECRET,
        "account": ACCOUNT,
        "cash": 10**9,
        "holdings": {"069500": {"qty": 10, "avg": 50_000}},
        "usd": DOLLARS,
        "overseas": {"AAPL": {"qty": 7, "avg": "201.25"}},
    }
    hand = Hand(make(accounts=[plan], start=FRIDAY.replace(hour=23, minute=45))).login()
    assert hand.us_order("buy", "KO", 3, "500.00").json["rt_cd"] == "0"
    assert hand.us_order("sell", "AAPL", 2, "1.00").json["rt_cd"] == "0"
    hand.sim.advance(10)
    return hand


def test_the_assets_of_an_account_with_dollars_add_up_and_other_screens_say_the_same(
    abroad: Hand,
) -> None:
    answer = abroad.ask("inquire_account_balance").json
    rows, totals = answer["output1"], answer["output2"]
    stocks, overseas, dollars, deposit, whole = (rows[place - 1] for place in (1, 9, 17, 18, 20))
    kinds = (stocks, overseas, dollars, deposit)
    for name in ("pchs_amt", "evlu_amt", "evlu_pfls_amt", "real_nass_amt"):
        assert sum(int(row[name]) for row in rows[:-1]) == int(whole[name]), name
        assert sum(int(row[name]) for row in kinds) == int(whole[name]), name
    assert len(rows) == 20 and all(int(row["evlu_amt"]) > 0 for row in kinds)
    assert whole["whol_weit_rt"] == "100.00000000"
    assert 99.9 < sum(float(row["whol_weit_rt"]) for row in kinds) <= 100

    home = abroad.balance()[1]
    query = {"NATN_CD": "000", "TR_MKET_CD": "00", "INQR_DVSN_CD": "00", "WCRC_FRCR_DVSN_CD": "01"}
    present = abroad.ask("overseas_inquire_present_balance", **query).json["output3"]
    assert (stocks["evlu_amt"], stocks["pchs_amt"]) == (home["scts_evlu_amt"], "500000")
    assert overseas["evlu_amt"] == present["evlu_amt_smtl_amt"]
    assert overseas["pchs_amt"] == present["pchs_amt_smtl_amt"]
    assert dollars["evlu_amt"] == totals["frcr_evlu_tota"] == present["frcr_evlu_tota"]
    assert deposit["evlu_amt"] == totals["tot_dncl_amt"] == home["prvs_rcdl_excc_amt"]
    assert totals["tot_asst_amt"] == whole["evlu_amt"]
    assert totals["ovrs_stck_evlu_amt1"] == f"{overseas['evlu_amt']}.000000"
    securities = int(stocks["evlu_amt"]) + int(overseas["evlu_amt"])
    assert numbers(totals, "evlu_amt_smtl", "nass_tot_amt") == [securities] * 2
    # that screen's total is without Korean shares
    assert int(totals["tot_asst_amt"]) - int(present["tot_asst_amt"]) == int(stocks["evlu_amt"])


def test_a_look_at_the_assets_leaves_no_us_side_behind(make: Make) -> None:
    hand = Hand(make()).login()
    hand.ask("inquire_account_balance")
    assert hand.sim.world.truth.us.accounts == {}


@pytest.mark.parametrize("start", ["08:20", "10:00", "16:30"])
def test_no_book_on_the_wire_is_crossed_by_what_waits_in_it(make: Make, start: str) -> None:
    hour, minute = (int(part) for part in start.split(":"))
    sim = make(tame=False, start=FRIDAY.replace(hour=hour, minute=minute), seed=3)
    hand, rng = Hand(sim).login(), random.Random(3)
    market, venue = ("J", {}) if hour == 10 else ("NX", {"EXCG_ID_DVSN_CD": "NXT"})
    waited = 0
    for number in range(60):
        code = rng.choice(("005930", "000660"))
        query = {"FID_COND_MRKT_DIV_CODE": market, "FID_INPUT_ISCD": code}
        before = hand.get("book", query).json["output1"]
        side, other = rng.choice((("buy", "askp2"), ("sell", "bidp2")))
        hand.order(side, code, rng.randint(1, 40), int(before[other]), "00", **venue)
        after = hand.get("book", query).json["output1"]
        assert 0 < int(after["bidp1"]) < int(after["askp1"]), (number, side)
        waited += after["bidp1"] == before["askp2"] or after["askp1"] == before["bidp2"]
        sim.advance(number % 2)
    assert waited > 5, "some met quicker ones and wait inside the spread"
