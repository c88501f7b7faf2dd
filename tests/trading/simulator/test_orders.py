"""Orders on the wire: each refusal with a case it lets through, revise, cancel, the auctions."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.trading.simulator.conftest import FRIDAY, Make
from tests.trading.simulator.kis import ACCOUNT, BALANCE, Hand, odno
from trading.domain.sessions import SEOUL
from trading.simulator import Simulator

PRICE = 55_000


@pytest.fixture
def pinned(sim: Simulator) -> Hand:
    """069500 stands at 55,000 won, 005930 at 98,000."""
    sim.set_price("069500", PRICE)
    sim.set_price("005930", 98_000)
    return Hand(sim).login()


def test_an_accepted_order_answers_with_its_number_and_is_filled(pinned: Hand) -> None:
    answer = pinned.order("buy", "069500", 10, PRICE + 100)
    assert (answer.status, answer.json["rt_cd"], answer.code) == (200, "0", "APBK0013")
    output = answer.json["output"]
    assert len(output["ODNO"]) == 10
    assert output["ORD_TMD"] == "093500"
    assert output["KRX_FWDG_ORD_ORGNO"] == "06010"
    truth = pinned.sim.truth()
    assert truth["positions"] == {ACCOUNT: {"069500": 10}}
    row = pinned.fills()[0]
    assert (row["odno"], row["tot_ccld_qty"], row["rmn_qty"]) == (output["ODNO"], "10", "0")
    assert int(row["tot_ccld_amt"]) == truth["orders"][0]["amount"]


def test_mock_answers_with_its_own_codes(make: Make) -> None:
    hand = Hand(make(profile="mock")).login()
    bought = hand.order("buy", "069500", 10)
    sold = hand.order("sell", "069500", 5)
    assert (bought.code, sold.code) == ("40600000", "40590000")
    assert bought.json["output"]["KRX_FWDG_ORD_ORGNO"] == "00950"


P = PRICE
CASES = [
    # what, the order refused, real code, mock code, the order let through
    ("unknown code", ("buy", "999999", 1, 1000), "APBK0656", "APBK0656", ("buy", "069500", 1, P)),
    ("no quantity", ("buy", "069500", 0, P), "APBK0400", "40310000", ("buy", "069500", 1, P)),
    ("words", ("buy", "069500", "ten", P), "APBK0400", "40310000", ("buy", "069500", 10, P)),
    ("off tick", ("buy", "069500", 1, 55001), "APBK0506", "40310000", ("buy", "069500", 1, 55005)),
    ("no price", ("buy", "069500", 1, 0, "00"), "APBK0506", "40310000", ("buy", "069500", 1, 0)),
    ("too high", ("buy", "069500", 1, 72_805), "APBK0506", "40310000", ("buy", "069500", 1, 72800)),
    ("too low", ("buy", "069500", 1, 39_195), "APBK0506", "40310000", ("buy", "069500", 1, 39_200)),
    ("cash", ("buy", "069500", 1_819, P), "APBK0952", "APBK0952", ("buy", "069500", 1_817, P)),
    ("market cash", ("buy", "069500", 1_374), "APBK0952", "APBK0952", ("buy", "069500", 1_373)),
    ("not held", ("sell", "005930", 1), "APBK1234", "APBK1234", ("sell", "102110", 1)),
    ("too many", ("sell", "102110", 11), "APBK0400", "APBK0400", ("sell", "102110", 10)),
]  # fmt: skip


@pytest.mark.parametrize("profile", ["real", "mock"])
@pytest.mark.parametrize(
    ("refused", "real_code", "mock_code", "taken"),
    [case[1:] for case in CASES],
    ids=[case[0].replace(" ", "-") for case in CASES],
)
def test_each_refusal_and_the_order_it_lets_through(
    make: Make,
    profile: str,
    refused: tuple,
    real_code: str,
    mock_code: str,
    taken: tuple,
) -> None:
    sim = make(profile=profile, accounts=None)
    hand = Hand(sim).login()
    sim.set_price("069500", PRICE)
    hand.power()
    assert sim.manual_order(ACCOUNT, "102110", "buy", 10)["accepted"]
    sim.move_cash(ACCOUNT, 100_000_000 - int(sim.truth()["cash"][ACCOUNT]["d2_cash"]))
    answer = hand.order(*refused)
    assert answer.code == (mock_code if profile == "mock" else real_code)
    assert (answer.status, answer.json["rt_cd"]) == (200, "1")
    assert len(sim.truth()["orders"]) == 1
    assert [r for r in sim.journal() if r["kind"] == "refused"]
    assert hand.order(*taken).json["rt_cd"] == "0"
    assert len(sim.truth()["orders"]) == 2


def test_a_halted_instrument_takes_no_order_and_fills_none(pinned: Hand) -> None:
    working = odno(pinned.order("buy", "069500", 10, 54_000))
    pinned.sim.halt("069500")
    assert pinned.order("buy", "069500", 1, PRICE).code == "APBK0634"
    quote = pinned.price("069500").json["output"]
    assert (quote["temp_stop_yn"], quote["iscd_stat_cls_code"]) == ("Y", "58")
    pinned.sim.set_price("069500", 53_000)
    pinned.sim.advance(60)
    assert pinned.fills(ODNO=working)[0]["tot_ccld_qty"] == "0"
    pinned.sim.halt("069500", False)
    pinned.sim.advance(60)
    assert pinned.fills(ODNO=working)[0]["tot_ccld_qty"] == "10"
    assert pinned.order("buy", "069500", 1, PRICE).json["rt_cd"] == "0"


@pytest.mark.parametrize(
    ("moment", "real_code", "mock_code"),
    [
        ("2026-11-20T08:29:59", "APBK0918", "40570000"),
        ("2026-11-20T08:30:00", "APBK0013", "40600000"),
        ("2026-11-20T15:29:59", "APBK0013", "40600000"),
        ("2026-11-20T15:30:00", "APBK1058", "40580000"),
        ("2026-11-21T10:00:00", "APBK0919", "40100000"),
        ("2026-12-25T10:00:00", "APBK0919", "40100000"),
        ("2026-11-19T09:20:00", "APBK0918", "40570000"),
        ("2026-11-19T16:20:00", "APBK0013", "40600000"),
    ],
)
@pytest.mark.parametrize("profile", ["real", "mock"])
def test_order_hours(make: Make, profile: str, moment: str, real_code: str, mock_code: str) -> None:
    start = datetime.fromisoformat(moment).replace(tzinfo=SEOUL)
    hand = Hand(make(start=start, profile=profile)).login()
    code = hand.order("buy", "069500", 1, 56_000).code
    assert code == (mock_code if profile == "mock" else real_code)


@pytest.mark.parametrize(
    ("dvsn", "price", "phase_start", "code"),
    [
        ("03", 0, "10:00", "APBK0013"),
        ("04", 0, "10:00", "APBK0013"),
        ("11", PRICE, "10:00", "APBK0013"),
        ("12", PRICE, "10:00", "APBK0013"),
        ("13", 0, "10:00", "APBK0013"),
        ("14", 0, "10:00", "APBK0013"),
        ("11", PRICE, "08:40", "APBK1058"),
        ("13", 0, "15:25", "APBK1058"),
        ("01", 0, "08:40", "APBK0013"),
        ("02", PRICE, "15:25", "APBK0013"),
        ("01", PRICE, "10:00", "APBK0506"),
        ("07", 0, "10:00", "OPSQ2001"),
        ("99", 0, "10:00", "OPSQ2001"),
    ],
)
def test_order_types(make: Make, dvsn: str, price: int, phase_start: str, code: str) -> None:
    start = datetime.fromisoformat(f"2026-11-20T{phase_start}").replace(tzinfo=SEOUL)
    sim = make(start=start)
    hand = Hand(sim).login()
    sim.set_price("069500", PRICE)
    assert hand.order("buy", "069500", 10, price, dvsn).code == code


def test_fok_without_depth_is_taken_and_cancelled_whole(make: Make) -> None:
    account = {"appkey": "K" * 36, "appsecret": "S" * 180, "account": ACCOUNT}
    sim = make(accounts=[{**account, "cash": 10**12}])
    hand = Hand(sim, appkey="K" * 36, appsecret="S" * 180).login()
    sim.set_price("069500", PRICE)
    number = odno(hand.order("buy", "069500", 9_000_000, PRICE + 5, "12"))
    row = hand.fills(ODNO=number)[0]
    assert (row["tot_ccld_qty"], row["cnc_cfrm_qty"], row["rmn_qty"]) == ("0", "9000000", "0")
    assert (row["ccld_cndt_name"], row["cncl_yn"]) == ("FOK", "Y")
    assert int(hand.power().json["output"]["ord_psbl_cash"]) == 10**12


def test_only_krx_on_mock_and_a_market_order_nowhere_but_on_krx(make: Make) -> None:
    real, mock = Hand(make()).login(), Hand(make(profile="mock")).login()
    assert real.order("buy", "069500", 1, EXCG_ID_DVSN_CD="SOR").json["rt_cd"] == "0"
    assert real.order("buy", "069500", 1, EXCG_ID_DVSN_CD="NXT").code == "OPSQ2001"
    assert mock.order("buy", "069500", 1, EXCG_ID_DVSN_CD="SOR").code == "OPSQ2001"
    assert real.fills(EXCG_ID_DVSN_CD="KRX") == []
    assert len(real.fills(EXCG_ID_DVSN_CD="ALL")) == 1


# --- revise and cancel ------------------------------------------------------------------------


def test_cancel_all_gives_a_new_row_linked_to_the_old(pinned: Hand) -> None:
    old = odno(pinned.order("buy", "069500", 10, 50_000))
    new = odno(pinned.change("cancel", old))
    rows = {row["odno"]: row for row in pinned.fills()}
    assert rows[new]["orgn_odno"] == old
    assert (rows[old]["cncl_yn"], rows[old]["cnc_cfrm_qty"], rows[old]["rmn_qty"]) == (
        "Y",
        "10",
        "0",
    )
    for row in rows.values():
        assert int(row["ord_qty"]) == sum(
            int(row[f]) for f in ("tot_ccld_qty", "rmn_qty", "cnc_cfrm_qty", "rjct_qty")
        )
    assert pinned.power().json["output"]["ord_psbl_cash"] == "100000000"
    assert pinned.change("cancel", old).code == "APBK0400"
    assert pinned.open_orders() == []


def test_cancel_part_leaves_the_rest_working(pinned: Hand) -> None:
    old = odno(pinned.order("buy", "069500", 10, 50_000))
    assert pinned.change("cancel", old, qty=4).json["rt_cd"] == "0"
    row = pinned.open_orders()[0]
    assert (row["odno"], row["psbl_qty"]) == (old, "6")
    assert pinned.change("cancel", old, qty=7).code == "APBK0400"


def test_revise_moves_the_rest_to_a_new_number_and_price(pinned: Hand) -> None:
    old = odno(pinned.order("buy", "069500", 10, 50_000))
    new = odno(pinned.change("revise", old, price=PRICE + 100))
    rows = {row["odno"]: row for row in pinned.fills()}
    assert (rows[new]["orgn_odno"], rows[new]["tot_ccld_qty"]) == (old, "10")
    assert (rows[old]["rmn_qty"], rows[old]["tot_ccld_qty"], rows[old]["cncl_yn"]) == (
        "0",
        "0",
        "N",
    )
    assert pinned.sim.truth()["positions"][ACCOUNT] == {"069500": 10}


@pytest.mark.parametrize(
    ("price", "dvsn", "code"),
    [
        (50_001, "00", "APBK0506"),
        (80_000, "00", "APBK0506"),
        (72_800, "00", "APBK0952"),
        (0, "01", "APBK0952"),
        (60_000, "00", "APBK0013"),
    ],
)
def test_a_revised_order_is_checked_like_a_new_one(
    pinned: Hand, price: int, dvsn: str, code: str
) -> None:
    old = odno(pinned.order("buy", "069500", 1_500, 50_000))
    assert pinned.change("revise", old, price=price, dvsn=dvsn).code == code


def test_an_unknown_or_foreign_original_is_refused(pinned: Hand) -> None:
    assert pinned.change("cancel", "0000000001").code == "APBK1663"
    old = odno(pinned.order("buy", "069500", 10, 50_000))
    pinned.account = "87654321-01"
    assert pinned.change("cancel", old).code == "APBK1663"


def test_cancelling_a_filled_order_on_mock(make: Make) -> None:
    hand = Hand(make(profile="mock")).login()
    assert hand.change("cancel", odno(hand.order("buy", "069500", 1))).code == "40330000"


# --- cash and shares --------------------------------------------------------------------------


def test_buying_power_falls_with_reservations_and_says_exactly_what_is_taken(pinned: Hand) -> None:
    before = pinned.power("069500", PRICE).json["output"]
    amount, quantity = int(before["nrcvb_buy_amt"]), int(before["nrcvb_buy_qty"])
    assert amount == 99_985_350
    assert quantity == amount // PRICE
    assert int(before["max_buy_amt"]) > amount
    assert pinned.order("buy", "069500", quantity + 1, 54_995 + 5).code == "APBK0952"
    assert pinned.order("buy", "069500", 1_000, 50_000).json["rt_cd"] == "0"
    after = pinned.power("069500", PRICE).json["output"]
    assert int(after["ord_psbl_cash"]) == 100_000_000 - 50_000_000 - 7_326


def test_a_priceless_question_is_answered_at_the_upper_limit(pinned: Hand) -> None:
    output = pinned.power("069500").json["output"]
    assert output["psbl_qty_calc_unpr"] == pinned.price("069500").json["output"]["stck_mxpr"]


def test_working_sells_lock_their_shares(pinned: Hand) -> None:
    pinned.order("buy", "069500", 10)
    pinned.order("sell", "069500", 6, 60_000)
    row = pinned.balance()[0][0]
    assert (row["hldg_qty"], row["ord_psbl_qty"]) == ("10", "4")
    assert pinned.order("sell", "069500", 5, 60_000).code == "APBK0400"
    assert pinned.order("sell", "069500", 4, 60_000).json["rt_cd"] == "0"


def test_money_settles_two_sessions_later(pinned: Hand) -> None:
    pinned.order("buy", "005930", 10)
    pinned.order("sell", "005930", 10)
    truth = pinned.sim.truth()["cash"][ACCOUNT]
    assert truth["cash"] == 100_000_000
    fills = [r for r in pinned.sim.journal() if r["kind"] == "fill"]
    bought, sold = fills[0], fills[1]
    assert sold["tax"] == sold["amt"] * 20 // 10_000
    costs = bought["amt"] + bought["fee"] - sold["amt"] + sold["fee"] + sold["tax"]
    assert truth["d2_cash"] == 100_000_000 - costs
    money = pinned.balance()[1]
    assert money["dnca_tot_amt"] == money["nxdy_excc_amt"] == "100000000"
    assert money["prvs_rcdl_excc_amt"] == str(truth["d2_cash"])
    pinned.sim.advance(3 * 86_400)
    pinned.login()
    assert pinned.balance()[1]["nxdy_excc_amt"] == str(truth["d2_cash"])
    assert pinned.balance()[1]["dnca_tot_amt"] == "100000000"
    assert [row["hldg_qty"] for row in pinned.balance()[0]] == ["0"]
    pinned.sim.advance(86_400)
    pinned.login()
    assert pinned.balance()[1]["dnca_tot_amt"] == str(truth["d2_cash"])
    assert pinned.sim.truth()["cash"][ACCOUNT]["cash"] == truth["d2_cash"]
    pinned.sim.advance(86_400)
    pinned.login()
    assert pinned.balance()[0] == []


def test_a_withdrawal_never_takes_what_a_later_settlement_needs(pinned: Hand) -> None:
    pinned.order("buy", "005930", 700)
    d2_cash = pinned.sim.truth()["cash"][ACCOUNT]["d2_cash"]
    assert pinned.sim.move_cash(ACCOUNT, -90_000_000) == -d2_cash
    after = pinned.sim.truth()["cash"][ACCOUNT]
    assert (after["d2_cash"], after["cash"]) == (0, 100_000_000 - d2_cash)


# --- the day ----------------------------------------------------------------------------------


def test_pre_open_orders_meet_at_the_opening_price(make: Make) -> None:
    sim = make(start=FRIDAY.replace(hour=8, minute=40))
    hand = Hand(sim).login()
    high, low = (odno(hand.order("buy", "069500", 10, price)) for price in (60_000, 45_000))
    assert hand.fills(CCLD_DVSN="01") == []
    sim.advance(20 * 60)
    fills = [r for r in sim.journal() if r["kind"] == "fill"]
    assert [(f["odno"], f["qty"]) for f in fills] == [(high, 10)]
    assert fills[0]["price"] == int(hand.price("069500").json["output"]["stck_oprc"])
    assert hand.fills(ODNO=low)[0]["rmn_qty"] == "10"


def test_unfilled_day_orders_expire_at_the_close_and_free_their_money(pinned: Hand) -> None:
    number = odno(pinned.order("buy", "069500", 10, 45_000))
    pinned.sim.advance(6 * 3600)
    pinned.login()
    row = pinned.fills(ODNO=number)[0]
    assert (row["rmn_qty"], row["cnc_cfrm_qty"], row["tot_ccld_qty"]) == ("0", "10", "0")
    assert (row["ord_qty"], row["rjct_qty"], row["cncl_yn"]) == ("10", "0", "N"), (
        "nobody took it back"
    )
    expired = [r for r in pinned.sim.journal() if r["kind"] == "expire"]
    assert [(r["odno"], r["qty"]) for r in expired] == [(number, 10)]
    assert pinned.power().json["output"]["ord_psbl_cash"] == "100000000"


def test_the_closing_auction_fills_at_the_close(make: Make) -> None:
    sim = make(start=FRIDAY.replace(hour=15, minute=25))
    hand = Hand(sim).login()
    number = odno(hand.order("buy", "069500", 10, dvsn="01"))
    assert hand.fills(ODNO=number)[0]["tot_ccld_qty"] == "0"
    sim.advance(5 * 60)
    fill = next(r for r in sim.journal() if r["kind"] == "fill")
    assert fill["price"] == int(hand.price("069500").json["output"]["stck_prpr"])
    assert datetime.fromisoformat(fill["vt"]) - FRIDAY.replace(hour=15, minute=30) < timedelta(
        seconds=1
    )


def test_order_numbers_start_again_each_day(pinned: Hand) -> None:
    first = pinned.order("buy", "069500", 1)
    second = pinned.order("buy", "069500", 1)
    assert int(odno(second)) > int(odno(first))
    pinned.sim.advance(3 * 86_400)
    pinned.login()
    pinned.order("buy", "069500", 1)
    dates = {order["trade_date"] for order in pinned.sim.truth()["orders"]}
    assert dates == {"20261120", "20261123"}
    assert len(pinned.fills()) == 1


def test_tomorrows_reference_is_todays_close(make: Make) -> None:
    sim = make(tame=False)
    hand = Hand(sim).login()
    sim.advance(7 * 3600)
    closes = {c: int(hand.price(c).json["output"]["stck_prpr"]) for c in ("005930", "069500")}
    sim.advance(3 * 86_400 - 7 * 3600)
    hand.login()
    for code, close in closes.items():
        assert int(hand.price(code).json["output"]["stck_sdpr"]) == close


def test_an_account_that_never_traded_shows_cash_and_no_rows(hand: Hand) -> None:
    answer = hand.get("balance", {**hand.owner, **BALANCE})
    assert (answer.code, answer.json["output1"]) == ("KIOK0560", [])
    assert answer.json["output2"][0]["dnca_tot_amt"] == "100000000"
