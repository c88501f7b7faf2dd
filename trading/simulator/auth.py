"""Keys and tokens as the broker's gateway keeps them.

One token a key: the same one again inside six hours, a new one after; at most one call a minute; a
token lives a day. Key pairs are checked against the accounts file, or for their shape without one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

__all__ = ["APPKEY_LENGTH", "APPSECRET_LENGTH", "KeyRing", "OAuthError", "Token"]

APPKEY_LENGTH = 36
APPSECRET_LENGTH = 180
LIFETIME = timedelta(hours=24)
SAME_TOKEN_FOR = timedelta(hours=6)
MINUTE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class OAuthError(Exception):
    """A refusal of oauth2/*: the code and the text for the caller."""

    code: str
    text: str


@dataclass(slots=True)
class Token:
    text: str
    appkey: str
    issued: datetime
    expires: datetime
    dead: str = ""
    """The code to refuse it with once revoked."""


@dataclass
class KeyRing:
    """`secrets` maps app key to secret; None accepts any pair of the right lengths."""

    seed: int
    secrets: Mapping[str, str] | None = None
    minute_rule: bool = True
    tokens: dict[str, Token] = field(default_factory=dict)
    latest: dict[str, str] = field(default_factory=dict)
    called: dict[str, datetime] = field(default_factory=dict)
    approvals: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    issued: int = 0

    def check_pair(self, appkey: str, secret: str) -> str:
        """The EGW code that refuses a key pair, or an empty string."""
        if not appkey:
            return "EGW00102"
        if not secret:
            return "EGW00104"
        if self.secrets is not None:
            if appkey not in self.secrets:
                return "EGW00103"
            return "" if self.secrets[appkey] == secret else "EGW00105"
        if len(appkey) != APPKEY_LENGTH:
            return "EGW00103"
        return "" if len(secret) == APPSECRET_LENGTH else "EGW00105"

    def issue(self, appkey: str, now: datetime) -> Token:
        """The key's token. Raises OAuthError EGW00133 inside a minute of the last issue."""
        last = self.called.get(appkey)
        if self.minute_rule and last is not None and now - last < MINUTE:
            raise OAuthError("EGW00133", "접근토큰 발급 잠시 후 다시 시도하세요(1분당 1회)")
        self.called[appkey] = now
        current = self.tokens.get(self.latest.get(appkey, ""))
        if current and not current.dead and now - current.issued < SAME_TOKEN_FOR:
            return current
        self.issued += 1
        text = self._text(appkey)
        self.tokens[text] = Token(text, appkey, now, now + LIFETIME)
        self.latest[appkey] = text
        return self.tokens[text]

    def restore(self, appkey: str, text: str, at: datetime) -> None:
        """An issue of an earlier life, as the journal tells it."""
        self.called[appkey] = at
        if text not in self.tokens:
            self.issued += 1
            self.tokens[text] = Token(text, appkey, at, at + LIFETIME)
            self.latest[appkey] = text

    def approve(self, appkey: str, now: datetime) -> str:
        """A key with which sessions of the WebSocket begin during the next day."""
        count = len(self.approvals)
        digest = hashlib.sha256(f"{self.seed}:approval:{appkey}:{count}".encode()).hexdigest()
        text = "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))
        self.approvals[text] = (appkey, now)
        return text

    def approved(self, text: str, now: datetime) -> str:
        """The app key of an approval key, empty when it is unknown or a day old."""
        appkey, since = self.approvals.get(text, ("", now))
        return appkey if now - since < LIFETIME else ""

    def check_bearer(self, authorization: str, appkey: str, now: datetime) -> str:
        """The EGW code that refuses a request's token, or an empty string."""
        if not authorization:
            return "EGW00121"
        scheme, _, text = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return "EGW00205"
        token = self.tokens.get(text.strip())
        if token is None or token.appkey != appkey:
            return "EGW00121"
        if token.dead:
            return token.dead
        return "EGW00123" if now >= token.expires else ""

    def revoke(self, text: str, code: str = "EGW00121") -> bool:
        """Kill one token; True when it was alive."""
        token = self.tokens.get(text)
        if token is None or token.dead:
            return False
        token.dead = code
        return True

    def revoke_all(self, code: str, appkey: str | None = None) -> int:
        """Kill every living token, or those of one key; returns how many."""
        mine = [t for t in self.tokens.values() if appkey in (None, t.appkey)]
        return sum(self.revoke(token.text, code) for token in mine)

    def _text(self, appkey: str) -> str:
        key = f"{self.seed}:token:{appkey}:{self.issued}"
        parts = [hashlib.sha512(f"{key}:{i}".encode()).hexdigest() for i in range(2)]
        return f"eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzUxMiJ9.{parts[0]}.{parts[1]}"
