"""Builds the Broker of an account: host and TR ids from its environment and nothing else."""

from __future__ import annotations

import hashlib
import threading
from datetime import datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import httpx2
from django.conf import settings
from django.db import transaction

from trading.brokers.kis.auth import issue_token, revoke_token
from trading.brokers.kis.breaker import Breaker
from trading.brokers.kis.broker import KisBroker
from trading.brokers.kis.capabilities import abilities
from trading.brokers.kis.capped import TimedTransport
from trading.brokers.kis.client import TIMEOUT, Credentials, KisClient
from trading.brokers.kis.markets import KisMarkets
from trading.domain.capabilities import Ability
from trading.domain.errors import BrokerMisconfigured, ConfigurationError
from trading.domain.ports import MarketReader
from trading.models import Account
from trading.services.audit import audit
from trading.services.clock import market_clock
from trading.services.lines import down_since, note_line
from trading.services.rate import budget_for
from trading.services.token_trouble import stop_without_a_token
from trading.services.tokens import DatabaseTokenStore

__all__ = [
    "abilities_of",
    "base_url_of",
    "broker_for",
    "broker_silent_since",
    "drop_token",
    "forget_brokers",
    "markets_for",
    "token_store_for",
]

IMPATIENT = httpx2.Timeout(3.0, connect=2.0)
_lock = threading.Lock()
_http: dict[tuple[str, float | None], httpx2.Client] = {}
_brokers: dict[tuple[int, str], KisBroker] = {}
_breakers: dict[str, Breaker] = {}


def is_loopback(url: str) -> bool:
    """True when `url` points at this machine, which for a KIS address means the simulator."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


_OTHER_HOST = {
    Account.Environment.MOCK: "openapi.koreainvestment.com",
    Account.Environment.REAL: "openapivts.koreainvestment.com",
}
"""Where an environment's orders must never go, whatever the settings say."""


def base_url_of(account: Account) -> str:
    """The host of `account`.

    Raises ConfigurationError when the environment and the configured host contradict each other:
    a simulated account never reaches the broker, a real one never the simulator.
    """
    url = settings.KIS_HOSTS[account.wire]
    simulated = account.environment == Account.Environment.SIM
    if simulated != is_loopback(url):
        raise ConfigurationError(
            f"a {account.environment} account needs KIS_{account.wire.upper()}_REST_URL "
            + ("on loopback (the simulator)" if simulated else "at the broker, not on loopback")
        )
    other = _OTHER_HOST.get(Account.Environment(account.environment))
    if other is not None and urlsplit(url).hostname == other:
        raise ConfigurationError(
            f"KIS_{account.wire.upper()}_REST_URL leads a {account.environment} account to {other}"
        )
    if account.environment == Account.Environment.REAL:
        if not settings.LIVE_TRADING:
            raise ConfigurationError("real accounts need LIVE_TRADING=true")
        if not settings.SERVER:
            raise ConfigurationError("real accounts need PostgreSQL and Redis")
    return url


def key_digest(account: Account) -> str:
    return hashlib.sha256(account.app_key.encode()).hexdigest()


def broker_name(url: str) -> str:
    """Whose tokens `url` takes: the host without its port.

    A demo that is started again may listen on another port, and still is the broker that issued the
    token; a second issue inside the minute would be refused.
    """
    return urlsplit(url).hostname or url


def _client_http(url: str, timeout: httpx2.Timeout = TIMEOUT) -> httpx2.Client:
    which = (url, timeout.read)
    with _lock:
        if which not in _http:
            _http[which] = httpx2.Client(
                transport=TimedTransport(),
                timeout=timeout,
                follow_redirects=False,
                trust_env=False,
            )
        return _http[which]


def _breaker(url: str) -> Breaker:
    """One for all accounts of a host: a silent host is silent for everybody."""
    with _lock:
        if url not in _breakers:
            _breakers[url] = Breaker(on_turn=lambda down: note_line(url, down))
        return _breakers[url]


def broker_silent_since(account: Account) -> datetime | None:
    """Since when the account's host has not answered, by the wall's clock; None while it does."""
    try:
        return down_since(base_url_of(account))
    except ConfigurationError:
        return None


def abilities_of(account: Account) -> tuple[Ability, ...]:
    """What the broker offers in the account's environment."""
    return abilities("real" if account.wire == Account.Wire.REAL else "mock")


def _credentials(account: Account) -> Credentials:
    if not account.app_key or not account.app_secret:
        raise BrokerMisconfigured("the account has no keys; enter them in the admin")
    return Credentials(account.app_key, account.app_secret, account.account_no)


def token_store_for(account: Account) -> DatabaseTokenStore:
    url, credentials, clock = base_url_of(account), _credentials(account), market_clock(account)
    http = _client_http(url)
    return DatabaseTokenStore(
        key_digest(account),
        broker_name(url),
        lambda now: issue_token(url, credentials, now, http),
        clock.now,
        refused=lambda code, times: stop_without_a_token(account, code, times),
    )


def drop_token(account: Account, by: str) -> bool:
    """Revoke the account's token at the broker and forget it; False when there is none.

    The next question gets a new one. Raises BrokerError when the broker does not say that it is revoked:
    the token is then kept, because it may still be good and somebody may be using it.
    """
    store, url = token_store_for(account), base_url_of(account)
    held = store.current()
    if held is None:
        return False
    revoke_token(url, _credentials(account), held.token, _client_http(url))
    with transaction.atomic():
        store.drop()
        audit(by, "token_revoked", f"account:{account.pk}", {})
    return True


def broker_for(account: Account) -> KisBroker:
    """The broker of `account`, kept for the life of the process while its keys and host stay."""
    url = base_url_of(account)
    digest = key_digest(account)
    which = (account.pk, f"{url}|{account.wire}|{digest}")
    with _lock:
        found = _brokers.get(which)
    if found is None:
        client = _kis_client(
            account,
            url,
            http=_client_http(url),
            breaker=_breaker(url),
            signs_orders=settings.KIS_SIGN_ORDERS,
        )
        found = KisBroker(client, market_clock(account))
        with _lock:
            found = _brokers.setdefault(which, found)
    return found


def _kis_client(account: Account, url: str, **options: Any) -> KisClient:
    return KisClient(
        base_url=url,
        wire="real" if account.wire == "real" else "mock",
        credentials=_credentials(account),
        tokens=token_store_for(account),
        budget=budget_for(key_digest(account), account.wire),
        **options,
    )


def markets_for(account: Account) -> MarketReader:
    """Questions about the market as a whole: asked once and with little patience, and their silence is
    not taken for the silence of the host that the orders go to."""
    url = base_url_of(account)
    client = _kis_client(
        account, url, http=_client_http(url, IMPATIENT), breaker=Breaker(), tries=1
    )
    return KisMarkets(client, market_clock(account))


def forget_brokers() -> None:
    """Drop every cached broker and connection: after a change of keys, and between tests."""
    with _lock:
        _brokers.clear()
        for http in _http.values():
            http.close()
        _http.clear()
        _breakers.clear()
    budget_for.cache_clear()
