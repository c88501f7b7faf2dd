"""What can go wrong, and what the caller does about it.

JeoulError
├── InputError            the caller sent something malformed: show it, change nothing
├── RuleViolation         a rule refuses: show every reason, change nothing
├── StateConflict         the record moved on meanwhile: read it again
├── BrokerError           the broker's side
│   ├── BrokerUnavailable  no answer: wait and ask again (reads only)
│   │   └── BrokerDown     known to be silent, so not even asked: ask again later (reads only)
│   ├── BrokerRefused      a business refusal: show it, do not repeat
│   ├── BrokerBusy         asked too fast: wait, then ask again (reads only)
│   ├── BrokerTokenDead    the token is not valid: renew once, then repeat the read
│   ├── BrokerMisconfigured keys, host or account are wrong: stop and tell a person
│   └── BrokerGarbled      an answer that cannot be read: never a fact, ask again
│       ├── BrokerShifted   pages that moved while they were read: ask again
│       ├── BrokerForeign   the answer is about another account: discard all of it, tell a person
│       ├── BrokerContradicts  the balance is not what our books say: ask again, later it counts
│       └── BrokerPriceless names without a readable price: ask again, or leave them out
├── SourceError           somebody else's published figure cannot be read: go on without it, and say so
└── ConfigurationError    the installation is wrong: stop and say what to set
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = [
    "BrokerBusy",
    "BrokerContradicts",
    "BrokerDown",
    "BrokerError",
    "BrokerForeign",
    "BrokerGarbled",
    "BrokerMisconfigured",
    "BrokerPriceless",
    "BrokerRefused",
    "BrokerShifted",
    "BrokerTokenDead",
    "BrokerUnavailable",
    "BrokerUnsupported",
    "ConfigurationError",
    "InputError",
    "JeoulError",
    "Reason",
    "RuleViolation",
    "SourceError",
    "StateConflict",
]


@dataclass(frozen=True, slots=True)
class Reason:
    """One machine-readable ground: a stable `code` and the numbers a page needs to explain it."""

    code: str
    facts: dict[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        facts = ", ".join(f"{name}={value}" for name, value in self.facts.items())
        return f"{self.code}({facts})" if facts else self.code


class JeoulError(Exception):
    """Root of everything Jeoul raises on purpose."""

    code = "error"


class InputError(JeoulError):
    """Malformed input. Nothing changed; correct the named fields and send again."""

    code = "bad_input"

    def __init__(self, reasons: Sequence[Reason] | Reason) -> None:
        self.reasons = (reasons,) if isinstance(reasons, Reason) else tuple(reasons)
        super().__init__("; ".join(map(str, self.reasons)))


class RuleViolation(JeoulError):
    """A rule refuses. Nothing was sent; `reasons` lists every ground at once."""

    code = "rule_violation"

    def __init__(self, reasons: Sequence[Reason] | Reason) -> None:
        self.reasons = (reasons,) if isinstance(reasons, Reason) else tuple(reasons)
        super().__init__("; ".join(map(str, self.reasons)))


class StateConflict(JeoulError):
    """The record is not in the state the caller believed. Read it again before deciding."""

    code = "conflict"

    def __init__(self, code: str, **facts: object) -> None:
        self.code = code
        self.facts = facts
        super().__init__(str(Reason(code, facts)))


class ConfigurationError(JeoulError):
    """The installation cannot work as configured; the message names the setting to change."""

    code = "configuration"


class BrokerError(JeoulError):
    """The broker's side. `msg_cd` is the broker's own code where it gave one."""

    code = "broker"

    def __init__(
        self, message: str = "", *, msg_cd: str = "", http_status: int | None = None
    ) -> None:
        self.msg_cd = msg_cd
        self.http_status = http_status
        super().__init__(message or msg_cd or self.code)


class BrokerUnavailable(BrokerError):
    """No usable answer. For a read: wait and ask again. For an order: the outcome is UNKNOWN."""

    code = "broker_unavailable"


class BrokerDown(BrokerUnavailable):
    """The host has been silent for a while and was not asked. Nothing was sent."""

    code = "broker_down"


class BrokerRefused(BrokerError):
    """A business refusal of a read. Show it; asking again gives the same answer."""

    code = "broker_refused"


class BrokerBusy(BrokerError):
    """Asked too fast. Slow down, then ask again."""

    code = "broker_busy"


class BrokerTokenDead(BrokerError):
    """The access token is not valid any more. Renew once and repeat the read."""

    code = "broker_token_dead"


class BrokerMisconfigured(BrokerError):
    """Keys, host or account do not fit together. A person must correct them."""

    code = "broker_misconfigured"


class BrokerUnsupported(BrokerError):
    """This environment does not offer the call. Use another account, or do without."""

    code = "broker_unsupported"


class BrokerGarbled(BrokerError):
    """The answer lacks required fields or cannot be parsed. It proves nothing; ask again."""

    code = "broker_garbled"


class BrokerShifted(BrokerGarbled):
    """A row came on two pages: the list changed while it was read, and another row may be missing."""


class BrokerForeign(BrokerGarbled):
    """The answer names another account than the one that was asked about. Nothing of it is used."""

    code = "foreign_rows"


class BrokerContradicts(BrokerGarbled):
    """The balance is not what our books say, and has not said so for long enough to be believed."""

    code = "holdings_differ"


class BrokerPriceless(BrokerGarbled):
    """The broker answers, but of `tickers` it tells no price that can be read."""

    code = "price_missing"

    def __init__(self, tickers: Sequence[str]) -> None:
        self.tickers = tuple(tickers)
        super().__init__(f"no readable price of {', '.join(self.tickers)}")


class SourceError(JeoulError):
    """A publisher did not answer, or not readably. Nothing depends on it: go on and say what is missing."""

    code = "source_unreadable"
