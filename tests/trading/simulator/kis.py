"""A bare hand on the broker's wire for the tests: builds requests, hides nothing of the answers."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from trading.kis_wire import calls
from trading.simulator import DEMO_APPKEY, DEMO_APPSECRET, Simulator
from trading.simulator.us.listings import LISTINGS

DOMESTIC = "/uapi/domestic-stock/v1/"
ACCOUNT = "12345678-01"
PATHS = {
    "order": "trading/order-cash",
    "change": "trading/order-rvsecncl",
    "open": "trading/inquire-psbl-rvsecncl",
    "balance": "trading/inquire-balance",
    "power": "trading/inquire-psbl-order",
    "fills": "trading/inquire-daily-ccld",
    "price": "quotations/inquire-price",
    "book": "quotations/inquire-asking-price-exp-ccn",
    "holidays": "quotations/chk-holiday",
}
REAL = {
    "buy": "TTTC0012U",
    "sell": "TTTC0011U",
    "change": "TTTC0013U",
    "open": "TTTC0084R",
    "balance": "TTTC8434R",
    "power": "TTTC8908R",
    "fills": "TTTC0081R",
    "price": "FHKST01010100",
    "book": "FHKST01010200",
    "holidays": "CTCA0903R",
}
BALANCE = {
    "AFHR_FLPR_YN": "N",
    "OFL_YN": "",
    "INQR_DVSN": "02",
    "UNPR_DVSN": "01",
    "FUND_STTL_ICLD_YN": "N",
    "FNCG_AMT_AUTO_RDPT_YN": "N",
    "PRCS_DVSN": "00",
    "CTX_AREA_FK100": "",
    "CTX_AREA_NK100": "",
}


@dataclass
class Answer:
    """One reply; `json` is None when the body is not JSON."""

    status: int
    headers: dict[str, str]
    text: str
    json: Any = None

    @property
    def code(self) -> str:
        body = self.json or {}
        return str(body.get("msg_cd") or body.get("error_code") or "")


@dataclass
class Hand:
    """One key on one simulator; `account` is 8 digits, a dash, 2 digits."""

    sim: Simulator
    account: str = ACCOUNT
    appkey: str = DEMO_APPKEY
    appsecret: str = DEMO_APPSECRET
    token: str = ""
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def mock(self) -> bool:
        return self.sim.world.options.mock

    def tr(self, name: str) -> str:
        tr_id = REAL[name]
        return "V" + tr_id[1:] if self.mock and tr_id.startswith("T") else tr_id

    def raw(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.sim.server.port, timeout=10)
        try:
            connection.request(method, path, body or None, headers)
            response = connection.getresponse()
            text = response.read().decode("utf-8")
            answer = Answer(response.status, dict(response.getheaders()), text)
        finally:
            connection.close()
        try:
            answer.json = json.loads(text)
        except ValueError:
            answer.json = None
        return answer

    def oauth(self, path: str = "tokenP", **body: str) -> Answer:
        sent = {"grant_type": "client_credentials", "appkey": self.appkey}
        sent |= {"appsecret": self.appsecret, **body}
        headers = {"content-type": "application/json"}
        return self.raw("POST", f"/oauth2/{path}", headers, json.dumps(sent).encode())

    def login(self) -> Hand:
        self.token = self.oauth().json["access_token"]
        return self

    def headers(self, tr_id: str, **extra: str) -> dict[str, str]:
        return {
            "content-type": "application/json; charset=utf-8",
            "authorization": f"Bearer {self.token}",
            "appkey": self.appkey,
            "appsecret": self.appsecret,
            "tr_id": tr_id,
            "custtype": "P",
            **self.extra,
            **extra,
        }

    @property
    def owner(self) -> dict[str, str]:
        cano, product = self.account.split("-")
        return {"CANO": cano, "ACNT_PRDT_CD": product}

    def get(self, name: str, query: dict[str, str], tr_id: str = "", cont: str = "") -> Answer:
        headers = self.headers(tr_id or self.tr(name), **({"tr_cont": cont} if cont else {}))
        return self.raw("GET", f"{DOMESTIC}{PATHS[name]}?{urlencode(query)}", headers)

    def ask(self, call: str, variant: str = "", cont: str = "", **params: str) -> Answer:
        """Any GET of the broker's table; parameters that are not given are sent empty."""
        row = calls()[call]
        tr = next(tr for tr in row.trs if tr.variant == variant)
        names = {param.name.upper() for param in row.params}
        query = dict.fromkeys(sorted(names), "") | (self.owner if "CANO" in names else {}) | params
        headers = self.headers((tr.mock if self.mock else tr.real) or "", tr_cont=cont)
        return self.raw("GET", f"{row.path}?{urlencode(query)}", headers)

    def send(self, call: str, variant: str = "", tr_id: str = "", **params: str) -> Answer:
        """Any POST of the broker's table; parameters that are not given are sent empty."""
        row = calls()[call]
        tr = next(tr for tr in row.trs if tr.variant == variant)
        names = {param.name for param in row.params}
        body = dict.fromkeys(sorted(names), "") | (self.owner if "CANO" in names else {}) | params
        headers = self.headers(tr_id or (tr.mock if self.mock else tr.real) or "")
        return self.raw("POST", row.path, headers, json.dumps(body).encode())

    def us_order(
        self, side: str, code: str, qty: object, price: object, exchange: str = "", **more: str
    ) -> Answer:
        """A US order; the price is dollars."""
        listed = LISTINGS[code].exchange if code in LISTINGS else "NASD"
        body = {"OVRS_EXCG_CD": exchange or listed, "PDNO": code, "ORD_QTY": str(qty)}
        body |= {"OVRS_ORD_UNPR": str(price), "ORD_SVR_DVSN_CD": "0", "ORD_DVSN": "00"}
        return self.send("overseas_order", f"{side}:NASD", **{**body, **more})

    def us_change(
        self, kind: str, odno: str, code: str, qty: object = 0, price: object = 0, **more: str
    ) -> Answer:
        body = {"OVRS_EXCG_CD": LISTINGS[code].exchange, "PDNO": code, "ORGN_ODNO": odno}
        body |= {"RVSE_CNCL_DVSN_CD": {"revise": "01", "cancel": "02"}[kind]}
        body |= {"ORD_QTY": str(qty), "OVRS_ORD_UNPR": str(price), "ORD_SVR_DVSN_CD": "0"}
        return self.send("overseas_order_rvsecncl", **{**body, **more})

    def us_fills(self, **more: str) -> list[dict[str, str]]:
        """Every page of the US orders of the last days."""
        day = f"{self.sim.world.truth.us.day:%Y%m%d}"
        query = {"ORD_STRT_DT": day, "ORD_END_DT": day, "SLL_BUY_DVSN": "00"}
        query |= {"CCLD_NCCS_DVSN": "00", "SORT_SQN": "DS", **more}
        return self.all_of("overseas_inquire_ccnl", "output", **query)

    def us_balance(self) -> tuple[list[dict[str, str]], dict[str, str]]:
        query = {"OVRS_EXCG_CD": "NASD", "TR_CRCY_CD": "USD"}
        rows = self.all_of("overseas_inquire_balance", "output1", **query)
        return rows, self.ask("overseas_inquire_balance", **query).json["output2"]

    def us_power(self, code: str = "AAPL", price: object = 0) -> dict[str, str]:
        query = {"OVRS_EXCG_CD": LISTINGS[code].exchange, "OVRS_ORD_UNPR": str(price)}
        answer = self.ask("overseas_inquire_psamount", ITEM_CD=code, **query)
        return dict(answer.json["output"])

    def us_price(self, code: str) -> dict[str, str]:
        answer = self.ask("overseas_price", EXCD=LISTINGS[code].excd, SYMB=code)
        return dict(answer.json["output"])

    def all_of(self, call: str, output: str, **query: str) -> list[dict[str, str]]:
        """The rows of every page of a list, asking on while the header says there is more."""
        found = [self.ask(call, **query)]
        keys = [p.name for p in calls()[call].params if p.name.startswith("CTX_AREA")]
        while found[-1].headers["tr_cont"] in ("M", "F"):
            assert len(found) < 200
            on = {key: found[-1].json[key.lower()] for key in keys}
            found.append(self.ask(call, cont="N", **{**query, **on}))
        return [row for answer in found for row in answer.json[output]]

    def post(self, name: str, body: dict[str, Any], tr_id: str, **headers: str) -> Answer:
        sent = json.dumps(body).encode()
        return self.raw("POST", DOMESTIC + PATHS[name], self.headers(tr_id, **headers), sent)

    # --- calls --------------------------------------------------------------------------------

    def order(
        self, side: str, code: str, qty: object, price: object = 0, dvsn: str = "", **more: str
    ) -> Answer:
        body = {
            **self.owner,
            "PDNO": code,
            "ORD_DVSN": dvsn or ("00" if price else "01"),
            "ORD_QTY": str(qty),
            "ORD_UNPR": str(price),
            "EXCG_ID_DVSN_CD": "KRX",
            **more,
        }
        return self.post("order", body, self.tr(side))

    def change(
        self, kind: str, odno: str, qty: int | None = None, price: int = 0, dvsn: str = "00"
    ) -> Answer:
        body = {
            **self.owner,
            "KRX_FWDG_ORD_ORGNO": "",
            "ORGN_ODNO": odno,
            "ORD_DVSN": dvsn,
            "RVSE_CNCL_DVSN_CD": {"revise": "01", "cancel": "02"}[kind],
            "ORD_QTY": str(qty or 0),
            "ORD_UNPR": str(price),
            "QTY_ALL_ORD_YN": "Y" if qty is None else "N",
            "EXCG_ID_DVSN_CD": "KRX",
        }
        return self.post("change", body, self.tr("change"))

    def price(self, code: str) -> Answer:
        query = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": code}
        return self.get("price", query)

    def book(self, code: str) -> Answer:
        return self.get("book", {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": code})

    def power(self, code: str = "069500", price: int = 0) -> Answer:
        query = {
            **self.owner,
            "PDNO": code,
            "ORD_UNPR": str(price),
            "ORD_DVSN": "00" if price else "01",
            "CMA_EVLU_AMT_ICLD_YN": "N",
            "OVRS_ICLD_YN": "N",
        }
        return self.get("power", query)

    def balance(self) -> tuple[list[dict[str, str]], dict[str, str]]:
        pages = self.pages("balance", {**self.owner, **BALANCE})
        rows = [row for page in pages for row in page.json["output1"]]
        return rows, pages[-1].json["output2"][0]

    def fills_query(self, **more: str) -> dict[str, str]:
        today = f"{self.sim.now():%Y%m%d}"
        return {
            **self.owner,
            "INQR_STRT_DT": today,
            "INQR_END_DT": today,
            "SLL_BUY_DVSN_CD": "00",
            "PDNO": "",
            "CCLD_DVSN": "00",
            "INQR_DVSN": "00",
            "INQR_DVSN_3": "00",
            "ORD_GNO_BRNO": "",
            "ODNO": "",
            "INQR_DVSN_1": "",
            "CTX_AREA_FK100": "",
            "CTX_AREA_NK100": "",
            "EXCG_ID_DVSN_CD": "ALL" if not self.mock else "KRX",
            **more,
        }

    def fills(self, **more: str) -> list[dict[str, str]]:
        pages = self.pages("fills", self.fills_query(**more))
        return [row for page in pages for row in page.json["output1"]]

    def open_orders(self) -> list[dict[str, str]]:
        query = {**self.owner, "INQR_DVSN_1": "0", "INQR_DVSN_2": "0"}
        pages = self.pages("open", {**query, "CTX_AREA_FK100": "", "CTX_AREA_NK100": ""})
        return [row for page in pages for row in page.json["output"]]

    def pages(self, name: str, query: dict[str, str]) -> list[Answer]:
        """Every page of an inquiry, asking on while the header says there is more."""
        pages = [self.get(name, query)]
        while pages[-1].headers["tr_cont"] in ("M", "F"):
            assert len(pages) < 100
            keys = {k: pages[-1].json[k.lower()] for k in query if k.startswith("CTX_AREA")}
            pages.append(self.get(name, {**query, **keys}, cont="N"))
        return pages


def odno(answer: Answer) -> str:
    return str(answer.json["output"]["ODNO"])
