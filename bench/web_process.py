"""The HTTP application in a process of its own, on a database of its own, for benchmarks that ask it from outside.

    python -m bench.web_process DATA_DIR

prints one line of JSON with its address and what opens it, and serves until its standard input ends. Beside the
product's addresses it has two that do the same small read, one for everybody and one for who is known.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import uvloop
from bench.naive_webhooks import NAIVE
from fastapi import APIRouter, Depends, Request
from sqlalchemy import text

from syncline.apps.accounts.contract import KeyRing
from syncline.kernel.tenant import Actor, TenantId
from syncline.main.collecting import start_left_out
from syncline.main.compose import compose
from syncline.main.listening import listen, local_url
from syncline.main.schema import open_access
from syncline.main.serve import server_config
from syncline.main.settings import load_settings
from syncline.main.stopping import Server
from syncline.main.targets import APPS
from syncline.main.web import make_web
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import runtime_of
from syncline.runtime.limits.limiter import Limiter
from syncline.runtime.limits.memory import MemoryCounts
from syncline.runtime.limits.policy import ANONYMOUS, SIGNED_IN, with_settings
from syncline.runtime.limits.redis_counts import RedisCounts
from syncline.runtime.observe import logs

RAISED = "100000000/15min"
_RAISED = (ANONYMOUS, SIGNED_IN, "sign-in", "webhooks", "event-keys:generate", "event-keys:generate-batch")
PASSWORD = "four words in a row"
_READ = text("SELECT name, shop_domain FROM commerce.store WHERE tenant_id = :tenant ORDER BY name LIMIT 50")

router = APIRouter(prefix="/bench", tags=["bench"])


async def _read(request: Request, tenant: TenantId) -> dict[str, int]:
    async with runtime_of(request).database.reading(tenant) as session:
        return {"stores": len((await session.execute(_READ, {"tenant": tenant})).all())}


@router.get("/open")
async def read_by_anybody(request: Request) -> dict[str, int]:
    return await _read(request, TenantId(UUID(int=0)))


@router.get("/known")
async def read_by_whom_we_know(
    request: Request, actor: Annotated[Actor, Depends(require("stores:read"))]
) -> dict[str, int]:
    return await _read(request, actor.tenant_id)


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="syncline-bench-"))
    folder.chmod(0o755)  # the database server runs as somebody else when root measures
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def running_site(**environment: str) -> AsyncIterator[dict[str, Any]]:
    """What a site in a process of its own says of itself; it ends with the block, and its database is thrown away."""
    with _folder() as folder:
        async with site_process(folder, environment) as told:
            yield {**told, "data_dir": folder}


@asynccontextmanager
async def site_process(data_dir: Path, environment: Mapping[str, str]) -> AsyncIterator[dict[str, Any]]:
    """One more process of a site, where there is one in `data_dir`; else the first."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.web_process",
        str(data_dir),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
    )
    assert process.stdout is not None
    assert process.stdin is not None
    line = await process.stdout.readline()
    if not line:
        raise SystemExit(f"bench.web_process ended with {await process.wait()}")
    try:
        yield json.loads(line)
    finally:
        process.stdin.close()
        await process.wait()


async def serve(data_dir: Path) -> None:
    logs.configure(level="WARNING", pretty=None)
    settings = load_settings(data_dir=data_dir)
    async with open_access(settings, upgrade=True) as access, compose(settings, access) as runtime:
        counts = RedisCounts(settings.redis_url) if settings.redis_url else MemoryCounts()
        raised = with_settings(dict.fromkeys(_RAISED, RAISED))
        limiter = Limiter(counts, raised)
        app = make_web(runtime, settings, (*APPS, NAIVE), limiter=limiter)
        app.include_router(router)
        listener = listen("127.0.0.1", 0)
        server = Server(server_config(app, settings))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await server.listening.wait()
        tenant = await runtime.contract(KeyRing).find_tenant(slug="main")
        if tenant is None:
            raise LookupError("the first migration makes this tenant")
        key = await runtime.contract(KeyRing).create_key(
            tenant_id=tenant.id, name="bench", role="owner", created_by="bench"
        )
        about = {
            "url": local_url("127.0.0.1", listener.getsockname()[1]),
            "key": key.bearer,
            "operator_url": access.operator_url,
            "bin_dir": str(access.bin_dir or ""),
        }
        print(json.dumps({**about, "tenant": str(tenant.id), "pid": os.getpid()}), flush=True)
        with start_left_out():
            await asyncio.to_thread(sys.stdin.read)
        server.should_exit = True
        await serving
        await limiter.close()


def unique_mail() -> str:
    return f"ada{time.time_ns()}@example.com"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_dir", type=Path)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as `syncline serve` does
        runner.run(serve(parser.parse_args().data_dir))
