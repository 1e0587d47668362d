"""A project on a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from syncline.sandbox.mixpanel.app import Mixpanel, create_app
from syncline.sandbox.server import running


@pytest.fixture
def double() -> Mixpanel:
    return Mixpanel()


@pytest.fixture
async def url(double: Mixpanel) -> AsyncIterator[str]:
    async with running(create_app(double)) as url:
        yield url


@pytest.fixture
async def http(double: Mixpanel, url: str) -> AsyncIterator[httpx.AsyncClient]:
    """Signed with the project's service account."""
    project = double.project
    async with httpx.AsyncClient(
        base_url=url, auth=(project.username, project.password), params={"project_id": project.id}
    ) as client:
        yield client
