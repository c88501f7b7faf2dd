"""Static files with a name for each content, compressed beside it, and sent whole."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from whitenoise.compress import Compressor
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.storage import CompressedManifestStaticFilesStorage

__all__ = ["StaticFiles", "WholeStaticFiles"]


class StaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Compressed by gzip alone: brotli's best would keep the first start waiting for half a minute."""

    def create_compressor(self, **kwargs: Any) -> Compressor:
        return super().create_compressor(**kwargs, use_brotli=False)


class WholeStaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise whose answers hold the file. Under ASGI its own, which read in pieces, are collected all the
    same, with a warning in the log."""

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        found = static_file.get_response(request.method, request.META)
        body = b""
        if found.file is not None:
            with found.file:
                body = found.file.read()
        answer = HttpResponse(body, status=int(found.status))
        del answer["Content-Type"]
        for name, value in found.headers:
            answer[name] = value
        return answer
