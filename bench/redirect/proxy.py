"""Ends TLS and hands each request to the sandbox, told that it came over HTTPS: addresses it gives are then HTTPS too.

    python -m bench.redirect.proxy --certificate server.pem --to http://127.0.0.1:8090 --parent PID

Prints {"port": N} when it listens. Requests must have a Content-Length or no body, as those of the clients
measured here.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import uvloop

from syncline.main.sandbox_process import die_with_parent

_PIECE = 256 * 1024
_TOLD = b"X-Forwarded-Proto: https\r\n"


@dataclass(frozen=True)
class RunningProxy:
    port: int
    pid: int


@asynccontextmanager
async def running_proxy(certificate: Path, to: str) -> AsyncIterator[RunningProxy]:
    """The proxy as a process of its own, so that its time is nobody else's."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.redirect.proxy", "--certificate", str(certificate), "--to", to),
        *("--parent", str(os.getpid())),
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdout is not None
    try:
        yield RunningProxy(json.loads(await child.stdout.readline())["port"], child.pid)
    finally:
        child.terminate()
        await child.wait()


async def serve(certificate: Path, to: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    target = urlsplit(to)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A client may also go without the closing words of TLS.
        with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, TimeoutError):
            await _hand_over(reader, writer, target.hostname or "127.0.0.1", target.port or 80)
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context, limit=_PIECE)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await server.serve_forever()


async def _hand_over(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int) -> None:
    from_shop, to_shop = await asyncio.open_connection(host, port, limit=_PIECE)
    answering = asyncio.create_task(_answers(from_shop, writer))
    try:
        while head := await _head(reader):
            to_shop.write(head.replace(b"\r\n", b"\r\n" + _TOLD, 1))
            to_shop.write(await reader.readexactly(_length(head)))
            await to_shop.drain()
    finally:
        if not to_shop.is_closing():
            to_shop.write_eof()
        await answering
        to_shop.close()


async def _head(reader: asyncio.StreamReader) -> bytes:
    """A request's first line and headers; empty at the end of the connection."""
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


async def _answers(from_shop: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await from_shop.read(_PIECE):
        writer.write(piece)
        await writer.drain()
    writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--certificate", type=Path, required=True)
    parser.add_argument("--to", required=True, help="the sandbox's address")
    parser.add_argument("--parent", type=int, required=True, help="the process to end with")
    options = parser.parse_args()
    die_with_parent(options.parent)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(options.certificate, options.to))


if __name__ == "__main__":
    main()
