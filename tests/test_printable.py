"""Text that is to be shown: nothing in it commands a terminal, or deceives a reader."""

import pytest

from resource_server.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("plain [red] <b>é 漢", "plain [red] <b>é 漢", id="what-can-be-seen-stays"),
        pytest.param("\x1b[31m", "\\x1b[31m", id="escape"),
        pytest.param("a\r\nb\t", "a\\r\\nb\\t", id="line-ends"),
        pytest.param("\u202eabc\u2066", "\\u202eabc\\u2066", id="bidirectional"),
        pytest.param("\u200b\ufeff", "\\u200b\\ufeff", id="invisible"),
        pytest.param("\u2028\xa0", "\\u2028\\xa0", id="strange-spaces"),
        pytest.param("\udcff", "\\udcff", id="lone-surrogate"),
    ],
)
def test_what_a_reader_would_not_see_is_escaped(text: str, shown: str) -> None:
    """T35: text renderers escape control and bidi characters."""
    assert printable(text) == shown
