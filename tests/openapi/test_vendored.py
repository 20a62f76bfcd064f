"""The docs page's vendored files: unchanged, licensed, shipped, and none that asks another host."""

import hashlib
import re
import subprocess
import sys
import zipfile
from importlib.resources import files
from pathlib import Path

import pytest
from fastapi import FastAPI

from resource_server import ResourceServer
from resource_server.fastapi import ApiDocs
from resource_server.fastapi.api_docs import ASSETS
from tests.calls import call
from tests.integration.serving import ROOT

FOLDER = ROOT / "resource_server/static/swagger"
OURS = {"docs.css", "docs.js", "SHA256SUMS"}
LICENCES = {"LICENSE", "NOTICE", "swagger-ui-bundle.js.LICENSE.txt"}
SUMS = (FOLDER / "SHA256SUMS").read_text("utf-8")
HASHES = {name: digest for digest, name in re.findall(r"^([0-9a-f]{64})  (\S+)$", SUMS, re.MULTILINE)}


def test_the_files_are_those_of_the_pinned_package() -> None:
    """`make vendor` writes the hashes; a file that is edited, missing or one too many is seen."""
    present = {path.name for path in FOLDER.iterdir()} - OURS
    assert {name: hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() for name in present} == HASHES


def test_the_version_is_the_one_that_make_fetches() -> None:
    """Name and version stand beside the hashes, and in the bundle itself."""
    [version] = re.findall(r"^SWAGGER_UI := (\S+)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert SUMS.startswith(f"# swagger-ui-dist {version}\n")
    assert f'"{version}"' in (FOLDER / "swagger-ui-bundle.js").read_text("utf-8")


def test_licence_and_notice_are_there() -> None:
    """Apache-2.0 §4: they go with every copy."""
    assert set(HASHES) >= LICENCES
    assert "Apache License" in (FOLDER / "LICENSE").read_text("utf-8")
    assert "swagger-ui" in (FOLDER / "NOTICE").read_text("utf-8")


def test_an_installed_package_has_what_the_page_loads() -> None:
    """Found as the page finds them."""
    folder = files("resource_server") / "static" / "swagger"
    assert all((folder / name).is_file() for name in [*ASSETS, *LICENCES])


def test_a_wheel_has_the_files_and_their_licences(tmp_path: Path) -> None:
    """What is published is what is served; licences stand among the package's own, too."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        names = set(opened.namelist())
        hashes = {
            name: hashlib.sha256(opened.read(f"resource_server/static/swagger/{name}")).hexdigest() for name in HASHES
        }
    assert hashes == HASHES
    shipped = {name.partition("/licenses/")[2] for name in names if "/licenses/" in name}
    assert {"LICENSE", *(f"resource_server/static/swagger/{name}" for name in LICENCES)} <= shipped


@pytest.fixture
def app() -> FastAPI:
    server = ResourceServer("https://id.example.com", audience="https://api.example.com", observers=())
    app = FastAPI(docs_url=None, redoc_url=None)
    docs = ApiDocs(
        authorization_endpoint="https://id.example.com/authorize", token_endpoint="https://id.example.com/token"
    )
    server.install(app, docs=docs)
    return app


@pytest.mark.parametrize("path", ["/docs", "/docs/oauth2-redirect"])
async def test_no_page_loads_anything_from_another_host(app: FastAPI, path: str) -> None:
    """DESIGN §7: links are relative, and the policy allows the own origin and the token endpoint alone."""
    response = await call(app, "GET", path)
    links = re.findall(r"(?:src|href)=\"([^\"]*)\"", response.text)
    assert links
    assert [link for link in links if ":" in link.removeprefix("data:,") or link.startswith("/")] == []
    assert re.findall(r"\b(?:https?:)?//[\w.]+", response.text) == []
    directives = [one.split() for one in response.headers["content-security-policy"].split(";")]
    hosts = {source for _, *sources in directives for source in sources if not source.startswith("'")} - {"data:"}
    assert directives[0] == ["default-src", "'none'"]
    assert hosts <= {"https://id.example.com"}


@pytest.mark.parametrize("name", ["swagger-ui.css", "docs.css"])
def test_no_style_sheet_loads_anything(name: str) -> None:
    """Neither a font nor an image from elsewhere."""
    text = (FOLDER / name).read_text("utf-8")
    assert "@import" not in text
    assert [target for target in re.findall(r"url\(['\"]?([^)'\"]*)", text) if not target.startswith("data:")] == []


@pytest.mark.parametrize("name", sorted(ASSETS))
async def test_a_file_is_served_as_it_is(app: FastAPI, name: str) -> None:
    """And no other of the folder."""
    response = await call(app, "GET", f"/docs/{name}")
    assert response.content == (FOLDER / name).read_bytes()
    assert response.headers["content-type"].startswith(ASSETS[name])
    assert response.headers["x-content-type-options"] == "nosniff"
    assert (await call(app, "GET", "/docs/SHA256SUMS")).status_code == 404
