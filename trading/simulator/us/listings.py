"""What is listed on the simulated US exchanges: real names and codes as labels, invented numbers."""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

__all__ = [
    "EXCD",
    "EXCHANGES",
    "INDICES",
    "LISTINGS",
    "PRODUCT_TYPES",
    "Facts",
    "UsListing",
    "facts_of",
]

EXCHANGES = {"NASD": "나스닥", "NYSE": "뉴욕거래소", "AMEX": "아멕스"}
"""Exchanges as orders and accounts name them."""
EXCD = {"NASD": "NAS", "NYSE": "NYS", "AMEX": "AMS"}
"""The same exchanges as quotations name them."""
PRODUCT_TYPES = {"NASD": "512", "NYSE": "513", "AMEX": "529"}
"""The broker's product type of what is listed there."""


@dataclass(frozen=True, slots=True)
class UsListing:
    """One instrument: `base` cents (hundredths of a point of an index) on the first day, `sigma`
    of a day, `volume` shares of a day. An index has no exchange."""

    code: str
    name: str
    english: str
    exchange: str
    base: int
    sigma: float
    volume: int
    fund: bool = False
    isin: str = ""
    sector: str = ""

    @property
    def kind(self) -> None:
        """No price grid of KRX: a cent is the step at every price."""
        return None

    @property
    def excd(self) -> str:
        return EXCD[self.exchange]

    @property
    def shares(self) -> int:
        """Shares listed."""
        return self.volume * 250


def _stock(
    code: str, name: str, english: str, exchange: str, base: int, sigma: float, volume: int,
    isin: str, sector: str,
) -> UsListing:  # fmt: skip
    return UsListing(code, name, english, exchange, base, sigma, volume, False, isin, sector)


def _fund(
    code: str, name: str, english: str, exchange: str, base: int, sigma: float, volume: int,
    isin: str,
) -> UsListing:  # fmt: skip
    return UsListing(code, name, english, exchange, base, sigma, volume, True, isin, "ETF")


LISTINGS: dict[str, UsListing] = {
    row.code: row
    for row in (
        _stock("AAPL", "애플", "APPLE INC", "NASD", 27_150, 0.016, 48_000_000,
               "US0378331005", "컴퓨터와 주변기기"),
        _stock("MSFT", "마이크로소프트", "MICROSOFT CORP", "NASD", 50_230, 0.014, 21_000_000,
               "US5949181045", "소프트웨어"),
        _stock("NVDA", "엔비디아", "NVIDIA CORP", "NASD", 18_640, 0.027, 180_000_000,
               "US67066G1040", "반도체"),
        _stock("AMZN", "아마존닷컴", "AMAZON.COM INC", "NASD", 23_480, 0.019, 38_000_000,
               "US0231351067", "인터넷 소매"),
        _stock("GOOGL", "알파벳 A", "ALPHABET INC-CL A", "NASD", 29_115, 0.017, 30_000_000,
               "US02079K3059", "인터넷 서비스"),
        _stock("TSLA", "테슬라", "TESLA INC", "NASD", 41_275, 0.033, 85_000_000,
               "US88160R1014", "자동차"),
        _stock("COST", "코스트코", "COSTCO WHOLESALE CORP", "NASD", 91_860, 0.012, 1_900_000,
               "US22160K1051", "할인점"),
        _stock("KO", "코카콜라", "COCA-COLA CO/THE", "NYSE", 7_105, 0.009, 14_000_000,
               "US1912161007", "음료"),
        _stock("BRK/B", "버크셔 해서웨이 B", "BERKSHIRE HATHAWAY INC-CL B", "NYSE", 49_820, 0.010,
               3_600_000, "US0846707026", "보험"),
        _stock("PFE", "화이자", "PFIZER INC", "NYSE", 2_533, 0.013, 36_000_000,
               "US7170811035", "제약"),
        _fund("QQQ", "인베스코 QQQ", "INVESCO QQQ TRUST", "NASD", 61_180, 0.013, 42_000_000,
              "US46090E1038"),
        _fund("TLT", "아이셰어즈 20년 이상 국채", "ISHARES 20+ YEAR TREASURY BOND", "NASD", 8_944,
              0.008, 36_000_000, "US4642874329"),
        _fund("SPY", "SPDR S&P 500", "SPDR S&P 500 ETF TRUST", "AMEX", 66_790, 0.010, 62_000_000,
              "US78462F1030"),
        _fund("VOO", "뱅가드 S&P 500", "VANGUARD S&P 500 ETF", "AMEX", 61_405, 0.010, 6_200_000,
              "US9229083632"),
        _fund("GLD", "SPDR 골드", "SPDR GOLD SHARES", "AMEX", 37_820, 0.010, 9_500_000,
              "US78463V1070"),
    )
}  # fmt: skip

INDICES: dict[str, UsListing] = {
    row.code: row
    for row in (
        UsListing(".DJI", "다우존스 산업지수", "DOW JONES", "", 4_715_000, 0.009, 520_000_000),
        UsListing("SPX", "S&P500", "S&P 500", "", 669_500, 0.010, 2_900_000_000),
        UsListing("COMP", "나스닥 종합", "NASDAQ COMPOSITE", "", 2_310_500, 0.013, 8_100_000_000),
        UsListing("NDX", "나스닥 100", "NASDAQ 100", "", 2_510_200, 0.013, 1_700_000_000),
    )
}
"""Not traded; prices are hundredths of a point."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known beside prices, in cents a share; a fund has no earnings and no book value."""

    eps: int
    bps: int
    par: Decimal
    group: int
    sedol: str
    listed: str

    def per(self, price: int) -> Decimal:
        return _ratio(price, self.eps)

    def pbr(self, price: int) -> Decimal:
        return _ratio(price, self.bps)


def _ratio(price: int, value: int) -> Decimal:
    return (Decimal(price) / value).quantize(Decimal("0.01")) if value else Decimal("0.00")


@lru_cache(maxsize=1_000)
def facts_of(seed: int, listing: UsListing) -> Facts:
    """The facts of one listing, a pure function of its arguments."""
    rng = random.Random(f"{seed}:us:facts:{listing.code}")
    eps, bps = int(listing.base / rng.uniform(12, 45)), int(listing.base / rng.uniform(2, 12))
    par = rng.choice((Decimal("0.00001"), Decimal("0.00100"), Decimal("0.01000")))
    group, sedol = rng.randint(1_000, 9_999), f"{rng.randint(2_000_000, 2_999_999)}"
    listed = f"{rng.randint(1975, 2010)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}"
    if listing.fund:
        return Facts(0, 0, Decimal("0.00000"), group, sedol, listed)
    return Facts(eps, bps, par, group, sedol, listed)
