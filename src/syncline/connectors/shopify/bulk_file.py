"""Reading the file of a bulk operation: streamed, resumed where it broke off, never taken as whole when it is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

import httpx
import msgspec
import structlog

from syncline.connectors.shopify.client import ShopifyClient
from syncline.kernel.errors import Retriable
from syncline.runtime.connect.client import Call, HttpClient, retry_after
from syncline.runtime.connect.errors import NotProcessed, Throttled, VendorTrouble
from syncline.runtime.connect.retry import RetryPolicy

log = structlog.get_logger("syncline.connectors.shopify")

# A signed address that has run out is answered with any of these, depending on the store behind it.
_EXPIRED: Final = frozenset({400, 401, 403, 404, 410})


CHUNK_BYTES: Final = 2 << 20
"""Records differ a hundredfold in size. What is held of a store should not."""


class BulkUrlExpired(Retriable):
    """The result can no longer be fetched from this address (7 days): ask `find` for a new one or start again."""


class FileTruncated(Retriable):
    """The file ended before its end, again and again. Nothing of it may count as complete."""


@dataclass(frozen=True, slots=True)
class FileChunk:
    """Whole lines without their newline; reading goes on from `end_offset`, which is in bytes from the start."""

    lines: list[bytes]
    end_offset: int


@dataclass(slots=True)
class _Position:
    """`offset` is where the next whole line begins."""

    offset: int
    size: int | None


async def read_file(
    client: ShopifyClient,
    url: str,
    *,
    offset: int = 0,
    chunk_lines: int = 5000,
    chunk_bytes: int = CHUNK_BYTES,
    size: int | None = None,
    retry: RetryPolicy | None = None,
) -> AsyncGenerator[FileChunk, None]:
    """Chunks of `chunk_lines` lines, or of fewer once they have `chunk_bytes`, from `offset` to the end. Children need
    not follow their parent.

    `size` is the operation's `file_size`, if known; else the server's own length decides, and without either a file cut
    exactly after a line cannot be told from a whole one. A broken connection or a short file is resumed by Range. After
    as many failures in a row as `retry` has attempts, without a line gained, the failure is raised: `FileTruncated`,
    `VendorTrouble` or `NotProcessed`. `BulkUrlExpired` is raised at once.
    """
    policy = retry or RetryPolicy()
    position = _Position(offset, size)
    failures = 0
    while True:
        before = position.offset
        try:
            async for chunk in _read_on(client.files, url, position, chunk_lines, chunk_bytes):
                yield chunk
        except (FileTruncated, VendorTrouble, NotProcessed) as error:
            failures = 1 if position.offset > before else failures + 1
            if failures >= policy.attempts:
                raise
            seconds = policy.wait_seconds(failures, error.wait)
            log.info("bulk file is read on", offset=position.offset, reason=error.vendor_code, wait_seconds=seconds)
            await asyncio.sleep(seconds)
        else:
            return


async def _read_on(
    http: HttpClient, url: str, position: _Position, chunk_lines: int, chunk_bytes: int
) -> AsyncGenerator[FileChunk, None]:
    """One connection. `position` moves with every chunk given away, so that a failure reads at most one chunk again."""
    if position.offset == position.size:
        return
    # Compressed transfer would make offsets meaningless.
    headers = {"Accept-Encoding": "identity"}
    if position.offset:
        headers["Range"] = f"bytes={position.offset}-"
    async with http.stream(Call("BulkFile", url, method="GET", headers=headers)) as response:
        skip = _begin(response, position)
        lines: list[bytes] = []
        parts: list[bytes] = []  # of a line whose end has not come yet
        held = 0
        async for data in response.aiter_raw():
            fresh = data[skip:]
            skip -= len(data) - len(fresh)
            held += len(fresh)
            parts.append(fresh)
            if b"\n" not in fresh:
                continue
            *whole, rest = b"".join(parts).split(b"\n")
            lines += whole
            parts = [rest]
            while len(lines) >= chunk_lines or held >= chunk_bytes:
                yield _give(lines[:chunk_lines], position)
                del lines[:chunk_lines]
                held = 0
        if lines:
            yield _give(lines, position)
        if rest := b"".join(parts):
            yield _last_line(rest, position)
        if position.size is not None and position.offset != position.size:
            raise _truncated(position)


def _begin(response: httpx.Response, position: _Position) -> int:
    """How many bytes of the body were read before. Raises for an answer that is not (the rest of) the file."""
    status = response.status_code
    if status == httpx.codes.PARTIAL_CONTENT:
        span, _, whole = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
        if not span.startswith(f"{position.offset}-"):
            raise VendorTrouble("Shopify's file store sent another part of the file than was asked for.")
        _expect(position, whole)
        return 0
    if status == httpx.codes.OK:
        # The store does not know Range: read past what we have.
        _expect(position, response.headers.get("Content-Length", ""))
        return position.offset
    raise _refusal(response)


def _expect(position: _Position, length: str) -> None:
    if position.size is None and length.isdigit():
        position.size = int(length)


def _refusal(response: httpx.Response) -> Retriable:
    status, detail = response.status_code, f"HTTP {response.status_code}"
    if status in _EXPIRED:
        return BulkUrlExpired(
            "The result of the bulk export can no longer be fetched.", detail=detail, vendor_code=str(status)
        )
    if status == httpx.codes.TOO_MANY_REQUESTS:
        sentence = "Shopify's file store asks for fewer calls."
        return Throttled(sentence, detail=detail, vendor_code=str(status), wait=retry_after(response))
    sentence = "Shopify's file store has a problem of its own."
    return VendorTrouble(sentence, detail=detail, vendor_code=str(status), wait=retry_after(response))


def _give(lines: list[bytes], position: _Position) -> FileChunk:
    position.offset += sum(map(len, lines)) + len(lines)
    return FileChunk([line for line in lines if line], position.offset)


def _last_line(rest: bytes, position: _Position) -> FileChunk:
    """A last line without its newline is whole only if the file was to end here and the line is JSON."""
    if position.size != position.offset + len(rest) or not _is_json(rest):
        raise _truncated(position)
    position.offset += len(rest)
    return FileChunk([rest], position.offset)


def _is_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(line)
    except msgspec.DecodeError:
        return False
    return True


def _truncated(position: _Position) -> FileTruncated:
    return FileTruncated(
        "The result of the bulk export came without its end.",
        detail=f"after {position.offset} of {position.size or 'unknown'} bytes",
        vendor_code="truncated",
    )
