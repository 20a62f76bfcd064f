"""How long a fetched document may be kept, by its server's word (RFC 9111 §4.2.1, §5.2.2)."""

import pytest

from resource_server.issuers.fetch import HttpFetch
from tests.issuers.loopback import Script, serve
from tests.issuers.loopback import says as says_bytes


def says(headers: str) -> Script:
    """A good document under these header fields."""
    return says_bytes(f"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n{headers}\r\n{{}}".encode("latin-1"))


@pytest.mark.parametrize(
    ("fields", "lifetime"),
    [
        pytest.param([], None, id="nothing-said"),
        pytest.param(["cache-control: max-age=300"], 300, id="max-age"),
        pytest.param(["Cache-Control: PUBLIC, Max-Age=300"], 300, id="any-case"),
        pytest.param(["cache-control:max-age=300 , must-revalidate"], 300, id="white-space"),
        pytest.param(['cache-control: max-age="300"'], 300, id="quoted"),
        pytest.param(["cache-control: max-age=0"], 0, id="zero"),
        pytest.param(["cache-control: no-store"], 0, id="no-store"),
        pytest.param(["cache-control: no-cache"], 0, id="no-cache"),
        pytest.param(['cache-control: no-cache="set-cookie", max-age=300'], 0, id="no-cache-of-a-field"),
        pytest.param(["cache-control: no-store, max-age=300"], 0, id="no-store-and-max-age"),
        pytest.param(["cache-control: max-age=300, max-age=60"], 60, id="twice-the-shorter"),
        pytest.param(["cache-control: max-age=300", "cache-control: max-age=60"], 60, id="in-two-fields"),
        pytest.param(["cache-control: private", "cache-control: max-age=60"], 60, id="in-the-second-field"),
        pytest.param(["cache-control: max-age=-1"], 0, id="negative"),
        pytest.param(["cache-control: max-age=1.5"], 0, id="fraction"),
        pytest.param(["cache-control: max-age=1e9"], 0, id="exponent"),
        pytest.param(["cache-control: max-age=soon"], 0, id="garbage"),
        pytest.param(["cache-control: max-age="], 0, id="no-value"),
        pytest.param(["cache-control: max-age"], 0, id="no-sign"),
        pytest.param(["cache-control: max-age=\u0663".encode().decode("latin-1")], 0, id="digits-of-another-script"),
        pytest.param(["cache-control: max-age=" + "9" * 5000], 9_999_999_999, id="huge"),
        pytest.param(["cache-control: s-maxage=60"], None, id="for-shared-caches"),
        pytest.param(["cache-control: x-max-age=60"], None, id="another-directive"),
        pytest.param(["cache-control: public, immutable"], None, id="no-time"),
        pytest.param(["cache-control: ,,=,;=\"', "], None, id="no-directive-at-all"),
        pytest.param(["expires: Thu, 01 Jan 1970 00:00:00 GMT"], None, id="expires-is-not-read"),
        pytest.param(["pragma: no-cache"], None, id="pragma-is-not-read"),
        pytest.param(["cache-control: max-age=300", "age: 100"], 200, id="age"),
        pytest.param(["cache-control: max-age=300", "age: 300"], 0, id="as-old-as-it-may-be"),
        pytest.param(["cache-control: max-age=300", "age: 9999"], 0, id="older"),
        pytest.param(["cache-control: max-age=300", "age: " + "9" * 5000], 0, id="huge-age"),
        pytest.param(["cache-control: max-age=300", "age: -100"], 300, id="negative-age"),
        pytest.param(["cache-control: max-age=300", "age: old"], 300, id="garbage-age"),
        pytest.param(["age: 100"], None, id="age-alone"),
    ],
)
async def test_the_lifetime_is_what_cache_control_allows_less_its_age(
    fields: list[str], lifetime: float | None
) -> None:
    """T7: of directives that contradict each other the shortest counts, and what is not understood is none."""
    headers = "".join(f"{field}\r\n" for field in fields)
    async with serve(says(headers)) as served:
        assert (await HttpFetch()(served.url)).lifetime == lifetime


@pytest.mark.parametrize(
    "date",
    [
        "", " ", "0", "-1", "now", "Tue", "Tue, 32 Foo 2026 25:61:61 GMT", "Wed, 25 Nov 999999 14:00:00 GMT",
        "Wed, 25 Nov 2026 14:00:00 +999999", "\x80", "25/11/2026", "(((", "9" * 5000,
    ],
    ids=lambda date: repr(date[:40]),
)  # fmt: skip
async def test_a_date_that_is_none_is_none(date: str) -> None:
    """RFC 9110 §6.6.1: a clock that cannot be read hurts no document."""
    async with serve(says(f"date: {date}\r\n")) as served:
        assert (await HttpFetch()(served.url)).date is None
