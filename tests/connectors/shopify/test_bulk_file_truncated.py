"""A result file is whole or it is not used: what is short, broken off or without its end is resumed or refused."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import httpx
import pytest

from syncline.connectors.shopify import bulk
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.testing import TOKEN, open_client
from syncline.runtime.connect.errors import VendorTrouble
from syncline.runtime.connect.testing import FAST_RETRY

URL = "https://storage.googleapis.com/bulk/1.jsonl?Expires=1&Signature=abc"
LINES = [f'{{"id":"gid://shopify/Product/{n}","t":"é{"x" * (n % 50)}"}}'.encode() for n in range(1000)]
FILE = b"".join(line + b"\n" for line in LINES)


@dataclass
class FileStore:
    """Serves FILE by Range; `cut` gives how many bytes of an answer really come, by its number."""

    content: bytes = FILE
    cut: Callable[[int], int | None] = lambda _: None
    knows_range: bool = True
    tells_length: bool = True
    breaks: bool = False
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        start = int(request.headers.get("Range", "bytes=0-")[6:-1]) if self.knows_range else 0
        body = self.content[start:]
        headers = {}
        if self.tells_length:
            headers["Content-Length"] = str(len(body))
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(self.content) - 1}/{len(self.content)}"
        return httpx.Response(206 if start else 200, headers=headers, content=self._stream(body))

    async def _stream(self, body: bytes) -> AsyncIterator[bytes]:
        end = self.cut(len(self.requests))
        for at in range(0, len(body[:end]), 700):
            yield body[:end][at : at + 700]
        if end is not None and self.breaks:
            raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")


def client_of(store: FileStore) -> ShopifyClient:
    return open_client(httpx.MockTransport(store))


async def lines_of(store: FileStore, **options: int) -> list[bytes]:
    async with client_of(store) as client:
        chunks = [c async for c in bulk.read_file(client, URL, chunk_lines=64, retry=FAST_RETRY, **options)]
    assert all(len(chunk.lines) <= 64 for chunk in chunks)
    return [line for chunk in chunks for line in chunk.lines]


async def test_whole_file() -> None:
    store = FileStore()
    assert await lines_of(store) == LINES
    assert len(store.requests) == 1


@pytest.mark.parametrize("breaks", [True, False], ids=["connection breaks", "file just ends"])
@pytest.mark.parametrize("knows_range", [True, False], ids=["by range", "from the start"])
async def test_is_read_on_where_it_broke_off(breaks: bool, knows_range: bool) -> None:
    store = FileStore(cut=lambda n: n * 20_000 if n < 4 else None, breaks=breaks, knows_range=knows_range)
    assert await lines_of(store) == LINES
    assert len(store.requests) >= 2


async def test_end_is_missing_for_good() -> None:
    store = FileStore(cut=lambda n: 10_000 if n == 1 else 0)
    with pytest.raises(bulk.FileTruncated, match="without its end"):
        await lines_of(store)
    assert len(store.requests) == FAST_RETRY.attempts


async def test_cut_exactly_after_a_line_is_noticed_by_the_size() -> None:
    short = FileStore(content=FILE[: FILE.index(b"\n", 5000) + 1], tells_length=False)
    with pytest.raises(bulk.FileTruncated):
        await lines_of(short, size=len(FILE))


async def test_lost_final_newline_alone_is_noticed_without_any_size() -> None:
    with pytest.raises(bulk.FileTruncated):
        await lines_of(FileStore(content=FILE[:-1], tells_length=False, knows_range=False))


async def test_last_line_without_newline_is_taken_when_the_file_was_to_end_there() -> None:
    assert await lines_of(FileStore(content=FILE[:-1])) == LINES


async def test_last_line_that_is_no_json_is_not_taken_even_then() -> None:
    with pytest.raises(bulk.FileTruncated):
        await lines_of(FileStore(content=FILE[:-5]))


@pytest.mark.parametrize("chunk_lines", [1, 7, 1000, 5000])
async def test_every_offset_resumes_without_losing_or_doubling_a_line(chunk_lines: int) -> None:
    store = FileStore()
    async with client_of(store) as client:
        chunks = [c async for c in bulk.read_file(client, URL, chunk_lines=chunk_lines)]
        for number in {0, len(chunks) // 2, len(chunks) - 1}:
            rest = [c async for c in bulk.read_file(client, URL, offset=chunks[number].end_offset)]
            seen = [line for chunk in [*chunks[: number + 1], *rest] for line in chunk.lines]
            assert seen == LINES


async def test_heavy_lines_come_in_fewer_at_a_time() -> None:
    store = FileStore()
    async with client_of(store) as client:
        chunks = [c async for c in bulk.read_file(client, URL, chunk_bytes=5_000)]
    assert [line for chunk in chunks for line in chunk.lines] == LINES
    assert max(sum(map(len, chunk.lines)) for chunk in chunks) < 5_000 + 2 * 700
    assert [chunk.end_offset for chunk in chunks] == sorted({chunk.end_offset for chunk in chunks})


async def test_a_line_longer_than_a_chunk_is_one_line() -> None:
    long = b'{"id":"gid://shopify/Product/0","t":"' + b"x" * 20_000 + b'"}'
    content = b"\n".join([LINES[0], long, LINES[1], b""])
    assert await lines_of(FileStore(content=content), chunk_bytes=5_000) == [LINES[0], long, LINES[1]]


async def test_reading_from_the_end_is_empty_when_the_size_is_known() -> None:
    store = FileStore()
    assert await lines_of(store, offset=len(FILE), size=len(FILE)) == []
    assert store.requests == []


async def test_empty_file_is_empty() -> None:
    assert await lines_of(FileStore(content=b"")) == []


@pytest.mark.parametrize("status", [400, 403, 404, 410])
async def test_address_that_has_run_out_is_told_apart_and_not_tried_again(status: int) -> None:
    requests: list[httpx.Request] = []

    def expired(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(status, text="<Error><Code>ExpiredToken</Code></Error>")

    async with open_client(httpx.MockTransport(expired)) as client:
        with pytest.raises(bulk.BulkUrlExpired):
            await anext(aiter(bulk.read_file(client, URL)))
    assert len(requests) == 1


async def test_file_store_in_trouble_is_tried_again_and_then_left_to_the_queue() -> None:
    answers = [503, 500, 429]
    store = FileStore()

    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(answers.pop()) if answers else store(request)

    async with open_client(httpx.MockTransport(handler)) as client:
        chunks = [c async for c in bulk.read_file(client, URL, retry=FAST_RETRY)]
    assert sum(len(c.lines) for c in chunks) == len(LINES)

    async with open_client(httpx.MockTransport(lambda _: httpx.Response(503))) as client:
        with pytest.raises(VendorTrouble):
            await anext(aiter(bulk.read_file(client, URL, retry=FAST_RETRY)))


async def test_wrong_part_of_the_file_is_not_stored() -> None:
    def wrong(_: httpx.Request) -> httpx.Response:
        return httpx.Response(206, headers={"Content-Range": "bytes 0-9/10"}, content=b"0123456789")

    async with open_client(httpx.MockTransport(wrong)) as client:
        with pytest.raises(VendorTrouble, match="another part"):
            await anext(aiter(bulk.read_file(client, URL, offset=5, retry=FAST_RETRY)))


async def test_token_does_not_go_to_the_file_store() -> None:
    store = FileStore()
    await lines_of(store)
    assert TOKEN not in str(store.requests[0].headers.raw)
    assert store.requests[0].headers["Accept-Encoding"] == "identity"
