"""Asset classes are called by name wherever a person reads; the API and files keep their codes."""

from __future__ import annotations

import re
from decimal import Decimal
from html import unescape

import pytest
from django.test import Client
from django.utils.translation import override

from portfolio.models import AssetClass, TargetDecision
from portfolio.services import create_model_version
from rebalancing.selectors.words import WORDS
from rebalancing.services.targets import decide_targets
from tests.desk.conftest import DeskWorld
from trading.domain.instruments import InstrumentKind
from trading.models import Instrument
from trading.selectors.words import CLASS_NAMES

pytestmark = [pytest.mark.once, pytest.mark.django_db]
CODES = re.compile(r"\b(STOCK|BOND|ALTERNATIVE|CASH|OTHER)\b")
DRIFT = {
    "mp": {"STOCK": "-12.5", "BOND": "3.1", "OTHER": "9.4"},
    "sub": {"100000": "5.2"},
    "triggers": [["MP", "STOCK"], ["SUB", "100000"]],
}


def read(page: str) -> str:
    """What is on a page to be read: no markup, no scripts, no values of its fields."""
    page = re.sub(r"(?s)<(script|style)\b.*?</\1>|<!--.*?-->", " ", page)
    return unescape(re.sub(r"<[^>]*>", " ", page))


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_class_has_one_name(language: str) -> None:
    with override(language):
        assert {code: str(name) for code, name in CLASS_NAMES.items()} == dict(AssetClass.choices)


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize(
    ("code", "facts"),
    [
        ("class_twice", {"class": "STOCK"}),
        ("class_without_sub", {"class": "BOND"}),
        ("class_not_in_mp", {"class": "ALTERNATIVE"}),
        ("class_without_tickers", {"class": "STOCK", "share": Decimal(10)}),
        ("bad_ticker", {"class": "BOND", "ticker": "x"}),
        ("weights_not_100", {"scope": "STOCK", "total": Decimal(99)}),
        ("weight_negative", {"scope": "MP", "name": "CASH", "value": Decimal(-1)}),
    ],
)
def test_a_sentence_names_the_class(language: str, code: str, facts: dict[str, object]) -> None:
    with override(language):
        text = WORDS.say(code, facts)
        named = str(CLASS_NAMES[str(facts.get("class", facts.get("name", facts.get("scope"))))])
    assert named in text and not CODES.search(text)


def test_what_stands_in_a_file_is_told_as_it_stands_there() -> None:
    assert "BOND" in WORDS.say("csv_class_without_weight", {"name": "BOND"})
    assert "CASH" in WORDS.say("csv_row_twice", {"row": 3, "name": "CASH"})


@pytest.mark.parametrize("language", ["ko", "en"])
def test_no_page_shows_the_code_of_a_class(
    targeted: DeskWorld, staff: Client, language: str
) -> None:
    targeted.snapshot()
    run = targeted.run("COMPLETED", outcome={"drift": DRIFT})
    target = {"mp": {"STOCK": "60.00", "CASH": "40.00"}, "sub": {"STOCK": {"100000": "100.00"}}}
    history = targeted.history(run, target=target, drift_before=DRIFT, drift_after=DRIFT)
    decision = targeted.extras["decision"]
    model = decision.model_version.portfolio_id
    sub = decision.sub_versions.first().portfolio_id
    staff.cookies["django_language"] = language
    with override(language):
        named = str(CLASS_NAMES["STOCK"])
    for path, names in {
        "/": True,
        "/portfolio/": True,
        f"/rebalancing/runs/{run.pk}/": True,
        f"/rebalancing/runs/{run.pk}/why/": False,
        "/admin/portfolio/targetdecision/": False,
        "/admin/portfolio/targetdecision/add/": True,
        f"/admin/portfolio/targetdecision/{decision.pk}/change/": True,
        "/admin/portfolio/targetdecision/import-csv/": False,
        "/admin/portfolio/modelportfolio/": True,
        f"/admin/portfolio/modelportfolio/{model}/change/": True,
        "/admin/portfolio/subportfolio/": True,
        f"/admin/portfolio/subportfolio/{sub}/change/": True,
        f"/admin/rebalancing/rebalancinghistory/{history.pk}/change/": True,
    }.items():
        answer = staff.get(path)
        assert answer.status_code == 200, path
        text = read(answer.content.decode())
        assert CODES.findall(text) == [], path
        assert not names or named in text, path


@pytest.mark.parametrize(
    ("language", "sold", "bought"),
    [
        (
            "ko",
            "매도 새이름 069500: 10주 중 7주, 245,000원 (수수료와 세금 525원)",
            "매수 005930: 3주 중 3주",
        ),
        (
            "en",
            "Sell 새이름 069500: 7 of 10 shares, 245,000 won (fee and tax 525 won)",
            "Buy 005930: 3 of 3 shares",
        ),
    ],
    ids=["ko", "en"],
)
def test_the_fills_of_a_finished_run_are_read_as_sentences(
    targeted: DeskWorld, staff: Client, language: str, sold: str, bought: str
) -> None:
    Instrument.objects.update_or_create(
        ticker="069500", defaults={"name": "새이름", "kind": InstrumentKind.ETF.value}
    )
    costs = {"fee": 35, "tax": 490}
    fills = [
        {"ticker": "069500", "side": "SELL", "planned": 10, "filled": 7, "amount": 245_000} | costs,
        {"ticker": "005930", "side": "BUY", "planned": 3, "filled": 3, "amount": 210_000} | costs,
    ]
    assert not Instrument.objects.filter(ticker="005930").exists(), (
        "an old row may name what is gone"
    )
    targeted.snapshot()
    history = targeted.history(targeted.run("COMPLETED"), fills=fills)
    staff.cookies["django_language"] = language
    answer = staff.get(f"/admin/rebalancing/rebalancinghistory/{history.pk}/change/")
    text = read(answer.content.decode())
    assert sold in text and bought in text
    assert "&quot;ticker" not in answer.content.decode()


def test_the_api_keeps_the_code_and_says_the_name(targeted: DeskWorld) -> None:
    model = targeted.extras["decision"].model_version.portfolio.code
    answer = targeted.client("admin").put(
        "/api/macro-trading/targets",
        {"account": targeted.account.pk, "model_portfolio": model, "sub_portfolios": ["S-T"]},
        content_type="application/json",
    )
    assert answer.status_code == 400
    told = [one for one in answer.json()["violations"] if one["code"] == "class_without_sub"]
    assert [one["class"] for one in told] == ["BOND"]
    assert "채권" in told[0]["detail"] and not CODES.search(answer.json()["detail"])


def test_the_form_for_new_targets_opens_with_those_in_force(
    targeted: DeskWorld, staff: Client
) -> None:
    decision = targeted.extras["decision"]
    page = staff.get(f"/admin/portfolio/targetdecision/add/?account={targeted.account.pk}")
    form = page.context["adminform"].form
    subs = list(decision.sub_versions.all())
    assert form["account"].value() == targeted.account.pk
    assert form["model_version"].value() == decision.model_version_id
    assert set(form["sub_versions"].value()) == {version.pk for version in subs}
    text = page.content.decode()
    assert f'value="{decision.model_version_id}" selected' in text
    assert text.count("checked") >= len(subs) == 2
    assert f"/admin/portfolio/targetdecision/add/?account={targeted.account.pk}" in staff.get(
        "/portfolio/"
    ).content.decode().replace("&amp;", "&")


def test_an_older_version_that_is_still_followed_is_named_beside_the_newest_that_is_chosen(
    targeted: DeskWorld, staff: Client
) -> None:
    decision = targeted.extras["decision"]
    portfolio = decision.model_version.portfolio
    newer = create_model_version(
        portfolio, {"STOCK": Decimal(50), "BOND": Decimal(40), "CASH": Decimal(10)}, by="test"
    )
    page = staff.get("/admin/portfolio/targetdecision/add/")
    assert page.context["adminform"].form["model_version"].value() == newer.pk
    text = read(page.content.decode())
    assert f"{targeted.account}의 목표: {decision.model_version}" in text
    decide_targets(targeted.account, newer, list(decision.sub_versions.all()), by="test")
    text = read(staff.get("/admin/portfolio/targetdecision/add/").content.decode())
    assert f"{targeted.account}의 목표: {newer}" in text


def test_the_form_of_an_account_without_targets_is_empty_and_of_a_strangers_is_none(
    targeted: DeskWorld, staff: Client
) -> None:
    TargetDecision.objects.all().delete()
    form = staff.get("/admin/portfolio/targetdecision/add/").context["adminform"].form
    assert form["account"].value() == targeted.account.pk
    assert not form["model_version"].value() and not form["sub_versions"].value()
    assert staff.get("/admin/portfolio/targetdecision/add/?account=999999").status_code == 404
