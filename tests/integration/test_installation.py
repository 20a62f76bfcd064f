"""The npm packages of the tests: what is installed, and who is blamed when it is not."""

import json
import shutil
from pathlib import Path

import pytest

from tests.callers import javascript
from tests.integration.installation import FOLDER, UnavailableError, give_up, install
from tests.openapi.names import LINTER

NOBODY = "http://127.0.0.1:9"  # the discard port: nothing listens there


@pytest.fixture
def project(oidc_provider: None, tmp_path: Path) -> Path:
    """A copy that is not installed, on a machine without a network."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(FOLDER / name, tmp_path)
    return tmp_path


@pytest.fixture
def _no_registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("npm_config_registry", NOBODY)
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_fetch_retries", "0")


@pytest.mark.parametrize("folder", [FOLDER, javascript.FOLDER, LINTER], ids=lambda folder: folder.parent.name)
def test_the_lock_pins_every_package_by_hash_and_names_no_registry(folder: Path) -> None:
    """DESIGN section 7: no committed file names a registry host."""
    packages = json.loads((folder / "package-lock.json").read_text())["packages"]

    wanted = packages.pop("")["dependencies"]
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert not any("resolved" in package for package in packages.values())


@pytest.mark.usefixtures("_no_registry")
def test_what_is_installed_already_needs_no_network(oidc_provider: None) -> None:
    install()


@pytest.mark.usefixtures("_no_registry")
def test_an_unreachable_registry_is_the_machines_fault(project: Path) -> None:
    with pytest.raises(UnavailableError, match="ECONNREFUSED"):
        install(project)


@pytest.mark.usefixtures("_no_registry")
def test_a_broken_package_json_is_our_fault(project: Path) -> None:
    (project / "package.json").write_text("{")

    with pytest.raises(RuntimeError, match="EJSONPARSE"):
        install(project)


@pytest.mark.usefixtures("_no_registry")
def test_an_installation_behind_its_lock_is_repeated(project: Path) -> None:
    stale = project / "node_modules" / ".package-lock.json"
    stale.parent.mkdir()
    stale.write_text('{"packages": {}}')

    with pytest.raises(UnavailableError, match="ECONNREFUSED"):
        install(project)


def test_a_machine_without_node_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(UnavailableError, match="node is not installed"):
        install()


def test_a_machine_without_the_provider_skips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match=r"NO IDENTITY PROVIDER.*no npm"):
        give_up(UnavailableError("no npm"))


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match=r"NO CALLER, .*no npm"):
        give_up(UnavailableError("no npm"), "CALLER")


def test_ci_without_the_provider_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match=r"NO IDENTITY PROVIDER.*no npm"):
        give_up(UnavailableError("no npm"))
