"""Logs as one JSON line an event, to stderr and a rotating file, with secrets masked on the way out.

Request, run and order ids travel in context variables: bind them once, every line below carries them.
"""

from __future__ import annotations

import logging.config
import re
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import structlog

__all__ = ["LEVELS", "configure", "logging_config", "mask"]

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

_SECRET_NAMES = re.compile(
    r"(?i)(app_?key|app_?secret|secret_?key|access_token|authorization|approval_key|password"
    r"|personalseckey|account_no|cano|field_keys|(?:\w+_|x-goog-)?api[_-]?key)"
)
_BEARER = re.compile(r"(?i)bearer\s+[\w.~+/=-]+")
_GOOGLE = re.compile(r"\bAIza[\w-]{20,}")
_JWT = re.compile(r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*")
_ACCOUNT = re.compile(r"(?<!\d)(\d{2})\d{4}(\d{2})-(\d{2})(?!\d)")
_BARE_ACCOUNT = re.compile(
    r"(?<![\d.])([1-9]\d)\d{4}(\d{2})(?:01|02|03|08|11|21|22|29)(?![\d.])", re.ASCII
)
"""As the broker writes it in notices: ten digits, the last two a product. Order numbers begin with zeros."""
_PAIR = re.compile(
    r"""(?i)(["'\\]*\b(?:app_?key|app_?secret|secret_?key|access_token|token|approval_key|password"""
    r"""|api[_-]?key|CANO)"""
    r"""["'\\]*\s*[:=]\s*["'\\]*)([^"'\\\s,}&]+)"""
)
_AUTHORIZATION = re.compile(
    r"""(?i)(authorization["'\\]*\s*[:=]\s*["'\\]*)(?:\w+\s+)?[^"'\\\s,}]+"""
)
_ADDRESS = re.compile(r"(://[^:/\s@]*:)[^@\s/]+@")


def mask(text: str) -> str:
    """`text` without tokens, keys and account numbers; control characters made visible."""
    text = _AUTHORIZATION.sub(r"\1***", text)
    text = _BEARER.sub("Bearer ***", text)
    text = _ADDRESS.sub(r"\1***@", text)
    text = _JWT.sub("***", text)
    text = _GOOGLE.sub("***", text)
    text = _PAIR.sub(r"\1***", text)
    text = _ACCOUNT.sub(r"\1****\2", text)
    text = _BARE_ACCOUNT.sub(r"\1****\2", text)
    return "".join(
        char if char == "\n" or char.isprintable() else repr(char)[1:-1] for char in text
    )


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, bytes):
        return mask(value.decode("utf-8", "replace"))
    if isinstance(value, dict):
        return {
            _name(key): "***" if _SECRET_NAMES.fullmatch(_name(key)) else _masked(inner)
            for key, inner in value.items()
        }
    if isinstance(value, (list, tuple)):
        if len(value) == 2 and _SECRET_NAMES.fullmatch(_name(value[0])):
            return [_name(value[0]), "***"]  # a header as client libraries keep it
        return [_masked(item) for item in value]
    if isinstance(value, BaseException):
        return mask(f"{type(value).__name__}: {value}")
    return value


def _name(key: object) -> str:
    return key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key)


def _mask_event(
    _logger: object, _name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    return {
        key: "***" if _SECRET_NAMES.fullmatch(str(key)) else _masked(value)
        for key, value in event.items()
    }


_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
    _mask_event,
]


class PlainRefusals(logging.Filter):
    """A request that was refused is one line: no trace of the refusal, which is no fault of the program."""

    def filter(self, record: logging.LogRecord) -> bool:
        status = getattr(record, "status_code", None)
        if isinstance(status, int) and 400 <= status < 500:
            record.exc_info = record.exc_text = None
        return True


def logging_config(folder: Path, level: str) -> dict[str, Any]:
    """The `logging.config` dictionary: stderr and `folder/jeoul.jsonl` (5 × 10 MB)."""
    folder.mkdir(parents=True, exist_ok=True)
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processor": structlog.processors.JSONRenderer(ensure_ascii=False),
        "foreign_pre_chain": _SHARED,
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": formatter},
        "filters": {"plain_refusals": {"()": PlainRefusals}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "json",
                "filters": ["plain_refusals"],
            },
            "file": {
                "class": "logging.handlers.RotatingFileHandler",
                "filename": str(folder / "jeoul.jsonl"),
                "maxBytes": 10_000_000,
                "backupCount": 5,
                "delay": True,
                "encoding": "utf-8",
                "formatter": "json",
                "filters": ["plain_refusals"],
            },
        },
        "root": {"handlers": ["stderr", "file"], "level": level},
        "loggers": {
            "uvicorn.access": {"level": "WARNING"},
            "httpx2": {"level": "WARNING"},
            "fontTools": {"level": "WARNING"},
            "httpcore2": {"level": "WARNING"},
            "kombu": {"level": "WARNING"},
            "celery": {"level": "WARNING"},
            "django_celery_beat": {"level": "WARNING"},
            "django.channels.server": {"level": "WARNING"},
        },
    }


def configure(config: dict[str, Any]) -> None:
    """Apply `config` and point structlog at it. Called once, when the apps are loaded."""
    logging.config.dictConfig(config)
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
