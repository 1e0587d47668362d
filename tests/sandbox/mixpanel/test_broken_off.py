from __future__ import annotations

import asyncio
import base64
import logging
from urllib.parse import urlsplit

import httpx
import pytest

from syncline.runtime.jobs.testing import eventually
from syncline.sandbox.mixpanel.app import Mixpanel


async def test_a_request_that_is_broken_off_is_not_taken_and_no_error(
    double: Mixpanel, url: str, http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    place, project = urlsplit(url), double.project
    _, writer = await asyncio.open_connection(place.hostname, place.port)
    who = base64.b64encode(f"{project.username}:{project.password}".encode()).decode()
    writer.write(
        f"POST /import?strict=1&project_id={project.id} HTTP/1.1\r\nHost: {place.netloc}\r\n"
        f"Authorization: Basic {who}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n[".encode()
    )
    await writer.drain()
    await eventually(lambda: double.counters.requests == 1)
    writer.transport.abort()
    await eventually(lambda: double.counters.broken_off == 1)
    stats = await http.get("/sandbox/stats")
    assert (stats.status_code, stats.json()["broken_off"]) == (200, 1)
    assert [one for one in caplog.records if one.levelno >= logging.ERROR] == []
    assert double.records.counts()["raw"] == 0
