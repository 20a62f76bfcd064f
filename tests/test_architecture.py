"""The house stands as it was drawn: what imports what, and how long a file may be."""

import ast
from pathlib import Path

import pytest

import resource_server

ROOT = Path(resource_server.__file__).parent
MAX_LINES = 300

# From the ground up: a module may import those of its own floor and of the floors below. One row is one floor.
FLOORS = (
    "access_token asgi check clock configuration_error demands printable refusals scope single_flight development",
    "answering challenge cors credentials events exchange forwarding page public rate_limit stores stream verified",
    "issuers authorization",
    "diagnosis failed_authentications protected_resource validation",
    "protector gate observers",
    "fastapi",
    "settings demo testing",
    "serving",
    "explain commands",
    "playground",
    "dev",
    "cli __init__",
    "__main__",
)
GROUND = FLOORS[0].split()


def modules() -> list[tuple[str, Path]]:
    return [(path.relative_to(ROOT).as_posix(), path) for path in sorted(ROOT.rglob("*.py"))]


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def room(name: str) -> str:
    """``resource_server.issuers.keys`` and ``issuers/keys.py`` are in the room ``issuers``."""
    return name.removeprefix("resource_server.").replace("/", ".").split(".")[0]


def floor(of: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if of in rooms.split())


def ours(path: Path) -> set[str]:
    return {room(name) for name in imports(path) if name.startswith("resource_server.")}


def test_every_room_has_a_floor() -> None:
    """DESIGN §3."""
    rooms = {room(name.removesuffix(".py")) for name, _ in modules()}
    assert rooms == {name for row in FLOORS for name in row.split()}


@pytest.mark.parametrize(("name", "path"), modules())
def test_no_module_imports_upward(name: str, path: Path) -> None:
    """DESIGN §3: one direction of imports."""
    here = floor(room(name.removesuffix(".py")))
    assert {other for other in ours(path) if floor(other) > here} == set()


@pytest.mark.parametrize(("name", "path"), modules())
def test_no_module_is_too_long(name: str, path: Path) -> None:
    """DESIGN §3: none over 300 lines, each one idea."""
    assert len(path.read_text("utf-8").splitlines()) <= MAX_LINES, name


def test_no_test_is_too_long() -> None:
    """DESIGN §3 again: what a page of tests is about is said in one line."""
    files = [path for path in Path(__file__).parent.rglob("*.py") if "node_modules" not in path.parts]
    assert [path.name for path in files if len(path.read_text("utf-8").splitlines()) > MAX_LINES] == []


def test_the_ground_floor_imports_nothing_of_ours() -> None:
    """DESIGN §3: a shared noun gets a ground-floor file that imports nothing."""
    above = {name: ours(path) - {room(name)} for name, path in modules() if room(name.removesuffix(".py")) in GROUND}
    assert {name for name, others in above.items() if others} == set()


def test_the_development_server_is_imported_by_dev_and_testing_alone() -> None:
    """T34: serve and the library can't import it; and it imports nothing of ours, so no mistake verifies itself."""
    importers = {name for name, path in modules() if "development" in ours(path) and room(name) != "development"}
    assert importers == {"dev.py", "testing.py"}
    assert "resource_server.testing" not in {name for _, path in modules() for name in imports(path)}
    assert {name for name, path in modules() if "dev" in ours(path)} == {"cli.py"}


def test_the_playground_is_imported_by_dev_alone() -> None:
    """T36: what mints for whoever asks stays out of serve and of the library."""
    importers = {name for name, path in modules() if "playground" in ours(path) and room(name) != "playground"}
    assert importers == {"dev.py"}
    within = [path for name, path in modules() if room(name) == "playground"]
    assert [path.name for path in within if "development" in ours(path)] == []


def test_only_the_face_and_the_bundled_api_know_fastapi() -> None:
    """DESIGN §3: one file, or folder, knows the framework; the tests' helper speaks of its applications."""
    importers = {room(name) for name, path in modules() if any(i.split(".")[0] == "fastapi" for i in imports(path))}
    assert importers == {"fastapi", "demo", "testing"}


def test_only_the_settings_read_the_environment() -> None:
    """DESIGN §3."""
    readers = {name for name, path in modules() if {"environ", "getenv"} & names(path)}
    assert readers == {"settings/settings.py"}


def test_only_fetch_opens_connections_to_issuers() -> None:
    """DESIGN §3."""
    clients = {"httpx2", "httpx", "urllib.request", "http.client", "requests", "aiohttp"}
    users = {name for name, path in modules() if clients & imports(path)}
    assert users == {
        "issuers/fetch.py",
        "issuers/introspection_endpoint.py",
        "commands/token.py",  # is a client, and runs only when it is typed
    }


def test_only_the_table_of_algorithms_reaches_the_jose_library_s_algorithms() -> None:
    """T16: called past it, ``none`` verifies anything."""
    reached = {name for name, path in modules() if any(i.startswith("joserfc.jws") for i in imports(path))}
    assert reached - {"development/minting.py"} == {"issuers/algorithms.py"}


def names(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} | {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name)
    }


def test_the_face_is_sorted_and_whole() -> None:
    """DESIGN §3: a dozen names, sorted, held by a test."""
    assert resource_server.__all__ == sorted(resource_server.__all__)
    assert all(hasattr(resource_server, name) for name in resource_server.__all__)


def test_the_face_has_all_that_tells_refusals() -> None:
    """DESIGN §1: the reason of a refusal is known to the operator, whom nobody should send searching for a module."""
    assert {"Audit", "Decision", "RefusalLog"} <= set(resource_server.__all__)
