"""What tells refusals where nobody chose an observer (T35, T10): warnings, bounded, without a byte of a token."""

import hashlib
import hmac
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest

from resource_server.observers.refusal_log import LOGGER, RefusalLog
from resource_server.refusals import Kind, Refusal
from resource_server.testing import make_token
from tests.observers.decisions import decision

KEY = b"the key of this process"
DIGEST = hashlib.sha256(b"token").digest()


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[RefusalLog]:
    caplog.set_level(logging.WARNING, LOGGER)
    log = RefusalLog(KEY, clock=lambda: 0.0)
    yield log
    log.close()


def test_a_refusal_is_one_warning_with_its_reason(log: RefusalLog, caplog: pytest.LogCaptureFixture) -> None:
    """DESIGN §1: every refusal's reason is known to the operator; T10: the token's digest is keyed."""
    refusal = Refusal(Kind.INSUFFICIENT_SCOPE, "needs all of orders:read")
    token = make_token(subject="alice", client_id="web")
    log(decision(refusal=refusal, token=token, digest=DIGEST, client="192.0.2.7", route="/orders"))
    log.close()
    assert [(record.name, record.levelname) for record in caplog.records] == [(LOGGER, "WARNING")]
    digest = hmac.new(KEY, DIGEST, hashlib.sha256).hexdigest()[:16]
    [message] = caplog.messages
    assert message == (
        'refused 403 insufficient_scope: "needs all of orders:read" method="GET" route="/orders" client="192.0.2.7" '
        f'issuer="https://id.example.com" subject="alice" client_id="web" token="{digest}"'
    )


def test_what_is_not_known_is_left_out_of_the_warning(log: RefusalLog, caplog: pytest.LogCaptureFixture) -> None:
    """T35: before the signature is verified nobody is named."""
    log(decision(refusal=Refusal(Kind.NO_CREDENTIALS)))
    log.close()
    assert caplog.messages == ['refused 401 no_credentials method="GET"']


@pytest.mark.parametrize("kind", [Kind.INVALID_CONTENT, Kind.OVERSIZED_CONTENT, None])
def test_a_grant_and_what_the_audit_leaves_out_are_not_told(
    log: RefusalLog, caplog: pytest.LogCaptureFixture, kind: Kind | None
) -> None:
    """The same refusals that the audit writes."""
    log(decision(refusal=Refusal(kind) if kind else None))
    log.close()
    assert caplog.messages == []


def test_a_warning_is_one_line_of_ascii_and_what_it_quotes_can_not_pass_for_its_own_words(
    log: RefusalLog, caplog: pytest.LogCaptureFixture
) -> None:
    """T35: ESC, U+202E, line ends; a subject that looks like another field."""
    told = decision(refusal=Refusal(Kind.MISSING_ROLE, "\x1b[31m\r\n\u202e"), token=make_token(subject='a" client="x'))
    log(told)
    log.close()
    [message] = caplog.messages
    assert message.isascii()
    assert message.isprintable()
    assert r'missing_role: "\u001b[31m\r\n\u202e" ' in message
    assert r'subject="a\" client=\"x"' in message


def test_a_flood_of_identical_refusals_is_counted(log: RefusalLog, caplog: pytest.LogCaptureFixture) -> None:
    """T35: aggregated above 10/s, by the same mechanism as the audit's."""
    for _ in range(25):
        log(decision(refusal=Refusal(Kind.NO_CREDENTIALS), client="192.0.2.7"))
    log.close()
    assert len(caplog.messages) == 11
    assert caplog.messages[-1] == 'refused 15 more like it: no_credentials client="192.0.2.7" method="GET"'


class Stubborn(logging.Handler):
    """A handler of the application's own that fails."""

    def emit(self, record: logging.LogRecord) -> None:
        raise RuntimeError("no disk")


def test_a_handler_that_raises_stops_nothing_and_what_it_lost_is_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """T35: no exception of the log reaches a request, and the thread goes on."""
    caplog.set_level(logging.WARNING, LOGGER)
    seconds = [0.0]
    log = RefusalLog(KEY, clock=lambda: seconds[0])
    stubborn = Stubborn()
    logging.getLogger(LOGGER).addHandler(stubborn)
    for _ in range(2):
        log(decision(refusal=Refusal(Kind.NO_CREDENTIALS)))
    log.close()
    logging.getLogger(LOGGER).removeHandler(stubborn)
    caplog.clear()
    seconds[0] = 5.0
    log(decision(refusal=Refusal(Kind.NO_CREDENTIALS)))
    log.close()
    assert caplog.messages[0] == "refusals that could not be told, in time or at all: 2"


def test_where_logging_is_turned_off_nothing_is_queued(caplog: pytest.LogCaptureFixture) -> None:
    """A logger that nobody listens to costs no thread."""
    caplog.set_level(logging.CRITICAL, LOGGER)
    log = RefusalLog(KEY)
    log(decision(refusal=Refusal(Kind.NO_CREDENTIALS)))
    caplog.set_level(logging.WARNING, LOGGER)
    log.close()
    assert caplog.messages == []


PROGRAM = """
from fastapi import FastAPI
from starlette.testclient import TestClient
from resource_server import ResourceServer
api = ResourceServer("https://id.example.com", audience="https://api.example.com"{option})
app = FastAPI()
api.install(app)
app.get("/notes", dependencies=[api.requires("notes:read")])(lambda: None)
assert TestClient(app).get("/notes").status_code == 401
"""


@pytest.mark.parametrize(
    ("option", "told"),
    [
        pytest.param("", 'refused 401 no_credentials method="GET" route="/notes"\n', id="default"),
        pytest.param(", observers=None", 'refused 401 no_credentials method="GET" route="/notes"\n', id="none-chosen"),
        pytest.param(", observers=()", "", id="none-wanted"),
    ],
)
def test_a_program_that_configures_nothing_sees_the_reasons_on_standard_error(option: str, told: str) -> None:
    """DESIGN §1, design rule 1: without doing anything; and it ends without waiting for anybody."""
    source = PROGRAM.format(option=option)
    ended = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True, timeout=60)
    assert (ended.stdout, ended.stderr) == ("", told)
