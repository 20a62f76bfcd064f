"""``resource-server routes``: what each route requires, and which are open."""

import json
import sys
from pathlib import Path

import pytest

from tests.commands.conftest import Run
from tests.fastapi.serving import Way, ways_to_serve

APP = """
from typing import Annotated
from fastapi import APIRouter, FastAPI, WebSocket
from resource_server import AccessToken, ResourceServer, acr, any_of, any_scope, claim, network, owner, role

api = ResourceServer("https://id.example.com", audience="x")
app = FastAPI(openapi_url=None)
api.install(app, public=["/health"])
router = APIRouter(dependencies=[api.requires("notes")])
below = FastAPI(openapi_url=None)

@app.get("/health")
def health(): ...
@router.get("/notes/{owner}", dependencies=[api.requires(any_of(owner("owner"), role("admin")))])
def notes(): ...
mixed_needs = any_scope("a", "b"), acr("gold", max_age=60), claim("tier", 1), network("10.0.0.0/8")
@app.post("/mixed", dependencies=[api.requires(*mixed_needs)])
def mixed(): ...
@app.websocket("/socket")
async def socket(websocket: WebSocket, token: Annotated[AccessToken, api.requires("feed")]): ...
@below.get("/deep", dependencies=[api.requires()])
def deep(): ...
app.include_router(router, prefix="/v1")
app.mount("/below", below)
OPEN
"""
OPEN = "@app.get('/forgotten')\ndef forgotten(): ..."


@pytest.fixture
def write_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Path":
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return tmp_path


def test_each_route_is_listed_with_what_it_requires(write_app: Path, run: Run) -> None:
    """RS-6750-5.2-b in one look; nested, included and mounted routes, too."""
    (write_app / "listed_app.py").write_text(APP.replace("OPEN", ""))
    ended = run("routes", "listed_app:app", "--strict")
    assert (ended.code, ended.err) == (0, "")
    assert [line.split(maxsplit=2) for line in ended.out.splitlines()] == [
        ["GET", "/health", "public"],
        ["POST", "/mixed", "from 10.0.0.0/8 and login by gold, login within 60 s and one scope of a b and tier 1"],
        ["WEBSOCKET", "/socket", "scope feed"],
        ["GET", "/v1/notes/{owner}", "scope notes and (the user that {owner} names or role admin)"],
        ["GET", "/below/deep", "any valid token"],
    ]


def test_an_open_route_that_nobody_declared_public_fails_the_strict_listing(write_app: Path, run: Run) -> None:
    """Issue pain: the route that somebody forgot."""
    (write_app / "open_app.py").write_text(APP.replace("OPEN", OPEN))
    lax, strict = run("routes", "open_app:app"), run("routes", "open_app:app", "--strict")
    assert (lax.code, strict.code) == (0, 1)
    assert "GET         /forgotten         OPEN" in strict.out.splitlines()
    assert strict.err == "\n1 open and not declared public: install(app, public=[…]) declares them.\n"


def test_json_lists_the_same(write_app: Path, run: Run) -> None:
    """DESIGN §6: --json everywhere."""
    (write_app / "json_app.py").write_text(APP.replace("OPEN", OPEN))
    ended = run("routes", "json_app:app", "--json")
    listed = {one["path"]: one for one in json.loads(ended.out)}
    assert listed["/forgotten"] == {
        "methods": "GET",
        "path": "/forgotten",
        "requires": "",
        "declared_public": False,
        "host": "",
        "public_at": [],
    }
    assert listed["/health"]["declared_public"] is True


@pytest.mark.parametrize("target", ["nowhere:app", "json:nothing", ":", ""])
def test_an_application_that_can_not_be_imported_ends_with_one_sentence(run: Run, write_app: Path, target: str) -> None:
    """DESIGN §6: exit 2 is usage."""
    ended = run("routes", target)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("APP can't be imported (")
    assert ended.err.endswith("): give it as module:app\n")


@pytest.mark.parametrize(
    ("name", "what"),
    [
        pytest.param("router", "a APIRouter", id="a router"),
        pytest.param("make", "a function", id="a factory"),
        pytest.param("FastAPI", "a class", id="a class"),
        pytest.param("api", "a ResourceServer", id="a resource server"),
        pytest.param("mixed_needs", "a tuple", id="a value"),
    ],
)
def test_what_is_no_application_ends_with_one_sentence(run: Run, write_app: Path, name: str, what: str) -> None:
    """DESIGN §6: exit 2 is usage. A listing of nothing would look like an application without a hole."""
    (write_app / "other_app.py").write_text(APP.replace("OPEN", "def make(): return app"))
    ended = run("routes", f"other_app:{name}", "--strict")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == f"APP is no application but {what}: name the FastAPI object itself, as module:app\n"


def test_an_owner_whom_the_path_does_not_name_ends_with_one_sentence(run: Run, write_app: Path) -> None:
    """A newcomer's pain: a misspelt parameter refuses everybody. The sentence names route and parameter."""
    (write_app / "misspelt_app.py").write_text(APP.replace("OPEN", "").replace('owner("owner")', 'owner("onwer")'))
    ended = run("routes", "misspelt_app:app")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        'GET /v1/notes/{owner} requires owner("onwer"), but the parameters of its path are owner: '
        "name one that is there\n"
    )


SERVING = """
from pathlib import Path
from fastapi import FastAPI
from resource_server import ResourceServer
from tests.fastapi import serving

app = FastAPI(openapi_url=None)
ResourceServer("https://id.example.com", audience="x").install(app, protect="PROTECT")
serving.WAY(app, Path("."))
"""


@ways_to_serve()
@pytest.mark.parametrize(("protect", "code", "word"), [("routes", 1, "OPEN"), ("all", 0, "any valid token")])
def test_whatever_serves_a_path_is_listed(
    write_app: Path, run: Run, way: Way, protect: str, code: int, word: str
) -> None:
    """RS-6750-5.2-b: there is no way to open one that the strict listing passes over."""
    name = f"serving_{way.build.__name__}_{protect}"
    source = SERVING.replace("WAY", way.build.__name__).replace("PROTECT", protect)
    (write_app / f"{name}.py").write_text(source)
    ended = run("routes", f"{name}:app", "--strict")
    assert ended.code == code
    listed = [line.split(maxsplit=2) for line in ended.out.splitlines()]
    assert [*way.listed.split(), word] in listed


def test_an_open_mount_is_told_how_it_is_declared(write_app: Path, run: Run) -> None:
    """At the root, ``/*`` would declare everything, so it can't be given."""
    opened = OPEN + "\napp.frontend('/', directory='.')"
    (write_app / "frontend_app.py").write_text(APP.replace("OPEN", opened))
    ended = run("routes", "frontend_app:app", "--strict")
    assert "GET,HEAD    /*                 OPEN" in ended.out.splitlines()
    assert ended.err == (
        "\n2 open and not declared public: install(app, public=[…]) declares them; '/' stands for '/*' there.\n"
    )


def test_what_is_public_within_a_protected_route_is_listed_beside_it(write_app: Path, run: Run) -> None:
    """It is declared, so the strict listing passes."""
    source = SERVING.replace("WAY", "frontend_at_the_root").replace('"PROTECT"', '"all", public=["/", "/assets/*"]')
    (write_app / "partly_app.py").write_text(source)
    ended = run("routes", "partly_app:app", "--strict")
    assert (ended.code, ended.out) == (0, "GET,HEAD    /*  any valid token; public at /, /assets/*\n")
