"""Requests that schemathesis makes of the document, against the running API: it does what it says, and no more."""

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from resource_server.demo.api import PUBLIC
from resource_server.development.minting import Mint
from tests.integration.exchange import send
from tests.integration.serving import Served
from tests.openapi.names import EVERYTHING, EXPORTED

EXAMPLES = os.environ.get("OPENAPI_EXAMPLES") or ""
TIMEOUT = 60 + 60 * int(EXAMPLES or 0)
# Endless answers, which would be read to their end.
STREAMS = ["--exclude-path", "/orders/events", "--exclude-path", "/admin/refusals/stream"]
# Who is refused before routing can't be told that what he sent was good, or that the method is unknown.
REFUSED_FIRST = ["--exclude-checks", "positive_data_acceptance,unsupported_method"]
# Enough where nearly every request is refused alike, whatever it brings.
BRIEFLY = [] if EXAMPLES else ["--phases", "examples,fuzzing"]


def run(
    programs: Path, served: Served, folder: Path, *options: str, document: Path = EXPORTED, token: str | None = None
) -> "subprocess.CompletedProcess[str]":
    """A few examples of each operation, always the same; OPENAPI_EXAMPLES says how many others, and they differ."""
    bound = ["--max-examples", EXAMPLES] if EXAMPLES else ["--max-examples", "5", "--seed", "1"]
    header = [] if token is None else ["--header", f"Authorization: Bearer {token}"]
    command: list[str | Path] = [programs / "st", "run", document, "--url", served.url, "--checks", "all", "--no-color"]
    return subprocess.run(
        [*command, "--generation-database", "none", "--warnings", "off", *bound, *header, *options],
        cwd=folder,
        env={"HOME": str(folder), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )


class Answered:
    """What a server answered while the context lasted: path and status."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self.requests: list[tuple[str, int]] = []

    def __enter__(self) -> "Answered":
        self._mark = self._write_mark()
        return self

    def __exit__(self, *_: object) -> None:
        end = self._write_mark()
        lines = [line.split(" ") for line in self._served.access_log]
        paths = [line[1].partition("?")[0] for line in lines]
        between = slice(paths.index(self._mark) + 1, paths.index(end))
        self.requests = [(path, int(line[-1])) for path, line in zip(paths[between], lines[between], strict=True)]

    def _write_mark(self) -> str:
        """Into the log, which is read as it comes; returns when it is there, and all before it."""
        path = f"/{uuid4()}"
        send(self._served.port, "GET", path)
        self._served.err.wait_for(lambda text: path in text)
        return path


def assert_found_nothing(done: "subprocess.CompletedProcess[str]") -> None:
    """All of it is shown otherwise: each failure has a command that repeats it."""
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout
    tested = re.search(r"Tested: (\d+)", done.stdout)
    assert tested is not None
    assert int(tested[1]) > 10


def test_with_a_token_that_opens_everything_it_does_what_it_says(
    programs: Path, served: Served, mint: Mint, tmp_path: Path
) -> None:
    """No undocumented status, header or body, no failure, and nothing is granted without the token."""
    with Answered(served) as answered:
        done = run(programs, served, tmp_path, *STREAMS, token=mint.access_token(**EVERYTHING))
    assert_found_nothing(done)
    statuses = {status for _, status in answered.requests}
    assert statuses >= {200, 201, 401, 405, 422}
    assert max(statuses) < 500


def test_without_a_token_nothing_but_what_is_public_answers(programs: Path, served: Served, tmp_path: Path) -> None:
    """Every operation that needs a token, the stream too."""
    with Answered(served) as answered:
        done = run(programs, served, tmp_path, *REFUSED_FIRST, *BRIEFLY)
    assert_found_nothing(done)
    assert len(answered.requests) > 20
    assert {status for path, status in answered.requests if path not in PUBLIC} <= {400, 401, 431}


def test_with_a_token_that_opens_nothing_only_what_any_token_opens_answers(
    programs: Path, served: Served, mint: Mint, tmp_path: Path
) -> None:
    """403, as documented, whatever else the request brings."""
    options = ["--exclude-checks", "positive_data_acceptance", *BRIEFLY]
    with Answered(served) as answered:
        done = run(programs, served, tmp_path, *options, token=mint.access_token())
    assert_found_nothing(done)
    assert {path for path, status in answered.requests if status < 400} <= {*PUBLIC, "/api/v1/me"}
    assert {status for _, status in answered.requests} >= {200, 403}


def undocumented(document: dict[str, Any]) -> None:
    """A document that says less."""
    del document["paths"]["/api/v1/me"]["get"]["responses"]["401"]


def ill_described(document: dict[str, Any]) -> None:
    """A document that says something else."""
    document["components"]["schemas"]["Refusal"]["required"] = ["status", "error"]


def closed(document: dict[str, Any]) -> None:
    """A document that says that a token is needed, where none is."""
    document["paths"]["/healthz"]["get"]["security"] = [{"bearer_token": []}]


@pytest.mark.parametrize(
    ("path", "change", "fault"),
    [
        pytest.param("/api/v1/me", undocumented, "Undocumented status code", id="status"),
        pytest.param("/api/v1/me", ill_described, "Response violates schema", id="body"),
        pytest.param("/healthz", closed, "API accepts requests without authentication", id="no token"),
    ],
)
def test_what_is_not_as_documented_is_found(
    programs: Path,
    served: Served,
    mint: Mint,
    tmp_path: Path,
    path: str,
    change: Callable[[dict[str, Any]], None],
    fault: str,
) -> None:
    """The control: one operation of a document that was changed."""
    document: dict[str, Any] = json.loads(EXPORTED.read_text("utf-8"))
    change(document)
    changed = tmp_path / "openapi.json"
    changed.write_text(json.dumps(document), "utf-8")
    token = mint.access_token() if path == "/healthz" else None
    options = [*REFUSED_FIRST, "--phases", "fuzzing", "--max-examples", "1", "--include-path", path]
    done = run(programs, served, tmp_path, *options, document=changed, token=token)
    assert done.returncode == 1, done.stdout
    assert fault in done.stdout
