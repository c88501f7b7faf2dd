"""What every broker call has in common on the wire: TR ids, field filling, refusals, paging.

Field names, paths and TR ids come from `trading.kis_wire`; the meaning put into them is ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

from trading.kis_wire import Call, calls
from trading.simulator.http import Reply, json_reply

__all__ = [
    "Ask",
    "Refusal",
    "Service",
    "fill",
    "found",
    "page",
    "refuse",
    "service_of",
    "services",
]

Row = TypeVar("Row")

MSG_WIDTH = 80
MESSAGES = {
    "EGW00102": "앱키가 존재하지 않습니다.",
    "EGW00103": "유효하지 않은 AppKey입니다.",
    "EGW00104": "앱시크릿키가 존재하지 않습니다.",
    "EGW00105": "유효하지 않은 AppSecret입니다.",
    "EGW00115": "grant_type이 존재하지 않습니다.",
    "EGW00116": "지원하지 않는 grant_type입니다.",
    "EGW00121": "유효하지 않은 token 입니다.",
    "EGW00122": "token을 찾을 수 없습니다.",
    "EGW00123": "기간이 만료된 token 입니다.",
    "EGW00131": "유효하지 않은 hashkey입니다.",
    "EGW00132": "Content-Type이 유효하지 않습니다.",
    "EGW00133": "접근토큰 발급 잠시 후 다시 시도하세요(1분당 1회)",
    "EGW00201": "초당 거래건수를 초과하였습니다.",
    "EGW00202": "GW라우팅 중 오류가 발생했습니다.",
    "EGW00203": "OPS라우팅 중 오류가 발생했습니다.",
    "EGW00205": "Credentials_type이 유효하지 않습니다.(Bearer)",
    "EGW00215": "원장 초당 거래건수를 초과하였습니다.",
    "EGW00301": "연결시간이 초과하였습니다. 직전 거래를 반드시 확인하세요.",
    "EGW00302": "거래시간이 초과되었습니다. 직전 거래를 반드시 확인하세요.",
    "EGW02004": "실전투자 TR이 아닙니다.",
    "OPSQ0002": "없는 서비스 코드 입니다.",
    "OPSQ2000": "ERROR : INPUT INVALID_CHECK_ACNO",
    "OPSQ2001": "ERROR : INPUT FIELD NOT FOUND",
    "OPSQ2002": "ERROR : INPUT FIELD SIZE OVER",
    "OPSQ9995": "ERROR : BODY NOT FOUND",
    "OPSQ9997": "ERROR : JSON PARSING",
    "OPSQ9999": "ERROR : TR_ID NOT FOUND",
}
REQUIRED_PAGING = frozenset({"CTX_AREA_FK100", "CTX_AREA_NK100", "CTX_AREA_FK", "CTX_AREA_NK"})
UNMEASURED = frozenset({"SHT_CD"})
"""Fields that the portal's own examples overrun."""

LEDGER_CALLS = frozenset(
    {
        "order_cash",
        "order_rvsecncl",
        "inquire_psbl_rvsecncl",
        "inquire_balance",
        "inquire_psbl_order",
        "inquire_daily_ccld",
        "inquire_psbl_sell",
        "inquire_balance_rlz_pl",
        "inquire_period_trade_profit",
        "inquire_period_profit",
        "inquire_account_balance",
        "overseas_order",
        "overseas_order_rvsecncl",
        "overseas_inquire_balance",
        "overseas_inquire_present_balance",
        "overseas_inquire_psamount",
        "overseas_inquire_nccs",
        "overseas_inquire_ccnl",
        "overseas_inquire_period_profit",
        "overseas_inquire_period_trans",
        "overseas_inquire_paymt_stdr_balance",
        "overseas_foreign_margin",
        "overseas_order_resv",
        "overseas_order_resv_ccnl",
        "overseas_order_resv_list",
    }
)
WIDTHS_UNKNOWN = frozenset({"overseas_inquire_period_profit", "order_credit"})
"""The portal's widths of these cannot be meant: dates of two digits, codes of five."""
NUMBERS = frozenset({"integer", "amount", "price", "decimal", "decimal %"})


@dataclass(frozen=True, slots=True)
class Service:
    """What one TR id stands for: a call, its variant (side or period), and where it is offered."""

    call: Call
    variant: str
    real: bool
    mock: bool

    @property
    def ledger(self) -> bool:
        return self.call.name in LEDGER_CALLS


@dataclass(slots=True)
class Ask:
    """One business call being answered; parameter names are upper case."""

    service: Service
    params: dict[str, str]
    account: str
    tr_id: str
    next_page: bool
    seq: int
    nonce: str
    options: dict[str, Any] = field(default_factory=dict)

    def get(self, name: str, default: str = "") -> str:
        return self.params.get(name, default).strip()

    def page_number(self) -> int:
        """1 for a first page, 2 for any later one: a continuation says no more than its key."""
        return 2 if self.next_page and self.get(self.key_name("NK")) else 1

    def key_name(self, part: str) -> str:
        return next((n for n in self.params if n.startswith(f"CTX_AREA_{part}")), "")

    @property
    def side(self) -> str:
        side = self.service.variant.partition(":")[0]
        return side if side in ("buy", "sell") else ""

    @property
    def market(self) -> str:
        """The market that the TR id stands for, named by its first exchange; empty without one."""
        return self.service.variant.partition(":")[2]


class Refusal(Exception):
    """A refusal to be sent: `status` 500 for the gateway's codes, 200 for the business's."""

    def __init__(self, code: str, text: str = "", status: int | None = None) -> None:
        self.code = code
        self.text = text or MESSAGES.get(code, "처리 중 오류가 발생하였습니다.")
        self.status = status or (500 if code.startswith("EGW") else 200)
        super().__init__(code)


def services() -> dict[str, Service]:
    """Every TR id, old and new, of both environments."""
    table: dict[str, Service] = {}
    for call in calls().values():
        for tr in call.trs:
            for tr_id, real, mock in (
                (tr.real, True, tr.real == tr.mock),
                (tr.mock, tr.real == tr.mock, True),
                (tr.legacy_real, True, False),
                (tr.legacy_mock, False, True),
            ):
                if tr_id:
                    table[tr_id] = Service(call, tr.variant, real, mock and call.mock)
    return table


SERVICES = services()


def service_of(tr_id: str, path: str, mock: bool) -> Service:
    """The service behind a TR id on this host. Raises Refusal."""
    if not tr_id:
        raise Refusal("OPSQ9999")
    service = SERVICES.get(tr_id)
    if service is None or service.call.path != path:
        raise Refusal("OPSQ0002")
    if mock and not service.mock and not service.call.mock:
        raise Refusal("OPSQ0002")
    if not (service.mock if mock else service.real):
        raise Refusal("EGW02004", "모의투자 TR이 아닙니다." if mock else "")
    return service


def check_params(service: Service, params: Mapping[str, str]) -> None:
    """Every required field present (empty is fine), none wider than it may be. Raises Refusal."""
    for param in service.call.params:
        # a sample in lower case is read like one in upper case
        name = param.name if service.call.method == "POST" else param.name.upper()
        needed = param.required or name in REQUIRED_PAGING
        if name in ("EXCG_ID_DVSN_CD", "RSYN_ORD_RCIT_DT"):
            needed = False
        if needed and name not in params:
            raise Refusal("OPSQ2001", f"ERROR : INPUT FIELD NOT FOUND [{name}]")
        # the portal's widths of query filters contradict its own examples: nobody checks those
        contradicted = (
            name.startswith(("FID_", "KEYB"))
            or name in UNMEASURED
            or service.call.name in WIDTHS_UNKNOWN
        )
        width = 0 if contradicted else param.width
        if width and len(params.get(name, "").strip()) > width:
            raise Refusal("OPSQ2002", f"ERROR : INPUT FIELD SIZE OVER [{name}]")


def refuse(refusal: Refusal, tr_id: str = "") -> Reply:
    """A refusal as the gateway words it."""
    body = {"rt_cd": "1", "msg_cd": refusal.code, "msg1": refusal.text.ljust(MSG_WIDTH)}
    return json_reply(body, refusal.status, {"tr_id": tr_id, "tr_cont": "D"})


def fill(call_name: str, key: str, values: Mapping[str, object]) -> dict[str, str]:
    """One output object with every listed field: given values as text, else "0" or empty.

    Raises KeyError for a value that the broker's table does not list.
    """
    output = next(o for o in calls()[call_name].outputs if o.key == key)
    unknown = set(values) - {f.name for f in output.fields}
    if unknown:
        raise KeyError(f"{call_name}.{key} has no field {', '.join(sorted(unknown))}")
    return {
        f.name: _text(values.get(f.name, "0" if f.meaning in NUMBERS else ""))
        for f in output.fields
    }


def _text(value: object) -> str:
    """A value as the broker writes it, which is never with an exponent."""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def found(mock: bool, more: bool, later_page: bool, empty: bool) -> tuple[str, str]:
    """(msg_cd, msg1) of a query that worked."""
    if empty and not later_page:
        return "KIOK0560", "조회할 내용이 없습니다"
    if mock:
        return "20310000", "모의투자 조회가 완료되었습니다."
    if more:
        return "KIOK0500", "조회가 계속됩니다..다음버튼을 Click 하십시오."
    if later_page:
        return "KIOK0460", "조회 되었습니다. (마지막 자료)"
    return "KIOK0510", "조회가 완료되었습니다"


def page(
    rows: Sequence[Row], keys: Sequence[str], after: str, size: int
) -> tuple[Sequence[Row], str]:
    """Rows following the row named `after` (empty: from the start), and the key to ask on with.

    The key names the last row sent, so a row that appears meanwhile shifts nothing.
    """
    start = keys.index(after) + 1 if after in keys else 0
    chosen = rows[start : start + size]
    more = start + size < len(rows)
    return chosen, keys[start + len(chosen) - 1] if more else ""
