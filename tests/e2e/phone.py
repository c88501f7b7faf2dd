"""A phone whose person is signed in on a live test server. Rows are made before its block and read after it:
the browser's loop runs in the test's own thread, where no query may run meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.test import Client

from tests.e2e.installation import browser, listening

__all__ = ["phone_of"]


@contextmanager
def phone_of(client: Client, server: Any) -> Iterator[tuple[Any, list[str]]]:
    """A tab of 390 × 844 points with the client's session, and what its console complains of."""
    name = settings.SESSION_COOKIE_NAME
    cookie = {"name": name, "value": client.cookies[name].value, "url": server.url}
    with browser() as made:
        context = made.new_context(
            base_url=server.url,
            locale="ko-KR",
            viewport={"width": 390, "height": 844},
            color_scheme="dark",
        )
        context.add_cookies([cookie])
        tab = context.new_page()
        yield tab, listening(tab)
        context.close()
