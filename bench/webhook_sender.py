"""Sends signed webhooks as fast as they are answered, in a process of its own: each sender waits for its answer.

    python -m bench.webhook_sender URL SHOP SECRET [--senders 64] [--seconds 8] [--body-bytes 4096]

prints one line of JSON: how many were answered 200, how many a second, and the times to the answer in milliseconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from functools import partial
from itertools import count
from typing import cast
from urllib.parse import urlsplit

import uvloop

from syncline.connectors.shopify.webhooks import sign

_NUMBERS = count()


class Sender(asyncio.Protocol):
    """One connection, one request at a time. Reads no more of an answer than it needs: its first line and its end."""

    def __init__(self, begin: bytes, end: bytes, until: float, ended: asyncio.Future[None]) -> None:
        self.begin, self.end, self.until, self.ended = begin, end, until, ended
        self.taken: list[float] = []
        self.refused = 0
        self._sent = 0.0
        self._answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is of no class of asyncio's
        self._send()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, found, body = self._answer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        now = time.perf_counter()
        if head.startswith(b"HTTP/1.1 200"):
            self.taken.append(now - self._sent)
        else:
            self.refused += 1
        self._answer = b""
        if now < self.until:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, _: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(b"%s%d-%d%s" % (self.begin, time.time_ns(), next(_NUMBERS), self.end))


async def send(url: str, shop: str, secret: str, *, senders: int, seconds: float, body_bytes: int) -> dict[str, float]:
    parts = urlsplit(url)
    body = json.dumps({"id": 1, "title": "x" * (body_bytes - 40), "updated_at": "2026-01-01T00:00:00Z"}).encode()
    begin = (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nX-Shopify-Topic: bench/update\r\nX-Shopify-Shop-Domain: {shop}\r\n"
        f"X-Shopify-Hmac-Sha256: {sign(body, secret).decode()}\r\nX-Shopify-API-Version: 2026-10\r\n"
        "X-Shopify-Webhook-Id: "
    ).encode()
    loop = asyncio.get_running_loop()
    until = time.perf_counter() + seconds
    made = []
    for _ in range(senders):
        ended = loop.create_future()
        make = partial(Sender, begin, b"\r\n\r\n" + body, until, ended)
        _, sender = await loop.create_connection(make, parts.hostname or "", parts.port or 80)
        made.append(sender)
    began = time.perf_counter()
    await asyncio.gather(*(one.ended for one in made))
    took = time.perf_counter() - began
    taken = sorted(one * 1000 for sender in made for one in sender.taken)
    return {
        "accepted": len(taken),
        "refused": sum(one.refused for one in made),
        "per_second": len(taken) / took,
        **{f"p{part}": taken[min(len(taken) - 1, len(taken) * part // 100)] for part in (50, 95, 99)},
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("shop")
    parser.add_argument("secret")
    parser.add_argument("--senders", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--body-bytes", type=int, default=4096)
    told = parser.parse_args()
    asked = {"senders": told.senders, "seconds": told.seconds, "body_bytes": told.body_bytes}
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(send(told.url, told.shop, told.secret, **asked))))
