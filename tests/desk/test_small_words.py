"""Words on single pages that were in the wrong language, or in nobody's."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.translation import override

from portfolio.models import TargetDecision
from rebalancing.selectors.words import WORDS
from tests.desk.conftest import DeskWorld
from trading.models import Instrument, Lot, Sleeve
from trading.selectors.words import shown
from trading.services.ledger import CORE, EXTERNAL, sleeve_of
from trading.templatetags.jeoul import change_won, inside, won

pytestmark = pytest.mark.django_db
LANGUAGES = pytest.mark.parametrize("language", ["ko", "en"])


def text_of(client: Client, path: str, language: str) -> str:
    client.cookies["django_language"] = language
    answer = client.get(path)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"(?s)<[^>]*>", " ", answer.content.decode()))


def test_a_known_sleeve_is_called_in_the_readers_language(desk: DeskWorld) -> None:
    for language, core, outside in (("ko", "MP 코어", "외부"), ("en", "MP core", "External")):
        with override(language):
            assert str(sleeve_of(desk.account, CORE)) == core
            assert str(sleeve_of(desk.account, EXTERNAL)) == outside
    kept = Sleeve.objects.order_by("pk").values_list("name", flat=True)
    assert list(kept) == ["MP 코어", "외부"], "rows stay as they were"


def test_another_sleeve_keeps_its_own_name(desk: DeskWorld) -> None:
    swing = Sleeve.objects.create(account=desk.account, code="swing", name="Swing 장기")
    with override("en"):
        assert str(swing) == "Swing 장기"


def test_the_portfolio_page_names_the_sleeves_of_its_lots(
    desk: DeskWorld, instruments: Callable[[int], list[str]]
) -> None:
    instruments(1)
    desk.snapshot()
    for code in (CORE, EXTERNAL):
        Lot.objects.create(
            account=desk.account,
            sleeve=sleeve_of(desk.account, code),
            instrument=Instrument.objects.get(),
            quantity=5,
            open_quantity=5,
            cost=50_000,
            opened_at=timezone.now(),
        )
    client = desk.client("viewer")
    assert "MP 코어" in text_of(client, "/portfolio/", "ko")
    english = text_of(client, "/portfolio/", "en")
    assert "MP core" in english and "External" in english and "코어" not in english


@pytest.mark.parametrize(
    ("language", "said", "set_one"),
    [
        ("ko", "비밀번호 자체는 저장하지 않아 아무도 볼 수 없습니다.", "정해져 있습니다."),
        ("en", "The password itself is not stored, so nobody can see it.", "There is one."),
    ],
)
def test_of_a_password_the_page_says_whether_there_is_one(
    staff: Client, targeted: DeskWorld, language: str, said: str, set_one: str
) -> None:
    person = targeted.people["trader"]
    path = f"/admin/auth/user/{person.pk}/change/"
    page = text_of(staff, path, language)
    assert said in page and set_one in page
    assert "Raw password" not in page and "md5" not in page
    person.set_unusable_password()
    person.save()
    page = text_of(staff, path, language)
    assert said in page and set_one not in page


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("ko", "비밀번호가 없으면 이 사람은 들어올 수 없습니다."),
        ("en", "Without a password this person cannot sign in."),
    ],
)
def test_a_new_person_without_a_password_has_no_other_way_in(
    staff: Client, targeted: DeskWorld, language: str, said: str
) -> None:
    page = text_of(staff, "/admin/auth/user/add/", language)
    assert said in page and "LDAP" not in page


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("ko", "취소할 주문이 목록에 살아 있지 않아 취소하지 않았습니다."),
        ("en", "Nothing was cancelled: the order to cancel is not alive in the broker's list."),
    ],
)
def test_a_cancel_that_found_nothing_says_so(language: str, said: str) -> None:
    with override(language):
        assert WORDS.say("nothing to cancel") == said


@pytest.mark.parametrize(
    ("language", "headings"),
    [
        ("ko", ("기간", "심각도")),
        ("en", ("Period", "Severity")),
    ],
)
def test_what_a_list_is_filtered_by_reads_well(
    staff: Client, targeted: DeskWorld, language: str, headings: tuple[str, ...]
) -> None:
    page = text_of(staff, "/admin/trading/alert/", language)
    for heading in headings:
        assert f" {heading} " in page
    assert "By For how long" not in page and "(으)로" not in page


@pytest.mark.parametrize(
    ("title", "word"),
    [("Status", "status"), ("For how long", "for how long"), ("MP version", "MP version"),
     ("Sub-MP", "Sub-MP"), ("API tokens", "API tokens"), ("상태", "상태"), ("", "")],
)  # fmt: skip
def test_a_heading_inside_a_sentence_is_not_shouted(title: str, word: str) -> None:
    assert inside(title) == word


@pytest.mark.parametrize(("language", "label"), [("ko", "Sub-MP 버전"), ("en", "Sub-MP version")])
def test_a_target_names_its_versions(
    staff: Client, targeted: DeskWorld, language: str, label: str
) -> None:
    decided = TargetDecision.objects.get()
    path = f"/admin/portfolio/targetdecision/{decided.pk}/change/"
    page = text_of(staff, path, language)
    assert label in page and "Sub versions" not in page


@LANGUAGES
def test_how_long_a_token_lives_is_asked_in_words(desk: DeskWorld, language: str) -> None:
    page = text_of(desk.client("viewer"), "/accounts/tokens/", language)
    assert ("유효 기간" if language == "ko" else "For how long") in page


def test_a_run_without_orders_has_one_name_everywhere(targeted: DeskWorld) -> None:
    targeted.people["trader"].is_staff = True
    targeted.people["trader"].save()
    run = targeted.run("CANCELED", dry_run=True, end_reason="dry_run")
    client = targeted.client("trader")
    for path in ("/rebalancing/start/", "/rebalancing/", f"/rebalancing/runs/{run.pk}/"):
        page = client.get(path).content.decode()
        assert "모의 계산" in page and "시험" not in page, path
    assert "주문 방법을 Gemini에게 물어보기" in client.get("/rebalancing/start/").content.decode()


@pytest.mark.parametrize(("language", "said"), [("ko", "−27,477원"), ("en", "−₩27,477")])
def test_the_sign_of_an_amount_stands_before_its_currency(language: str, said: str) -> None:
    with override(language):
        assert won(-27_477) == said and won(27_477) == said[1:]
        assert change_won(-27_477).count(said) == 1
    assert shown("real", -27_477) == "−27,477" and shown("order_no", "-1") == "-1"


def test_the_act_of_a_run_comes_before_what_it_is_about(targeted: DeskWorld) -> None:
    run = targeted.run()
    page = targeted.client("approver").get(f"/rebalancing/runs/{run.pk}/").content.decode()
    assert page.index('id="run-action"') < page.index('id="run-progress"')
    assert page.count("API 토큰</a>") == 2 and "관리하기" not in page
