"""Gemini asked once: a question with the shape of its answer, a deadline, and what came back.

The only place that imports google.genai, and only when somebody asks: it costs a process seconds and
tens of megabytes. Nothing is repeated, nothing raises with the key or the request in its text.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpcore2
import httpx2

from strategies.analysts.egress import Egress, Forbidden, TooLarge, TooLate

__all__ = ["MOST_BYTES", "Analyst", "NoReply", "Question", "Reply"]

MOST_BYTES = 1_000_000
MOST_TOKENS = 16_384


@dataclass(frozen=True, slots=True)
class Question:
    """What the model is told to be, what it is given, and the JSON schema of its answer."""

    system: str
    parts: tuple[str, ...]
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """The model's text, still unread. `tokens` holds what the host counted, where it said so."""

    text: str
    seconds: float
    tokens: Mapping[str, int] = field(default_factory=dict)


class NoReply(Exception):
    """There is no text to read. `outcome` is REFUSED (the host says no), LATE or FAILED; `code` says why
    in one word; `body` is what the host sent, whole or not."""

    def __init__(
        self,
        outcome: str,
        code: str,
        *,
        status: int | None = None,
        detail: str = "",
        body: str = "",
        seconds: float = 0.0,
    ) -> None:
        self.outcome, self.code, self.status = outcome, code, status
        self.detail, self.body, self.seconds = detail, body, seconds
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class Analyst:
    """One role's model at one host, with its key."""

    api_key: str = field(repr=False)
    base_url: str
    model: str

    @staticmethod
    def warm_up() -> None:
        """Load the library, so that the time this takes is not taken from the deadline."""
        _sdk()

    def ask(self, question: Question, *, seconds: float) -> Reply:
        """The model's answer, within `seconds` of wall time whatever the host does. Raises NoReply."""
        egress = Egress(self.base_url, most=MOST_BYTES)
        client = _client(self, egress)
        box: queue.SimpleQueue[Reply | NoReply] = queue.SimpleQueue()
        started = time.monotonic()
        egress.until = started + seconds

        def work() -> None:
            box.put(_exchange(client, self.model, question, egress, started))

        # a thread, because finding a host's address takes as long as it likes
        threading.Thread(target=work, name="gemini", daemon=True).start()
        try:
            found = box.get(timeout=max(0.0, started + seconds - time.monotonic()) + 0.2)
        except queue.Empty:
            found = _no_reply("LATE", "advice_late", egress, started)
        if isinstance(found, NoReply):
            raise found
        return found


@cache
def _sdk() -> Any:
    from google import genai

    return genai


def _client(analyst: Analyst, egress: Egress) -> Any:
    """The library's client on our transport; the environment decides nothing in it."""
    sdk = _sdk()
    http = httpx2.Client(transport=egress, follow_redirects=False, trust_env=False)
    options = sdk.types.HttpOptions(
        base_url=analyst.base_url, api_version="v1beta", httpx_client=http
    )
    return sdk.Client(vertexai=False, api_key=analyst.api_key, http_options=options)


def _exchange(
    client: Any, model: str, question: Question, egress: Egress, started: float
) -> Reply | NoReply:
    try:
        return _reply(_generate(client, model, question), egress, started)
    except NoReply as silent:
        return silent
    except TooLate:
        return _no_reply("LATE", "advice_late", egress, started)
    except TooLarge:
        return _no_reply("FAILED", "advice_too_large", egress, started)
    except Forbidden:
        return _no_reply("REFUSED", "advice_elsewhere", egress, started)
    except _sdk().errors.APIError as error:
        outcome = "FAILED" if egress.status is None or egress.status >= 500 else "REFUSED"
        code = "advice_refused" if outcome == "REFUSED" else "advice_host_failed"
        detail = str(error.status or "")[:60]
        return _no_reply(outcome, code, egress, started, detail)
    except (httpx2.HTTPError, httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        return _no_reply("FAILED", "advice_unreachable", egress, started, type(error).__name__)
    except Exception as error:  # whatever the library trips over in the host's bytes
        return _no_reply("FAILED", "advice_unreadable", egress, started, type(error).__name__)
    finally:
        egress.close()


def _generate(client: Any, model: str, question: Question) -> Any:
    types = _sdk().types
    parts = [types.Part(text=text) for text in question.parts]
    return client.models.generate_content(
        model=model,
        contents=[types.Content(role="user", parts=parts)],
        config=types.GenerateContentConfig(
            system_instruction=question.system,
            response_mime_type="application/json",
            response_json_schema=dict(question.schema),
            temperature=0,
            candidate_count=1,
            max_output_tokens=MOST_TOKENS,
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        ),
    )


def _reply(answer: Any, egress: Egress, started: float) -> Reply:
    feedback, candidates = answer.prompt_feedback, answer.candidates or []
    if not candidates:
        blocked = feedback is not None and feedback.block_reason is not None
        if blocked:
            reason = getattr(feedback.block_reason, "value", "")
            raise _no_reply("REFUSED", "advice_blocked", egress, started, str(reason)[:60])
        raise _no_reply("FAILED", "advice_empty", egress, started)
    finish = str(getattr(candidates[0].finish_reason, "value", "") or "")
    if finish not in ("STOP", ""):
        outcome, code = ("REFUSED", "advice_blocked") if finish in _UNSAFE else _CUT
        raise _no_reply(outcome, code, egress, started, finish[:60])
    content = candidates[0].content
    text = "".join(
        part.text or "" for part in (content and content.parts) or [] if not part.thought
    )
    if not text.strip():
        raise _no_reply("FAILED", "advice_empty", egress, started)
    usage = answer.usage_metadata
    counted = {
        "prompt": usage and usage.prompt_token_count,
        "answer": usage and usage.candidates_token_count,
        "thought": usage and usage.thoughts_token_count,
        "total": usage and usage.total_token_count,
    }
    tokens = {name: count for name, count in counted.items() if count is not None}
    return Reply(text, time.monotonic() - started, tokens)


_UNSAFE = frozenset({"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"})
_CUT = ("FAILED", "advice_cut")


def _no_reply(outcome: str, code: str, egress: Egress, started: float, detail: str = "") -> NoReply:
    return NoReply(
        outcome,
        code,
        status=egress.status,
        detail=detail,
        body=_text(egress.received),
        seconds=time.monotonic() - started,
    )


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")
