"""Challenges, built and parsed by the grammar of RFC 9110 §11."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resource_server.challenge import Challenge, is_bearer_safe, parse

TOKEN_CHARACTERS = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
TOKENS = st.text(TOKEN_CHARACTERS, min_size=1, max_size=6)
NAMES = TOKENS.map(str.lower)
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=10)
TOKEN68S = st.from_regex(r"\A[A-Za-z0-9._~+/-]{1,8}={0,2}\Z")
NO_TOKEN = "a scheme and a parameter name must be tokens (RFC 9110 §5.6.2)"
REPEATED = "a parameter must occur once in a challenge (RFC 9110 §11.2)"
NOT_EITHER = "a challenge holds either one token68 or parameters (RFC 9110 §11.3)"
CHALLENGES = st.one_of(
    st.builds(Challenge, TOKENS, st.dictionaries(NAMES, VALUES, max_size=4).map(lambda pairs: tuple(pairs.items()))),
    st.builds(lambda scheme, token68: Challenge(scheme, token68=token68), TOKENS, TOKEN68S),
)


@settings(deadline=None, max_examples=150)
@given(st.lists(CHALLENGES, max_size=4))
def test_what_is_built_is_parsed_back(challenges: list[Challenge]) -> None:
    """RS-9110-11.3-b: on lines of their own, and after the lines were joined by commas."""
    written = [str(challenge) for challenge in challenges]
    assert parse(*written) == challenges
    assert parse(", ".join(written)) == challenges
    assert parse(",".join(written)) == challenges


@settings(deadline=None, max_examples=300)
@given(st.text('aB ,="\\\t/\r\n\x7fü', max_size=14))
def test_whatever_comes_is_parsed_or_refused_with_a_value_error(field: str) -> None:
    """Threats, "how it is shown": what is accepted can be written again and means the same."""
    try:
        challenges = parse(field)
    except ValueError:
        return
    try:
        written = ", ".join(map(str, challenges))
    except ValueError:
        return  # a tab or obs-text in a quoted-string, which we read and never write
    assert parse(written) == challenges


@pytest.mark.parametrize(
    ("fields", "challenges"),
    [
        pytest.param([], [], id="no-field"),
        pytest.param([""], [], id="empty-field"),
        pytest.param([" , ,"], [], id="empty-members-alone"),
        pytest.param(["Negotiate"], [Challenge("Negotiate")], id="scheme-alone"),
        pytest.param(["Negotiate abc+/=="], [Challenge("Negotiate", token68="abc+/==")], id="token68"),
        pytest.param(["Bearer a=b"], [Challenge("Bearer", (("a", "b"),))], id="unquoted-value"),
        pytest.param(["Bearer a="], [Challenge("Bearer", token68="a=")], id="token68-that-looks-like-a-parameter"),
        pytest.param(['Bearer   realm="x"'], [Challenge("Bearer", (("realm", "x"),))], id="several-spaces"),
        pytest.param(['Bearer realm = "x"'], [Challenge("Bearer", (("realm", "x"),))], id="space-around-equals"),
        pytest.param(['Bearer REALM="x"'], [Challenge("Bearer", (("realm", "x"),))], id="name-in-upper-case"),
        pytest.param([r'Bearer realm="a\"b\\c\d"'], [Challenge("Bearer", (("realm", 'a"b\\cd'),))], id="quoted-pairs"),
        pytest.param(
            ['Bearer realm="\t \xff\\\t\\ \\\xff"'],
            [Challenge("Bearer", (("realm", "\t \xff\t \xff"),))],
            id="tab-and-obs-text",
        ),
        pytest.param(
            ["Negotiate abc= \t, DPoP"], [Challenge("Negotiate", token68="abc="), Challenge("DPoP")], id="space-after"
        ),
        pytest.param(['Bearer realm=""'], [Challenge("Bearer", (("realm", ""),))], id="empty-value"),
        pytest.param(
            ['Bearer realm="a, B c=d"'], [Challenge("Bearer", (("realm", "a, B c=d"),))], id="comma-in-quotes"
        ),
        pytest.param(
            ['Bearer realm="x",,  scope="a b" ,'],
            [Challenge("Bearer", (("realm", "x"), ("scope", "a b")))],
            id="empty-members-between",
        ),
        pytest.param(
            ['Negotiate, Basic realm="x", charset="UTF-8", DPoP algs="ES256 PS256", Negotiate abc='],
            [
                Challenge("Negotiate"),
                Challenge("Basic", (("realm", "x"), ("charset", "UTF-8"))),
                Challenge("DPoP", (("algs", "ES256 PS256"),)),
                Challenge("Negotiate", token68="abc="),
            ],
            id="four-on-one-line",
        ),
        pytest.param(
            ['Bearer realm="x"', 'DPoP algs="ES256"'],
            [Challenge("Bearer", (("realm", "x"),)), Challenge("DPoP", (("algs", "ES256"),))],
            id="one-a-line",
        ),
    ],
)
def test_challenges_are_told_apart(fields: list[str], challenges: list[Challenge]) -> None:
    """RS-9110-11.3-a, RS-9110-11.3-b."""
    assert parse(*fields) == challenges


@pytest.mark.parametrize("character", TOKEN_CHARACTERS)
def test_nothing_of_a_scheme_is_passed_over_as_empty_members_are(character: str) -> None:
    """RFC 9110 §5.6.1.2: commas, spaces and tabs alone; a token is of any of the others, and may begin with each."""
    assert parse(f"{character}a, ,\t{character}") == [Challenge(f"{character}a"), Challenge(character)]


@pytest.mark.parametrize(
    ("field", "problem"),
    [
        pytest.param('Bearer, error="invalid_token"', "expected a comma at position 13", id="comma-after-the-scheme"),
        pytest.param('Bearer , error="x"', "expected a comma at position 14", id="comma-after-the-scheme-and-a-space"),
        pytest.param('"Bearer"', "expected a scheme at position 0", id="quoted-scheme"),
        pytest.param('realm="x"', "expected a comma at position 5", id="parameter-without-scheme"),
        pytest.param('Bearer realm="a"b"', "expected a comma at position 16", id="quote-not-escaped"),
        pytest.param('Bearer realm="a', "expected a value at position 13", id="quote-not-closed"),
        pytest.param('Bearer realm="a\nb"', "expected a value at position 13", id="line-break-in-quotes"),
        pytest.param('Bearer realm="a\x00b"', "expected a value at position 13", id="nul-in-quotes"),
        pytest.param('Bearer realm="a\x7fb"', "expected a value at position 13", id="delete-in-quotes"),
        pytest.param('Bearer realm="\\\x7f"', "expected a value at position 13", id="delete-in-a-quoted-pair"),
        pytest.param("Bearer realm=ü", "expected a value at position 13", id="value-of-no-token-character"),
        pytest.param('Bearer realm="a" scope="b"', "expected a comma at position 17", id="comma-forgotten"),
        pytest.param('Bearer\trealm="a"', "expected a comma at position 7", id="tab-after-the-scheme"),
        pytest.param('Bearer realm="a", Realm="b"', REPEATED, id="name-repeated"),
        pytest.param('Bearer realm="a", scope=, x="y"', "expected a value at position 24", id="value-forgotten"),
        pytest.param("Negotiate abc def", "expected a comma at position 10", id="two-token68"),
        pytest.param("Negotiate abc\n", "expected a comma at position 10", id="line-feed-after-a-token68"),
    ],
)
def test_what_breaks_the_grammar_is_refused(field: str, problem: str) -> None:
    """RS-9110-11.2-a, RS-9110-11.2-b, RS-9110-11.3-a."""
    with pytest.raises(ValueError) as caught:
        parse(field)
    assert str(caught.value) == problem


@pytest.mark.parametrize(
    ("scheme", "parameters", "token68", "problem"),
    [
        pytest.param("", (), None, NO_TOKEN, id="no-scheme"),
        pytest.param("Bea rer", (), None, NO_TOKEN, id="space-in-the-scheme"),
        pytest.param("Bearer\n", (), None, NO_TOKEN, id="line-feed-after-the-scheme"),
        pytest.param("Bearer", (("", "x"),), None, NO_TOKEN, id="no-name"),
        pytest.param("Bearer", (("re alm", "x"),), None, NO_TOKEN, id="space-in-a-name"),
        pytest.param("Bearer", (("\u212a", "x"),), None, NO_TOKEN, id="kelvin-sign-whose-lower-case-is-ascii"),
        pytest.param("Bearer", (("ß", "x"),), None, NO_TOKEN, id="sharp-s-whose-upper-case-is-ascii"),
        pytest.param("Bearer", (("realm", "x"), ("REALM", "y")), None, REPEATED, id="name-repeated-in-another-case"),
        pytest.param("Bearer", (("realm", "x"),), "abc", NOT_EITHER, id="parameters-beside-a-token68"),
        pytest.param("Bearer", (), "", NOT_EITHER, id="empty-token68"),
        pytest.param("Bearer", (), "a b", NOT_EITHER, id="space-in-a-token68"),
        pytest.param("Bearer", (), "abc\n", NOT_EITHER, id="line-feed-after-a-token68"),
        pytest.param("Bearer", (), "abc,", NOT_EITHER, id="comma-after-a-token68"),
    ],
)
def test_what_is_no_challenge_can_not_be_built(
    scheme: str, parameters: tuple[tuple[str, str], ...], token68: str | None, problem: str
) -> None:
    """RS-9110-11.2-a, RS-9110-11.3-a, RS-6750-3-c."""
    with pytest.raises(ValueError) as caught:
        Challenge(scheme, parameters, token68)
    assert str(caught.value) == problem


@pytest.mark.parametrize(
    "character",
    ["\r", "\n", "\t", "\x00", "\x1f", "\x7f", "\x80", "é", "🔑"],
    ids=lambda character: f"U+{ord(character):04X}",
)
def test_value_that_would_end_or_garble_the_line_is_never_written(character: str) -> None:
    """RS-9110-11.2-b; the neighbour whose header an attacker's `alg` could rewrite (known mistakes, seen live)."""
    with pytest.raises(ValueError) as caught:
        str(Challenge("Bearer", (("realm", f"a{character}b"),)))
    assert str(caught.value) == "a parameter's value must be printable ASCII, so that it can't end the header line"


def test_scheme_alone_is_written_without_a_space() -> None:
    """RS-9110-11.3-a."""
    assert str(Challenge("Negotiate")) == "Negotiate"
    assert str(Challenge("Negotiate", token68="abc=")) == "Negotiate abc="


def test_injected_quote_stays_inside_its_value() -> None:
    """Known mistakes, seen live: `x", error="pwn` rewrote a challenge."""
    challenge = Challenge("Bearer", (("realm", 'x", error="pwn'),))
    assert str(challenge) == r'Bearer realm="x\", error=\"pwn"'
    assert parse(str(challenge))[0].parameters == (("realm", 'x", error="pwn'),)


def test_parameter_is_found_in_any_case() -> None:
    """RFC 9110 §11.2: names are compared without regard to case."""
    challenge = Challenge("Bearer", (("Error", "invalid_token"),))
    assert challenge.get("ERROR") == "invalid_token"
    assert challenge.get("scope") is None


@pytest.mark.parametrize("code", [*range(0x82), 0xE9, 0x2028])
def test_character_sets_of_the_bearer_scheme(code: int) -> None:
    """RS-6750-3-d: %x20-21 / %x23-5B / %x5D-7E."""
    allowed = {0x20, 0x21, *range(0x23, 0x5C), *range(0x5D, 0x7F)}
    assert is_bearer_safe(f"a{chr(code)}b") is (code in allowed)
    assert is_bearer_safe(f"ab{chr(code)}") is (code in allowed)
