"""Many requests at the same time, each on a connection of its own."""

import asyncio
import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from tests.integration.exchange import TIMEOUT, Answer, bearer, parse, send

PATIENCE = 60
THREADS = 4


def stampede(
    port: int, tokens: Sequence[str], sent: Callable[[], None] = lambda: None, target: str = "/api/v1/me"
) -> list[Answer]:
    """One request with each token, all under way before the first answer is read; ``sent`` is called in between."""

    async def run() -> list[Answer]:
        async with asyncio.timeout(PATIENCE):
            connections = [await asyncio.open_connection("127.0.0.1", port) for _ in tokens]
            for (_, writer), token in zip(connections, tokens, strict=True):
                lines = [
                    f"GET {target} HTTP/1.1",
                    f"Host: 127.0.0.1:{port}",
                    bearer(token),
                    "Connection: close",
                    "",
                    "",
                ]
                writer.write("\r\n".join(lines).encode())
            for _, writer in connections:
                await writer.drain()
            await asyncio.to_thread(sent)
            answers = [parse(await reader.read()) for reader, _ in connections]
            for _, writer in connections:
                writer.close()
            return answers

    return asyncio.run(run())


class Load:
    """Requests that go on in the background."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._ended = False
        self.statuses: Counter[int | str] = Counter()
        """How often each status was answered, or each failure happened."""

    def wait_for_more(self, count: int) -> None:
        """Wait until so many more requests have ended."""
        with self._changed:
            wanted = self.statuses.total() + count
            assert self._changed.wait_for(lambda: self.statuses.total() >= wanted, TIMEOUT), self.statuses

    def run(self, port: int, make: Callable[[], str]) -> None:
        """Ask, with one new token after the other, until it is ended."""
        while not self._ended:
            try:
                outcome: int | str = send(port, "GET", "/api/v1/me", bearer(make())).status
            except (OSError, ValueError, IndexError) as error:
                outcome = repr(error)
            with self._changed:
                self.statuses[outcome] += 1
                self._changed.notify_all()

    def end(self) -> None:
        self._ended = True


@contextmanager
def load(ports: Sequence[int], make: Callable[[], str]) -> Iterator[Load]:
    """Ask several servers in turn while the context lasts."""
    running = Load()
    chosen = itertools.islice(itertools.cycle(ports), THREADS)
    threads = [threading.Thread(target=running.run, args=(port, make)) for port in chosen]
    for thread in threads:
        thread.start()
    try:
        yield running
    finally:
        running.end()
        for thread in threads:
            thread.join()
