"""Files that the configuration names, and secrets: who may write them decides who is let in (threats T37)."""

import pickle
from pathlib import Path

import pytest

from resource_server.configuration_error import ConfigurationError
from resource_server.settings import Settings
from tests.configuring import GOOD, Configuration

SECRET = "canary-of-the-audit-key"


@pytest.fixture
def configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Configuration:
    configuration = Configuration(monkeypatch, tmp_path)
    configuration.set(**GOOD)
    return configuration


def start() -> None:
    """Read all that a start reads."""
    settings = Settings.load()
    settings.read_audit_keys()
    settings.resource_server()


NAMES = ("CONFIG", "JWKS_FILE", "AUDIT_KEY_FILE")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mode", [0o600, 0o400, 0o644, 0o755], ids=oct)
def test_a_file_that_only_its_owner_may_write_is_read(configuration: Configuration, name: str, mode: int) -> None:
    """T37, the good side."""
    configuration.set(**{name: configuration.write("leeway = 1", mode=mode)})
    start()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666, 0o777], ids=oct)
def test_a_file_that_others_may_write_ends_the_start(configuration: Configuration, name: str, mode: int) -> None:
    """T37."""
    path = configuration.write("leeway = 1", mode=mode)
    configuration.set(**{name: path})
    with pytest.raises(ConfigurationError) as refused:
        start()
    sentence = f"RESOURCE_SERVER_{name} names a file that others may write: run chmod go-w '{path}'"
    assert str(refused.value) == sentence


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_not_there_ends_the_start(configuration: Configuration, name: str) -> None:
    """DESIGN §5: one sentence that names the variable, even where the path has line ends."""
    path = f"{configuration.folder}/no\nsuch"
    configuration.set(**{name: path})
    with pytest.raises(ConfigurationError) as refused:
        start()
    sentence = f"RESOURCE_SERVER_{name} names a file that can't be read (No such file or directory): {path!r}"
    assert str(refused.value) == sentence


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_is_no_file(configuration: Configuration, name: str) -> None:
    """DESIGN §5."""
    configuration.set(**{name: str(configuration.folder)})
    with pytest.raises(ConfigurationError) as refused:
        start()
    sentence = f"RESOURCE_SERVER_{name} names a file that can't be read (Is a directory): '{configuration.folder}'"
    assert str(refused.value) == sentence


def test_the_audit_key_is_random_unless_it_is_set(configuration: Configuration) -> None:
    """T10: per deployment; with none configured, per process."""
    settings = Settings.load()
    keys = {key for _ in range(3) for key in settings.read_audit_keys()}
    assert len(keys) == 3
    assert all(len(key) == 32 for key in keys)


def test_the_audit_key_comes_from_the_variable(configuration: Configuration) -> None:
    """T10."""
    configuration.set(AUDIT_KEY=SECRET)
    assert Settings.load().read_audit_keys() == [SECRET.encode()]


def test_the_audit_key_comes_from_a_file_without_its_last_line_end(configuration: Configuration) -> None:
    """T37: editors end a file with a line end."""
    configuration.set(AUDIT_KEY_FILE=configuration.write(SECRET + "\n"))
    assert Settings.load().read_audit_keys() == [SECRET.encode()]


@pytest.mark.parametrize("where", ["AUDIT_KEY", "AUDIT_KEY_FILE"])
def test_two_audit_keys_are_one_that_replaces_another(configuration: Configuration, where: str) -> None:
    """T37: parted by a comma, or one a line; the same way as the store's."""
    text = f"new,{SECRET}" if where == "AUDIT_KEY" else configuration.write(f"new\n{SECRET}\n")
    configuration.set(**{where: text})
    assert Settings.load().read_audit_keys() == [b"new", SECRET.encode()]


def test_random_bytes_in_a_file_are_one_audit_key_whatever_is_among_them(configuration: Configuration) -> None:
    """T10: one in five keys of 32 random bytes has a line end, and what stands before it may be guessed."""
    key = b"\xfe\n" + bytes(range(128, 158))
    configuration.set(AUDIT_KEY_FILE=configuration.write(key))
    assert Settings.load().read_audit_keys() == [key]


@pytest.mark.parametrize("where", ["AUDIT_KEY", "AUDIT_KEY_FILE"])
@pytest.mark.parametrize("keys", [("a", "b", "c"), ("a", ""), ("", "b"), ("a", "", "b")], ids="-".join)
def test_any_other_number_of_audit_keys_ends_the_start(
    configuration: Configuration, where: str, keys: tuple[str, ...]
) -> None:
    """T10: one that is empty keys nothing."""
    text = ",".join(keys) if where == "AUDIT_KEY" else configuration.write("\n".join(keys) + "\n")
    configuration.set(**{where: text})
    if where == "AUDIT_KEY_FILE" and "" in (keys[0], keys[-1]):
        assert Settings.load().read_audit_keys() == [key.encode() for key in keys if key], "a blank line at its end"
        return
    with pytest.raises(ConfigurationError) as refused:
        Settings.load().read_audit_keys()
    sentence = "must be one key of random bytes, or two while the first replaces the second"
    assert str(refused.value) == f"RESOURCE_SERVER_{where} {sentence}"


def test_an_empty_audit_key_ends_the_start(configuration: Configuration) -> None:
    """T10: an empty key would be a plain digest."""
    configuration.set(AUDIT_KEY_FILE=configuration.write("\n"))
    with pytest.raises(ConfigurationError) as refused:
        Settings.load().read_audit_keys()
    sentence = "RESOURCE_SERVER_AUDIT_KEY_FILE names an empty file: put a random secret into it"
    assert str(refused.value) == sentence


def test_two_audit_keys_end_the_start_and_neither_is_quoted(configuration: Configuration) -> None:
    """DESIGN §3: contradictory options fail; T37: a secret is in no message."""
    configuration.set(AUDIT_KEY=SECRET, AUDIT_KEY_FILE=configuration.write(SECRET))
    with pytest.raises(ConfigurationError) as refused:
        Settings.load().read_audit_keys()
    sentence = "RESOURCE_SERVER_AUDIT_KEY_FILE contradicts RESOURCE_SERVER_AUDIT_KEY: set one of them"
    assert str(refused.value) == sentence


def test_a_secret_is_in_no_text_of_the_settings(configuration: Configuration) -> None:
    """T37: absent from repr, str and dumps."""
    configuration.set(AUDIT_KEY=SECRET)
    settings = Settings.load()
    texts = [repr(settings), str(settings), repr(settings.model_dump()), settings.model_dump_json()]
    assert not any(SECRET in text for text in texts)


def test_settings_cannot_be_pickled(configuration: Configuration) -> None:
    """T37: secrets are absent from pickles."""
    configuration.set(AUDIT_KEY=SECRET)
    with pytest.raises(TypeError, match=r"^settings hold secrets and can't be pickled$"):
        pickle.dumps(Settings.load())
