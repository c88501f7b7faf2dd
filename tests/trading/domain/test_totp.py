"""One-time codes: the vectors of RFC 6238, the clock's slack, and no code twice."""

from __future__ import annotations

import base64

import pytest

from trading.domain.totp import code_at, matching_step, provisioning_uri

pytestmark = pytest.mark.once
SEED = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ],
)
def test_the_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    assert code_at(SEED, seconds // 30) == code


@pytest.mark.parametrize(
    ("late", "taken"), [(-31, True), (0, True), (31, True), (61, False), (-62, False)]
)
def test_a_phone_may_be_half_a_minute_off(late: int, taken: bool) -> None:
    now = 1_700_000_025  # the middle of a step
    code = code_at(SEED, (now + late) // 30)
    assert (matching_step(SEED, code, now, after=0) is not None) is taken


def test_a_code_is_not_taken_twice_nor_one_before_it() -> None:
    now = 1_700_000_010
    step = matching_step(SEED, code_at(SEED, now // 30), now, after=0)
    assert step == now // 30
    assert matching_step(SEED, code_at(SEED, step), now, after=step) is None
    assert matching_step(SEED, code_at(SEED, step - 1), now, after=step) is None
    assert matching_step(SEED, code_at(SEED, step + 1), now, after=step) == step + 1


@pytest.mark.parametrize(
    "code", ["", "28708", "2870820", "２８７０８２", "abcdef", "\ud800", "0" * 5_000]
)
def test_what_is_no_code_matches_nothing(code: str) -> None:
    assert matching_step(SEED, code, 59, after=0) is None


def test_a_seed_that_is_not_base32_is_an_error() -> None:
    with pytest.raises(ValueError, match="base32"):
        code_at("not base32!", 1)


def test_the_address_for_the_app_names_issuer_person_and_seed() -> None:
    uri = provisioning_uri(SEED, "kim lee", "Jeoul")
    assert uri.startswith("otpauth://totp/Jeoul%3Akim%20lee?")
    assert f"secret={SEED}" in uri and "issuer=Jeoul" in uri and "digits=6" in uri
