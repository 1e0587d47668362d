"""Staged uploads: where the variables of a bulk mutation are put before it runs.

Only `BULK_MUTATION_VARIABLES` by multipart POST is served. The storage wants every parameter it handed out,
then the file as the last part; fields behind the file do not count.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from syncline.kernel import clock
from syncline.sandbox.shopify.files import storage_error

UPLOAD_PATH = "/shopify-staged-uploads"
BUCKET = "shopify-staged-uploads"
LARGEST_BYTES = 100 * 1024 * 1024
CREDENTIAL = "merchant-assets@shopify-tiers.iam.gserviceaccount.com"


@dataclass(frozen=True, slots=True)
class UserError:
    field: list[str] | None
    message: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file; `etag` changes when the key is uploaded again."""

    path: Path
    size: int
    etag: str


class StagedUploads:
    def __init__(self, folder: Path, shop_id: int) -> None:
        self._folder = folder
        self._shop_id = shop_id
        self._offered: dict[str, dict[str, str]] = {}
        self._uploads: dict[str, Upload] = {}

    def create(
        self, inputs: Sequence[Mapping[str, Any]], base_url: str
    ) -> tuple[list[dict[str, Any]], list[UserError]]:
        """`stagedTargets` and `userErrors` of `stagedUploadsCreate`, with one target per input."""
        errors = [error for at, given in enumerate(inputs) if (error := _refusal(at, given)) is not None]
        if errors:
            return [], errors
        return [self._target(given, base_url) for given in inputs], []

    def find(self, path: str) -> Upload | None:
        """The file uploaded under a `stagedUploadPath`, which is the target's `key`."""
        return self._uploads.get(path)

    async def receive(self, request: Request) -> Response:
        """The endpoint for POST `UPLOAD_PATH`: 201 with the key, or the storage's error."""
        if int(request.headers.get("content-length", 0)) > LARGEST_BYTES + 64 * 1024:
            return _too_large()
        async with request.form() as form:
            before: dict[str, str] = {}
            for name, value in form.multi_items():
                if name == "file":
                    return await self._store(before, value)
                if isinstance(value, str):
                    before[name] = value
        return storage_error(
            400, "InvalidArgument", "Invalid argument.", details="POST requires exactly one file upload."
        )

    def _target(self, given: Mapping[str, Any], base_url: str) -> dict[str, Any]:
        key = f"tmp/{self._shop_id}/bulk/{uuid4()}/bulk_op_vars"
        moment = clock.now()
        policy = {
            "conditions": [{"bucket": BUCKET}, {"key": key}, ["content-length-range", 1, LARGEST_BYTES]],
            "expiration": f"{moment + timedelta(hours=24):%Y-%m-%dT%H:%M:%SZ}",
        }
        parameters = {
            "key": key,
            "Content-Type": str(given["mimeType"]),
            "success_action_status": "201",
            "acl": "private",
            "policy": base64.b64encode(msgspec.json.encode(policy)).decode(),
            "x-goog-credential": f"{CREDENTIAL}/{moment:%Y%m%d}/auto/storage/goog4_request",
            "x-goog-algorithm": "GOOG4-RSA-SHA256",
            "x-goog-date": moment.strftime("%Y%m%dT%H%M%SZ"),
            "x-goog-signature": secrets.token_hex(64),
        }
        self._offered[key] = parameters
        return {
            "url": f"{base_url}{UPLOAD_PATH}",
            "resourceUrl": None,
            "parameters": [{"name": name, "value": value} for name, value in parameters.items()],
        }

    async def _store(self, given: Mapping[str, str], file: UploadFile | str) -> Response:
        offered = self._offered.get(given.get("key", ""))
        if offered is None:
            return storage_error(403, "AccessDenied", "Access denied.")
        missing = [name for name in offered if name not in given]
        if missing:
            details = f"POST is missing the field {missing[0]}; fields go before the file."
            return storage_error(400, "InvalidArgument", "Invalid argument.", details=details)
        if any(given[name] != value for name, value in offered.items()):
            return storage_error(403, "SignatureDoesNotMatch", "Access denied.")
        body = await file.read() if isinstance(file, UploadFile) else file.encode()
        if len(body) > LARGEST_BYTES:
            return _too_large()
        key = offered["key"]
        digest = hashlib.md5(body, usedforsecurity=False).hexdigest()
        path = self._folder / f"upload-{uuid4()}.jsonl"
        path.write_bytes(body)
        self._uploads[key] = Upload(path, len(body), digest)
        answer = (
            f"<?xml version='1.0' encoding='UTF-8'?><PostResponse><Location>https://storage.googleapis.com/{BUCKET}/{key}"
            f'</Location><Bucket>{BUCKET}</Bucket><Key>{key}</Key><ETag>"{digest}"</ETag></PostResponse>'
        )
        return Response(answer, 201, media_type="application/xml; charset=UTF-8")


def _refusal(at: int, given: Mapping[str, Any]) -> UserError | None:
    if given["resource"] != "BULK_MUTATION_VARIABLES":
        message = f"Uploads of {given['resource']} are not served by the sandbox."
        return UserError(["input", str(at), "resource"], message)
    if given.get("httpMethod", "PUT") != "POST":
        return UserError(["input", str(at), "httpMethod"], "Uploads by PUT are not served by the sandbox; use POST.")
    return None


def _too_large() -> Response:
    return storage_error(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size.")
