"""A steady load of requests, from clients that keep their connections."""

import http.client
import itertools
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

CLIENTS = 8
PATIENCE = 60
"""Seconds after which an answer will not come."""


class Load:
    """What the clients were answered: how often which status, by token."""

    def __init__(self, port: int, tokens: Sequence[str]) -> None:
        self._port = port
        self._changed = threading.Condition()
        self._ended = False
        self._tokens = itertools.cycle(tokens)
        self._answers: Counter[tuple[str, int]] = Counter()
        self._failures: list[str] = []

    @property
    def statuses(self) -> Counter[int]:
        """How often each status was answered."""
        with self._changed:
            total: Counter[int] = Counter()
            for (_, status), times in self._answers.items():
                total[status] += times
            return total

    def times(self, tokens: Sequence[str]) -> int:
        """How many answers came to these tokens."""
        with self._changed:
            return sum(times for (token, _), times in self._answers.items() if token in tokens)

    def bear(self, tokens: Sequence[str]) -> None:
        """From now on send these tokens, in turn."""
        with self._changed:
            self._tokens = itertools.cycle(tokens)

    def wait_for(self, more: int) -> None:
        """Wait until so many more answers have come."""
        with self._changed:
            target = self._answers.total() + more
            arrived = self._changed.wait_for(lambda: self._answers.total() >= target or self._failures, PATIENCE)
            assert arrived, "no answers"
            assert self._failures == []

    def send(self) -> None:
        """Be one of the clients, until the load ends."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        try:
            while not self._ended:
                with self._changed:
                    token = next(self._tokens)
                connection.request("GET", "/api/v1/me", headers={"authorization": f"Bearer {token}"})
                answer = connection.getresponse()
                answer.read()
                with self._changed:
                    self._answers[token, answer.status] += 1
                    self._changed.notify_all()
        except (OSError, http.client.HTTPException) as error:
            with self._changed:
                self._failures.append(repr(error))
                self._changed.notify_all()
        finally:
            connection.close()

    def end(self) -> list[str]:
        """No further requests; answers what has failed."""
        self._ended = True
        return self._failures


@contextmanager
def loading(port: int, tokens: Sequence[str]) -> Iterator[Load]:
    """Send requests with these tokens while the context lasts."""
    load = Load(port, tokens)
    clients = [threading.Thread(target=load.send) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        yield load
    finally:
        failures = load.end()
        for client in clients:
            client.join()
    assert failures == []
