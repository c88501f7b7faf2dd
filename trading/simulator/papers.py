"""What an instrument is on paper: its numbers, names, dates and trades. A seeded table.

Names and codes are those of the listing; what nobody told the listing is invented.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from trading.simulator.brokers import BROKERS
from trading.simulator.prices import Listing

__all__ = ["Paper", "is_domestic", "isin", "paper_of"]

ENGLISH = {
    "삼성전자": "Samsung Electronics",
    "SK하이닉스": "SK hynix",
    "카카오": "Kakao",
    "LG화학": "LG Chem",
    "현대차": "Hyundai Motor",
    "셀트리온": "Celltrion",
    "에코프로비엠": "EcoPro BM",
}
FIRST_LISTED = {False: date(1976, 1, 5), True: date(2002, 10, 14)}
LAST_LISTED = date(2012, 12, 28)
INDUSTRIES = {
    "전기·전자": ("032604", "전자부품 제조업"),
    "화학": ("032004", "기초 화학물질 제조업"),
    "운송장비·부품": ("033001", "자동차 및 부품 제조업"),
    "의료·정밀기기": ("032701", "의료용 기기 제조업"),
    "유통": ("074600", "상품 종합 도매업"),
    "금융": ("116400", "금융업"),
    "건설": ("064100", "종합 건설업"),
    "통신": ("106100", "전기 통신업"),
}
ELSEWHERE = (
    "미국", "S&P", "나스닥", "차이나", "중국", "일본", "인도", "글로벌", "국고채", "채권", "회사채",
    "단기", "금현물", "골드", "원유", "달러", "선물", "인버스", "레버리지", "TDF",
)  # fmt: skip
"""Words of funds whose holdings are not listed here."""
LETTERS = {letter: str(place + 10) for place, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ")}


@dataclass(frozen=True, slots=True)
class Paper:
    """Facts of one listing; `industry` is a code and a name, both empty of a fund."""

    isin: str
    english: str
    listed: date
    industry: tuple[str, str]
    ocr: str
    provider: str
    tracking_error: float
    provider_part: float


def isin(code: str) -> str:
    """The twelve characters of a Korean share, check digit included."""
    body = f"KR7{code}00"
    digits = "".join(LETTERS.get(letter, letter) for letter in body)
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled // 10 + doubled % 10
    return f"{body}{-total % 10}"


def is_domestic(listing: Listing) -> bool:
    """True for a fund that holds shares listed here."""
    return listing.kind.is_fund and not any(word in listing.name for word in ELSEWHERE)


@lru_cache(maxsize=10_000)
def paper_of(seed: int, listing: Listing, sector: str) -> Paper:
    """The facts of one listing, a pure function of its arguments."""
    rng = random.Random(f"{seed}:paper:{listing.code}")
    first = FIRST_LISTED[listing.kind.is_fund]
    english = listing.name if listing.name.isascii() else f"Issue {listing.code}"
    return Paper(
        isin=isin(listing.code),
        english=ENGLISH.get(listing.name, english),
        listed=first + timedelta(days=rng.randint(0, (LAST_LISTED - first).days)),
        industry=INDUSTRIES.get(sector, ("", "")),
        ocr=f"{rng.randint(1_000, 9_999)}",
        provider=rng.choice([one.name for one in BROKERS if not one.foreign]),
        tracking_error=rng.uniform(0.05, 0.9),
        provider_part=rng.uniform(2, 30),
    )
