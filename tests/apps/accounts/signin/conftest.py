from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

PASSWORD = "four words in a row"
Signed = dict[str, Any]
Register = Callable[..., Awaitable[Signed]]


@pytest.fixture
def register(client: httpx.AsyncClient) -> Register:
    """Makes a tenant with its owner and answers what the owner was told."""

    async def make(email: str = "ada@example.com", **more: str) -> Signed:
        body = {"name": "Ada Lovelace", "email": email, "password": PASSWORD, "shopDomain": "summer.myshopify.com"}
        answer = await client.post("/api/auth/register", json={**body, **more})
        assert answer.status_code == 201, answer.text
        told: Signed = answer.json()
        return told

    return make


@pytest.fixture
async def ada(register: Register) -> Signed:
    return await register()


def bearer(signed: Signed) -> dict[str, str]:
    return {"Authorization": f"Bearer {signed['access_token']}"}
