"""Files as Google's storage serves them for Shopify: signed addresses, ranges, and errors in XML.

A file whose signature ran out answers 400 `ExpiredToken` (measured by several clients, last in September 2026), one
that is gone 404 `NoSuchKey`. Nothing is compressed unless switched on, so offsets in a `Range` are offsets in the file.
"""

from __future__ import annotations

import gzip
import hashlib
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, quote_plus, urlencode
from xml.sax.saxutils import escape

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from syncline.kernel import clock
from syncline.sandbox.shopify.faults import Faults

CHUNK_BYTES = 256 * 1024
LIFETIME = timedelta(days=7)
SIGNER = "assets-us-prod@shopify-tiers.iam.gserviceaccount.com"
FOLDER = "/shopify-tiers-assets-prod-us-east1/bulk-operation-outputs"


class RangeNotSatisfiableError(ValueError):
    """The range begins behind the file's end."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A finished file on disk with its address."""

    path: Path
    size: int
    download_name: str
    created_at: datetime
    name: str = field(default_factory=lambda: f"{secrets.token_hex(14)}-final")

    @property
    def expires_at(self) -> datetime:
        return self.created_at + LIFETIME

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.name.encode()).hexdigest()[:32]}"'


@dataclass(slots=True)
class FileServer:
    """Gives addresses for files and answers requests for them.

    Faults: `bulk_expire_url` answers as after seven days, with `@404` as an object that is gone, with `@403` as denied;
    `bulk_truncate` ends the connection halfway though Content-Length promised more, with `@silent` the file ends there.
    """

    faults: Faults
    gzip_allowed: bool = False
    files: dict[str, StoredFile] = field(default_factory=dict)
    served_bytes: int = 0
    downloads: int = 0

    def publish(self, file: StoredFile) -> StoredFile:
        self.files[file.name] = file
        return file

    def url(self, base_url: str, file: StoredFile) -> str:
        """The signed address, with the parameters Shopify's carry."""
        name = quote(file.download_name)
        parameters = {
            "GoogleAccessId": SIGNER,
            "Expires": str(int(file.expires_at.timestamp())),
            "Signature": _signature(file),
            "response-content-disposition": f"attachment; filename=\"{file.download_name}\"; filename*=UTF-8''{name}",
            "response-content-type": "application/jsonl",
        }
        return f"{base_url}{FOLDER}/{file.name}?{urlencode(parameters, quote_via=quote_plus)}"

    async def answer(self, request: Request, name: str) -> Response:
        """The endpoint for `FOLDER/{name}`, GET and HEAD."""
        self.downloads += 1
        file = self.files.get(name)
        refusal = self._refusal(request, file)
        if refusal is not None or file is None:
            return refusal or _no_such_key(name)
        headers = {
            "Accept-Ranges": "bytes",
            "Content-Type": "application/jsonl",
            "Content-Disposition": request.query_params.get("response-content-disposition", "attachment"),
            "ETag": file.etag,
            "Last-Modified": format_datetime(file.created_at, usegmt=True),
        }
        size = file.size
        fault = self.faults.take("bulk_truncate", text="silent")
        if fault and fault.match == "silent":
            size //= 2
        asked = request.headers.get("range")
        if asked is None and self.gzip_allowed and "gzip" in request.headers.get("accept-encoding", ""):
            return self._compressed(file, size, headers)
        try:
            start, end = _range(asked, size, request.headers.get("if-range"), file.etag)
        except RangeNotSatisfiableError:
            message = "The requested range cannot be satisfied."
            return storage_error(416, "InvalidRange", message, headers={"Content-Range": f"bytes */{size}"})
        headers["Content-Length"] = str(end - start)
        status = 200
        if asked is not None and (start, end) != (0, size):
            status = 206
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        if request.method == "HEAD":
            return Response(status_code=status, headers=headers)
        if fault and fault.match != "silent":
            return _Broken(self._bytes(file, start, start + (end - start) // 2), status, headers)
        return StreamingResponse(self._bytes(file, start, end), status, headers)

    def _refusal(self, request: Request, file: StoredFile | None) -> Response | None:
        if file is None:
            return None
        if fault := self.faults.take("bulk_expire_url", text="400 403 404"):
            return _expired(file, int(fault.match or 400))
        if clock.now() >= file.expires_at:
            return _expired(file, 400)
        if request.query_params.get("Signature") != _signature(file):
            return storage_error(403, "SignatureDoesNotMatch", "Access denied.")
        return None

    async def _bytes(self, file: StoredFile, start: int, end: int) -> AsyncIterator[bytes]:
        with file.path.open("rb") as opened:
            opened.seek(start)
            for chunk in _chunks(opened, end - start):
                self.served_bytes += len(chunk)
                yield chunk

    def _compressed(self, file: StoredFile, size: int, headers: dict[str, str]) -> Response:
        with file.path.open("rb") as opened:
            body = gzip.compress(opened.read(size), compresslevel=1)
        headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        return Response(body, 200, headers)


class _Broken(StreamingResponse):
    """Ends before its Content-Length. The server notices, complains to the application, and closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(RuntimeError):
            await super().__call__(scope, receive, send)


def storage_error(
    status: int, code: str, message: str, *, details: str = "", headers: dict[str, str] | None = None
) -> Response:
    """`<Error><Code>..</Code><Message>..</Message></Error>` as the storage's XML API sends it."""
    extra = f"<Details>{escape(details)}</Details>" if details else ""
    body = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message>{extra}</Error>"
    text = f"<?xml version='1.0' encoding='UTF-8'?>{body}"
    return Response(text, status, headers, media_type="application/xml; charset=UTF-8")


def _expired(file: StoredFile, status: int) -> Response:
    if status == 404:
        return _no_such_key(file.name)
    if status == 403:
        return storage_error(403, "AccessDenied", "Access denied.")
    moment = file.expires_at.isoformat(timespec="seconds")
    details = f"The provided token has expired. Request signature expired at: {moment}"
    return storage_error(400, "ExpiredToken", "Invalid argument.", details=details)


def _no_such_key(name: str) -> Response:
    details = f"No such object: {FOLDER[1:]}/{name}"
    return storage_error(404, "NoSuchKey", "The specified key does not exist.", details=details)


def _signature(file: StoredFile) -> str:
    return hashlib.sha256(f"{file.name}:{file.size}".encode()).hexdigest()


def _range(asked: str | None, size: int, if_range: str | None, etag: str) -> tuple[int, int]:
    """First byte and the one after the last. What is no single range of bytes is ignored, as HTTP allows."""
    if asked is None or not asked.startswith("bytes=") or "," in asked or (if_range is not None and if_range != etag):
        return 0, size
    first, _, last = asked.removeprefix("bytes=").strip().partition("-")
    try:
        start = int(first) if first else max(0, size - int(last))
        end = min(size, int(last) + 1) if first and last else size
    except ValueError:
        return 0, size
    if start >= size or end <= start:
        raise RangeNotSatisfiableError(asked)
    return start, end


def _chunks(opened: BinaryIO, count: int) -> Iterator[bytes]:
    while count > 0 and (chunk := opened.read(min(CHUNK_BYTES, count))):
        count -= len(chunk)
        yield chunk
