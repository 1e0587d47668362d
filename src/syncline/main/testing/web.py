"""The whole HTTP application on a test's database, and people who use it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from syncline.main.targets import APPS
from syncline.main.testing.works import Works
from syncline.main.web import make_web

PASSWORD = "four words in a row"  # noqa: S105 - of people who exist in tests only
Signed = dict[str, Any]
"""What somebody who signs in is told."""


@asynccontextmanager
async def open_web(works: Works) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application as `serve` makes it, without its limits; what nobody caught is an answer 500."""
    transport = httpx.ASGITransport(app=make_web(works.runtime, works.settings, APPS, limiter=None))
    transport.raise_app_exceptions = False
    async with httpx.AsyncClient(transport=transport, base_url="http://syncline.test", timeout=60) as client:
        yield client


async def register(client: httpx.AsyncClient, email: str) -> Signed:
    """Makes a tenant of its own with this person as its owner."""
    body = {"name": email.partition("@")[0], "email": email, "password": PASSWORD, "shopDomain": f"{email[:3]}.example"}
    answer = await client.post("/api/auth/register", json=body)
    answer.raise_for_status()
    told: Signed = answer.json()
    return told


def bearing(signed: Signed) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {signed['access_token']}"}
