"""Many questions of one kind at once: a slow broker is waited for by several calls together.

Turns are taken in the caller's thread, so that the pace, the token and the breaker are asked in one order, and
only the wait for an answer is shared out. A question that fails is asked again alone, with all its tries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime
from threading import Event

from trading.brokers.kis.client import Answer, KisClient
from trading.domain.errors import BrokerBusy, BrokerError
from trading.domain.ports import StoredToken

__all__ = ["IN_FLIGHT", "read_many"]

IN_FLIGHT = 6
"""At the real host's pace answers may take a third of a second before the sweep falls behind it."""


def read_many(
    client: KisClient,
    name: str,
    asked: Sequence[Mapping[str, str]],
    now: Callable[[], datetime],
    in_flight: int = IN_FLIGHT,
) -> list[tuple[datetime, Answer]]:
    """The answers in the order asked, each with the time before its question: a late one is as old as that.

    Raises the first BrokerError that stays; nothing more is asked then.
    """
    sent: list[Future[Answer]] = []
    times: list[datetime] = []
    told_off = Event()  # too fast, says the broker: what is left is asked one by one, more slowly

    def once(params: Mapping[str, str], token: StoredToken) -> Answer:
        try:
            return client.once(name, params, token)
        except BrokerBusy:
            client.budget.slow_down()
            told_off.set()
            raise

    with ThreadPoolExecutor(in_flight, thread_name_prefix="kis") as pool:
        try:
            for params in asked:
                # a turn taken long before its call would let a burst through later
                _await_room(sent, in_flight)
                if told_off.is_set():
                    break
                try:
                    token = client.turn("read")
                except BrokerError:
                    break
                times.append(now())
                sent.append(pool.submit(once, params, token))
            found = []
            for number, params in enumerate(asked):
                answer = _told(sent[number]) if number < len(sent) else None
                if answer is None:
                    found.append((now(), client.read(name, params)))
                else:
                    found.append((times[number], answer))
            return found
        finally:
            pool.shutdown(cancel_futures=True)


def _await_room(sent: Sequence[Future[Answer]], in_flight: int) -> None:
    under_way = {future for future in sent if not future.done()}
    if len(under_way) >= in_flight:
        wait(under_way, return_when=FIRST_COMPLETED)


def _told(future: Future[Answer]) -> Answer | None:
    try:
        return future.result()
    except BrokerError:
        return None
