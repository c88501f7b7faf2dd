"""A host that speaks Gemini's generateContent over a real socket, and a model in it that a test scripts.

Written from the public reference of the REST protocol: the path names the model, the key stands in
`x-goog-api-key`, errors are `{"error": {code, message, status, details}}`. A request with a wrong key,
an unknown field or a schema that is none is refused as the reference says, before any model answers.
"""

from __future__ import annotations

import json
import os
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

__all__ = ["KEY", "MODEL", "GeminiServer", "Said", "gemini_server", "told"]

KEY = "CANARYGEMINI" + "g" * 27
MODEL = "gemini-3-pro-preview"
_PATH = re.compile(r"/v1beta/models/([^/:]+):generateContent")
_TOP = {
    "contents", "systemInstruction", "generationConfig", "safetySettings", "tools", "toolConfig",
    "cachedContent", "labels", "serviceTier", "store",
}  # fmt: skip
_CONFIG = {
    "candidateCount", "maxOutputTokens", "presencePenalty", "frequencyPenalty", "responseJsonSchema",
    "responseMimeType", "responseSchema", "seed", "stopSequences", "temperature", "thinkingConfig",
    "topK", "topP",
}  # fmt: skip


@dataclass(frozen=True)
class Said:
    """What the model does with a question: a text, or something worse than a text.

    `how` is text, late, drip, headers (a header that never ends), reset, raw (the body as it is).
    """

    text: str = ""
    how: str = "text"
    status: int = 200
    body: bytes = b""
    finish: str = "STOP"
    headers: Mapping[str, str] = field(default_factory=dict)


Model = Callable[[dict[str, Any]], Said]


@dataclass
class GeminiServer:
    """`requests` are the bodies that reached a model, `refused` the errors that came before it."""

    model: Model
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)


def told(body: Mapping[str, Any], name: str) -> Any:
    """The first JSON object of the question that has `name`, and in it the value."""
    decoder = json.JSONDecoder()
    for part in (part for content in body["contents"] for part in content["parts"]):
        text = part["text"]
        for start in (match.start() for match in re.finditer(r"\{", text)):
            try:
                found, _end = decoder.raw_decode(text, start)
            except ValueError:
                continue
            if name in found:
                return found[name]
    raise AssertionError(f"the question does not tell {name}")


@contextmanager
def gemini_server(model: Model) -> Iterator[GeminiServer]:
    """The host, listening on loopback until the test is over."""
    state = GeminiServer(model)
    handler = type("Handler", (_Handler,), {"state": state})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        state.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield state
        finally:
            state.ended.set()
            server.shutdown()
            thread.join()


class _Refused(Exception):
    def __init__(self, code: int, status: str, message: str, reason: str = "") -> None:
        super().__init__(message)
        info = {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": reason,
            "domain": "googleapis.com",
            "metadata": {"service": "generativelanguage.googleapis.com"},
        }
        self.code = code
        self.body = {
            "error": {"code": code, "message": message, "status": status}
            | ({"details": [info]} if reason else {})
        }


class _Handler(BaseHTTPRequestHandler):
    state: GeminiServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """A test's output is not an access log."""

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        try:
            model = self._admitted()
            body = _checked(raw)
        except _Refused as refused:
            self.state.refused.append(str(refused))
            self._send(refused.code, json.dumps(refused.body).encode())
            return
        self.state.requests.append(body)
        self._say(self.state.model(body), model)

    def _admitted(self) -> str:
        found = _PATH.fullmatch(self.path)
        if found is None:
            raise _Refused(404, "NOT_FOUND", "Requested entity was not found.")
        key = self.headers.get("x-goog-api-key", "")
        if not key:
            message = "Method doesn't allow unregistered callers. Please use API Key."
            raise _Refused(403, "PERMISSION_DENIED", message)
        if key != KEY:
            message = "API key not valid. Please pass a valid API key."
            raise _Refused(400, "INVALID_ARGUMENT", message, "API_KEY_INVALID")
        if found[1] != MODEL:
            message = f"models/{found[1]} is not found for API version v1beta"
            raise _Refused(404, "NOT_FOUND", message)
        return found[1]

    def _say(self, said: Said, model: str) -> None:
        if said.how == "late":
            self.state.ended.wait(20)
        elif said.how == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())
            self.close_connection = True
        elif said.how in ("drip", "headers"):
            self._drip(said.how)
        elif said.how == "raw":
            self._send(said.status, said.body, said.headers)
        else:
            self._send(said.status, json.dumps(_document(said, model)).encode(), said.headers)

    def _drip(self, where: str) -> None:
        """A byte now and then, for ever: of the body, or of a header that never ends."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")
        self.wfile.write(b"x-slow: " if where == "headers" else b"content-length: 100000\r\n\r\n")
        try:
            while not self.state.ended.is_set():
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.03)
        except OSError:
            pass
        self.close_connection = True

    def _send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        try:
            self.send_response(status)
            for name, value in {"content-type": "application/json", **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True


def _document(said: Said, model: str) -> dict[str, Any]:
    counted = {"promptTokenCount": 900, "candidatesTokenCount": 120, "totalTokenCount": 1020}
    common = {"usageMetadata": counted, "modelVersion": model, "responseId": "r-1"}
    if said.finish == "BLOCKED":
        return {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}} | common
    if said.finish == "NONE":
        return {"candidates": []} | common
    candidate: dict[str, Any] = {"finishReason": said.finish, "index": 0}
    if said.text:
        candidate["content"] = {"role": "model", "parts": [{"text": said.text}]}
    return {"candidates": [candidate]} | common


def _checked(raw: bytes) -> dict[str, Any]:
    """The body when it is a request of the reference; else the refusal that the host gives."""
    try:
        body = json.loads(raw)
    except ValueError:
        raise _bad("Invalid JSON payload received.") from None
    _known(body, _TOP, "")
    contents = body.get("contents")
    if not isinstance(contents, list) or not contents:
        raise _bad("* GenerateContentRequest.contents: contents is not specified")
    for content in [
        *contents,
        *([body["systemInstruction"]] if "systemInstruction" in body else []),
    ]:
        parts = content.get("parts")
        if content.get("role", "user") not in ("user", "model") or not parts:
            raise _bad("Please use a valid role: user, model.")
        if not all(isinstance(part.get("text"), str) for part in parts):
            raise _bad("contents.parts must not be empty.")
    config = body.get("generationConfig", {})
    _known(config, _CONFIG, " at 'generation_config'")
    schemas = [config[name] for name in ("responseSchema", "responseJsonSchema") if name in config]
    if not schemas:
        raise _bad("this host's tests expect a response schema")
    if len(schemas) > 1:
        raise _bad("only one of response_schema and response_json_schema may be set")
    if config.get("responseMimeType") != "application/json":
        raise _bad("Function calling with a response mime type: 'application/json' is required")
    try:
        Draft202012Validator.check_schema(schemas[0])
    except SchemaError as error:
        raise _bad(f"response_json_schema: {error.message}") from None
    if not schemas[0] or "type" not in schemas[0]:
        raise _bad(
            "GenerateContentRequest.generation_config.response_schema.type: must be specified"
        )
    if not 0 <= config.get("temperature", 1) <= 2:
        raise _bad("temperature must be in the range [0.0, 2.0]")
    return dict(body)


def _known(body: Any, names: set[str], where: str) -> None:
    if not isinstance(body, dict):
        raise _bad("Invalid JSON payload received.")
    if unknown := sorted(set(body) - names):
        raise _bad(f'Invalid JSON payload received. Unknown name "{unknown[0]}"{where}')


def _bad(message: str) -> _Refused:
    return _Refused(400, "INVALID_ARGUMENT", message)
