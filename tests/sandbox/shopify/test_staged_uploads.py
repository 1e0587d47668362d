from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from syncline.sandbox.shopify import staged_uploads
from syncline.sandbox.shopify.staged_uploads import UPLOAD_PATH, StagedUploads

GIVEN = {"resource": "BULK_MUTATION_VARIABLES", "filename": "v.jsonl", "mimeType": "text/jsonl", "httpMethod": "POST"}
BASE = "http://shop.test"


@pytest.fixture
def uploads(tmp_path: Path) -> StagedUploads:
    return StagedUploads(tmp_path, 42)


@pytest.fixture
async def http(uploads: StagedUploads) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=[Route(UPLOAD_PATH, uploads.receive, methods=["POST"])])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE) as client:
        yield client


def offered(uploads: StagedUploads) -> tuple[str, dict[str, str]]:
    (target,), errors = uploads.create([GIVEN], BASE)
    assert errors == []
    assert target["resourceUrl"] is None
    return target["url"], {one["name"]: one["value"] for one in target["parameters"]}


def test_a_target_carries_shopify_s_parameters(uploads: StagedUploads) -> None:
    url, fields = offered(uploads)
    assert url == f"{BASE}{UPLOAD_PATH}"
    assert list(fields) == [
        "key",
        "Content-Type",
        "success_action_status",
        "acl",
        "policy",
        "x-goog-credential",
        "x-goog-algorithm",
        "x-goog-date",
        "x-goog-signature",
    ]
    assert fields["key"].startswith("tmp/42/bulk/")
    assert fields["key"].endswith("/bulk_op_vars")
    assert (fields["success_action_status"], fields["acl"]) == ("201", "private")


async def test_an_upload_is_found_by_its_key(uploads: StagedUploads, http: httpx.AsyncClient) -> None:
    url, fields = offered(uploads)
    answer = await http.post(url, data=fields, files={"file": ("v.jsonl", b'{"a":"\xc3\xa9"}\n', "text/jsonl")})
    upload = uploads.find(fields["key"])
    assert (answer.status_code, ET.fromstring(answer.text).findtext("Key")) == (201, fields["key"])
    assert upload is not None
    assert (upload.path.read_bytes(), upload.size) == (b'{"a":"\xc3\xa9"}\n', 11)


async def test_uploading_again_changes_the_tag(uploads: StagedUploads, http: httpx.AsyncClient) -> None:
    url, fields = offered(uploads)
    await http.post(url, data=fields, files={"file": b"one"})
    first = uploads.find(fields["key"])
    await http.post(url, data=fields, files={"file": b"two"})
    assert uploads.find(fields["key"]) != first


async def test_fields_behind_the_file_do_not_count(uploads: StagedUploads, http: httpx.AsyncClient) -> None:
    url, fields = offered(uploads)
    signature = fields.pop("x-goog-signature")
    parts: list[tuple[str, tuple[str | None, bytes]]] = [
        (name, (None, value.encode())) for name, value in fields.items()
    ]
    parts += [("file", ("v", b"{}")), ("x-goog-signature", (None, signature.encode()))]
    answer = await http.post(url, files=parts)
    assert (answer.status_code, ET.fromstring(answer.text).findtext("Code")) == (400, "InvalidArgument")
    assert uploads.find(fields["key"]) is None


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [({"policy": "x"}, 403, "SignatureDoesNotMatch"), ({"key": "tmp/other"}, 403, "AccessDenied")],
)
async def test_altered_parameters_are_denied(
    uploads: StagedUploads, http: httpx.AsyncClient, change: dict[str, str], status: int, code: str
) -> None:
    url, fields = offered(uploads)
    answer = await http.post(url, data=fields | change, files={"file": b"{}"})
    assert (answer.status_code, ET.fromstring(answer.text).findtext("Code")) == (status, code)


async def test_without_a_file_nothing_is_stored(uploads: StagedUploads, http: httpx.AsyncClient) -> None:
    url, fields = offered(uploads)
    assert (await http.post(url, data=fields)).status_code == 400


async def test_a_file_over_the_limit_is_refused(
    uploads: StagedUploads, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staged_uploads, "LARGEST_BYTES", 10)
    url, fields = offered(uploads)
    answer = await http.post(url, data=fields, files={"file": b"x" * 11})
    assert (answer.status_code, ET.fromstring(answer.text).findtext("Code")) == (400, "EntityTooLarge")


@pytest.mark.parametrize("change", [{"resource": "IMAGE"}, {"httpMethod": "PUT"}])
def test_what_is_not_served_is_said(uploads: StagedUploads, change: dict[str, str]) -> None:
    targets, errors = uploads.create([GIVEN | change], BASE)
    assert targets == []
    assert "not served by the sandbox" in errors[0].message
