"""Bodies are bounded for those who may send one; a stranger's is never read at all."""

import httpx2
import pytest
from fastapi import FastAPI

from resource_server.testing import FakeIssuer
from tests.fastapi.conftest import MakeApi

LIMIT = 1000


def make_client(make_api: MakeApi, protect: str) -> httpx2.AsyncClient:
    api = make_api()
    app = FastAPI()
    api.install(app, protect=protect, max_body=LIMIT)

    @app.post("/notes", dependencies=[api.requires("notes:write")])
    async def write(note: dict[str, str]) -> int:
        return len(note["text"])

    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="https://api.example.com")


def body(size: int) -> bytes:
    return b'{"text":"' + b"x" * (size - 11) + b'"}'


async def pieces(content: bytes) -> "object":
    for at in range(0, len(content), 100):
        yield content[at : at + 100]


@pytest.mark.parametrize("protect", ["routes", "all"])
@pytest.mark.parametrize("announced", [True, False], ids=["content-length", "chunked"])
async def test_one_byte_more_than_allowed_is_413(
    make_api: MakeApi, issuer: FakeIssuer, protect: str, announced: bool
) -> None:
    """T28: tested at the bound and one past it, announced or not."""
    headers = {"authorization": f"Bearer {issuer.token(scope='notes:write')}", "content-type": "application/json"}
    async with make_client(make_api, protect) as client:
        for size, status in ((LIMIT, 200), (LIMIT + 1, 413)):
            content = body(size) if announced else pieces(body(size))
            response = await client.post("/notes", content=content, headers=headers)  # type: ignore[arg-type]
            assert response.status_code == status
    assert response.json() == {"title": "Content Too Large", "status": 413}
    assert response.headers["connection"] == "close"
    assert response.headers["cache-control"] == "no-store"
    assert "www-authenticate" not in response.headers


@pytest.mark.parametrize("protect", ["routes", "all"])
@pytest.mark.parametrize(("scope", "status"), [(None, 401), ("notes:read", 403)], ids=["stranger", "scope-lacking"])
async def test_who_may_not_write_is_told_so_before_the_size_counts(
    make_api: MakeApi, issuer: FakeIssuer, protect: str, scope: str | None, status: int
) -> None:
    """Part E2: content comes after authorization."""
    headers = {"authorization": f"Bearer {issuer.token(scope=scope)}"} if scope else {}
    async with make_client(make_api, protect) as client:
        response = await client.post("/notes", content=body(LIMIT * 10), headers=headers)
    assert response.status_code == status
    assert 'scope="notes:write"' in response.headers["www-authenticate"]
