"""Where an account's calls may go: never to the other environment's host, whatever the settings say."""

from __future__ import annotations

from typing import Any

import pytest

from trading.domain.errors import ConfigurationError
from trading.models import Account
from trading.services.brokers import base_url_of, broker_name

REAL = "https://openapi.koreainvestment.com:9443"
MOCK = "https://openapivts.koreainvestment.com:29443"
LOOPBACK = "http://127.0.0.1:9443"


@pytest.fixture(autouse=True)
def allowed(settings: Any) -> None:
    settings.LIVE_TRADING = True
    settings.SERVER = True


@pytest.mark.parametrize(
    ("environment", "wire", "url", "goes"),
    [
        ("mock", "mock", MOCK, True),
        ("mock", "mock", REAL, False),
        ("mock", "mock", LOOPBACK, False),
        ("real", "real", REAL, True),
        ("real", "real", MOCK, False),
        ("real", "real", LOOPBACK, False),
        ("sim", "real", LOOPBACK, True),
        ("sim", "real", REAL, False),
        ("sim", "mock", MOCK, False),
    ],
)
def test_an_environment_reaches_its_own_host_alone(
    settings: Any, environment: str, wire: str, url: str, goes: bool
) -> None:
    settings.KIS_HOSTS = {"real": REAL, "mock": MOCK} | {wire: url}
    account = Account(environment=environment, wire=wire)
    if goes:
        assert base_url_of(account) == url
    else:
        with pytest.raises(ConfigurationError):
            base_url_of(account)


@pytest.mark.parametrize(("live", "server"), [(False, True), (True, False)])
def test_a_real_account_needs_live_trading_and_servers(
    settings: Any, live: bool, server: bool
) -> None:
    settings.LIVE_TRADING, settings.SERVER = live, server
    settings.KIS_HOSTS = {"real": REAL, "mock": MOCK}
    with pytest.raises(ConfigurationError):
        base_url_of(Account(environment="real", wire="real"))


def test_a_broker_keeps_its_tokens_when_its_port_changes() -> None:
    assert broker_name("http://127.0.0.1:9443") == broker_name("http://127.0.0.1:38211")
    assert broker_name(REAL) != broker_name(MOCK)
