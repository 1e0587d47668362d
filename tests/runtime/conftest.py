"""A real Redis for the parts that use one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from syncline.runtime.limits.testing import RedisServer


@pytest.fixture(scope="session")
def _redis_is_installed() -> None:
    if shutil.which("redis-server") is None:
        missing = "redis-server is not installed (Debian: apt-get install redis-server)"
        assert "CI" not in os.environ, missing
        pytest.skip(missing)


@contextmanager
def _started(*, keeps: bool = False) -> Iterator[RedisServer]:
    # A socket's path may have 107 characters; pytest's own folders are longer.
    folder = Path(tempfile.mkdtemp(prefix="syncline-redis-"))
    server = RedisServer(folder, keeps=keeps)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def redis_server(_redis_is_installed: None) -> Iterator[RedisServer]:
    """One for all tests of a worker; each uses keys of its own."""
    with _started() as server:
        yield server


@pytest.fixture
def own_redis(_redis_is_installed: None) -> Iterator[RedisServer]:
    """One of the test's own, to stop and start; it keeps what it holds."""
    with _started(keeps=True) as server:
        yield server
