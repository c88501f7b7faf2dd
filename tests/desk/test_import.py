"""Targets by file in the admin: seen before they are made, made exactly as seen, or not at all."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from portfolio.domain.weights_csv import read_weights
from portfolio.models import AssetClass, ModelPortfolioVersion, TargetDecision
from portfolio.selectors.csv_words import csv_meanings
from rebalancing.services.imports import import_targets
from rebalancing.services.targets import decide_targets
from tests.desk.conftest import DeskWorld
from trading.domain.errors import InputError
from trading.models import Account, Instrument, Proposal
from trading.services.proposals import agree

pytestmark = pytest.mark.once
PAGE = "/admin/portfolio/targetdecision/import-csv/"
OUT = "/admin/portfolio/targetdecision/export-csv/"
GOOD = (
    "asset_class,ticker,percent\nSTOCK,,50\nBOND,,40\nCASH,,10\n"
    "STOCK,100000,25\nSTOCK,100001,75\nBOND,100002,100\n"
)


def sent(client: Client, desk: DeskWorld, text: str, name: str = "weights.csv"):
    file = SimpleUploadedFile(name, text.encode())
    return client.post(PAGE, {"account": desk.account.pk, "file": file})


def seen_in(page: str) -> str:
    return page.split('hidden" name="seen" value="')[1].split('"')[0]


def test_a_file_is_shown_first_and_then_made(staff: Client, targeted: DeskWorld) -> None:
    before = TargetDecision.objects.count(), ModelPortfolioVersion.objects.count()
    page = sent(staff, targeted, GOOD).content.decode()
    assert "이 목표로 바꾸기" in page and "<strong>75.00 %</strong>" in page
    assert (TargetDecision.objects.count(), ModelPortfolioVersion.objects.count()) == before
    done = staff.post(PAGE, {"seen": seen_in(page)})
    made = TargetDecision.objects.first()
    assert made is not None and done.url.endswith(f"/{made.pk}/change/")
    assert made.decided_by == "admin" and made.account == targeted.account
    assert made.snapshot["mp"] == {"STOCK": "50.00", "BOND": "40.00", "CASH": "10.00"}
    assert made.snapshot["sub"]["STOCK"] == {"100000": "25.00", "100001": "75.00"}


def test_what_goes_out_comes_in_again_unchanged(staff: Client, targeted: DeskWorld) -> None:
    out = staff.get(OUT)
    assert out["Content-Type"] == "text/csv; charset=utf-8"
    page = sent(staff, targeted, out.content.decode("utf-8")).content.decode()
    table = page.split("h-preview")[1].split("</table>")[0]
    assert (
        "바꿀 것이 없습니다" in page and "<strong>" not in table and page.count('name="seen"') == 1
    ), "the badge's"


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_file_in_one_language_is_read_in_the_other(
    staff: Client, targeted: DeskWorld, language: str
) -> None:
    text = staff.get(OUT, headers={"accept-language": language}).content.decode("utf-8")
    words = (
        ("자산군,종목코드,비중 %", "주식") if language == "ko" else ("Asset class,Ticker", "Stock")
    )
    assert all(word in text for word in words) and "STOCK" not in text
    other = {"ko": "en", "en": "ko"}[language]
    file = SimpleUploadedFile("weights.csv", text.encode())
    asked = {"account": targeted.account.pk, "file": file}
    answer = staff.post(PAGE, asked, headers={"accept-language": other})
    assert answer.status_code == 200 and "h-preview" in answer.content.decode()
    assert {"비중", "weight", "자산군", "종목코드", "ticker"} <= {*csv_meanings()}


def test_what_stays_keeps_its_version_and_the_preview_says_so(
    staff: Client, targeted: DeskWorld
) -> None:
    before = TargetDecision.objects.get()
    bonds = before.sub_versions.get(portfolio__asset_class="BOND")
    rows = "".join(f"BOND,{t},{w}\n" for t, w in bonds.weights_by_ticker().items())
    mp = "".join(f"{c},,{w}\n" for c, w in before.model_version.weights_by_class().items())
    text = f"asset_class,ticker,percent\n{mp}STOCK,100000,25\nSTOCK,100001,75\n{rows}"
    page = sent(staff, targeted, text).content.decode()
    assert "그대로 둡니다:" in page and "MP MP-T v1" in page and "채권 B-T v1" in page
    assert "새 버전을 만듭니다: 주식 S-T v2" in page
    assert "+25.00 %p" in page and "−25.00 %p" in page, "the difference"
    staff.post(PAGE, {"seen": seen_in(page)})
    made = TargetDecision.objects.first()
    assert made is not None and made.pk != before.pk
    assert made.model_version == before.model_version and bonds in made.sub_versions.all()
    assert made.sub_versions.get(portfolio__asset_class="STOCK").number == 2


def test_a_file_that_changes_nothing_makes_nothing(staff: Client, targeted: DeskWorld) -> None:
    weights = read_weights(staff.get(OUT).content, AssetClass.values, csv_meanings())
    ruling = TargetDecision.objects.get()
    with pytest.raises(InputError, match="csv_nothing_changes"):
        import_targets(targeted.account, weights, by="t", reason="", seen=ruling.pk)
    assert TargetDecision.objects.count() == 1


def test_why_is_kept_once_and_said_in_the_readers_language(
    staff: Client, targeted: DeskWorld
) -> None:
    page = sent(staff, targeted, GOOD).content.decode()
    staff.post(PAGE, {"seen": seen_in(page)}, headers={"accept-language": "en"})
    made = TargetDecision.objects.first()
    assert made is not None and made.reason == "CSV 파일에서 가져옴"
    for path in ("portfolio/targetdecision/", f"portfolio/targetdecision/{made.pk}/change/"):
        english = staff.get(f"/admin/{path}", headers={"accept-language": "en"}).content.decode()
        assert "Imported from a CSV file" in english and made.reason not in english, path


def test_a_list_of_portfolios_goes_out_as_what_it_lists(staff: Client, targeted: DeskWorld) -> None:
    models = staff.get("/admin/portfolio/modelportfolio/export-csv", follow=True).content.decode()
    assert "MP-T,Test,v1,주식,60.00" in models and "100000" not in models
    subs = staff.get("/admin/portfolio/subportfolio/export-csv", follow=True).content.decode()
    assert "S-T,S-T,v1,주식,100000,Fund 100000,50.00" in subs and "B-T" in subs


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD.replace("100001", "999999"), "999999"),
        (GOOD.replace("BOND,,40", "BOND,,41"), "100"),
        (GOOD + "GOLD,,1\n", "GOLD"),
        (GOOD.replace("BOND,,40", "BOND,,0").replace("STOCK,,50", "STOCK,,90"), "BOND"),
        ("<script>alert(1)</script>", "asset_class"),
    ],
    ids=["unknown name", "not 100", "unknown class", "class without weight", "no columns"],
)
def test_a_wrong_file_changes_nothing_and_says_why(
    staff: Client, targeted: DeskWorld, text: str, said: str
) -> None:
    before = TargetDecision.objects.count(), ModelPortfolioVersion.objects.count()
    answer = sent(staff, targeted, text, name="../../settings.py")
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "jeoul-problem" in page and said in page and "<script>alert" not in page
    assert 'hidden" name="seen"' not in page
    assert (TargetDecision.objects.count(), ModelPortfolioVersion.objects.count()) == before


def test_only_what_was_seen_can_be_confirmed(staff: Client, targeted: DeskWorld) -> None:
    seen = seen_in(sent(staff, targeted, GOOD).content.decode())
    before = TargetDecision.objects.count()
    assert staff.post(PAGE, {"seen": seen[:-2] + "xx"}, follow=True).status_code == 200
    assert TargetDecision.objects.count() == before


def test_targets_that_changed_since_are_not_written_over_and_no_file_counts_twice(
    staff: Client, targeted: DeskWorld
) -> None:
    seen = seen_in(sent(staff, targeted, GOOD).content.decode())
    assert staff.post(PAGE, {"seen": seen}).status_code == 302
    count = TargetDecision.objects.count()
    again = staff.post(PAGE, {"seen": seen}, follow=True).content.decode()
    assert "목표가 바뀌었습니다" in again
    assert TargetDecision.objects.count() == count


def test_what_another_account_follows_is_left_alone(staff: Client, targeted: DeskWorld) -> None:
    before = TargetDecision.objects.get()
    other = Account.objects.create(
        name="Other", environment="sim", wire="real", account_no="99887755-01",
        app_key="k" * 36, app_secret="s" * 180,
    )  # fmt: skip
    decide_targets(other, before.model_version, list(before.sub_versions.all()), by="test")
    page = sent(staff, targeted, GOOD).content.decode()
    staff.post(PAGE, {"seen": seen_in(page)})
    made = TargetDecision.objects.filter(account=targeted.account).first()
    assert made is not None and made.model_version.portfolio != before.model_version.portfolio
    assert before.model_version.portfolio.versions.count() == 1
    names = [str(v.portfolio) for v in (made.model_version, *made.sub_versions.all())]
    assert not any(targeted.account.name in name for name in names), "everybody reads these names"


def test_only_admins_of_the_account(staff: Client, targeted: DeskWorld) -> None:
    assert sent(targeted.client("viewer"), targeted, GOOD).status_code == 403
    assert sent(targeted.client("stranger"), targeted, GOOD).status_code == 404
    assert targeted.client("stranger").get(OUT).status_code == 404
    assert targeted.client("viewer").get(OUT).status_code == 200


@pytest.mark.parametrize(("policy", "waits"), [("four_eyes", True), ("owner_practice", False)])
def test_under_four_eyes_a_file_is_proposed_and_another_person_agrees(
    staff: Client, targeted: DeskWorld, policy: str, waits: bool
) -> None:
    targeted.policy(policy)
    before = TargetDecision.objects.count()
    page = sent(staff, targeted, GOOD).content.decode()
    answer = staff.post(PAGE, {"seen": seen_in(page)})
    assert answer.status_code == 302
    assert TargetDecision.objects.count() == before + (not waits)
    if waits:
        agree(Proposal.objects.get(kind="targets").pk, targeted.people["approver"])
    newest = TargetDecision.objects.order_by("-pk")[0]
    assert newest.snapshot["mp"]["STOCK"] == "50.00"
    assert newest.agreed_by == ("approver" if waits else "")


@pytest.mark.parametrize(("policy", "waits"), [("four_eyes", True), ("owner_practice", False)])
def test_the_button_says_whether_it_changes_or_proposes(
    staff: Client, targeted: DeskWorld, policy: str, waits: bool
) -> None:
    targeted.policy(policy)
    page = sent(staff, targeted, GOOD).content.decode()
    assert ("이 목표를 제안하기" in page, "이 목표로 바꾸기" in page) == (waits, not waits)


def test_a_code_that_lost_its_zeros_is_told_with_the_one_that_was_meant(
    staff: Client, targeted: DeskWorld
) -> None:
    Instrument.objects.create(ticker="069500", name="KODEX 200", kind="etf", tradable=True)
    short = GOOD.replace("100001", "69500")
    assert "069500로 적으세요" in sent(staff, targeted, short).content.decode()
    unknown = sent(staff, targeted, GOOD.replace("100001", "69501")).content.decode()
    assert "앞의 0이 사라졌습니다 (69501)" in unknown and "069501" not in unknown
    other = sent(staff, targeted, GOOD.replace("100001", "69-500")).content.decode()
    assert "종목 코드가 아닙니다 (69-500)" in other and "사라졌습니다" not in other
