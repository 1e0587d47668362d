from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from zipfile import ZipFile

from syncline.runtime.privacy.archive import Archive
from syncline.runtime.privacy.personal_data import Record


async def stream(*records: Record) -> AsyncIterator[Record]:
    for record in records:
        yield record


async def test_each_kind_is_there_as_json_and_as_csv_and_the_manifest_counts_them() -> None:
    file = io.BytesIO()
    archive = Archive(file)
    moment = datetime(2026, 11, 22, 10, tzinfo=UTC)
    await archive.add(
        "shop",
        stream(
            Record("customer", {"name": "=cmd()", "tags": ["a"]}),
            Record("customer", {"name": None, "since": moment}),
            Record("order", {"total": 3}),
        ),
    )
    await archive.add("mail", stream())
    manifest = archive.finish({"about": "somebody"})
    with ZipFile(file) as made:
        assert sorted(made.namelist()) == [
            "manifest.json",
            "shop/customer.csv",
            "shop/customer.json",
            "shop/order.csv",
            "shop/order.json",
        ]
        rows = json.loads(made.read("shop/customer.json"))
        table = list(csv.DictReader(io.StringIO(made.read("shop/customer.csv").decode("utf-8-sig"))))
        assert json.loads(made.read("manifest.json")) == manifest
    assert rows == [{"name": "=cmd()", "tags": ["a"]}, {"name": None, "since": "2026-11-22T10:00:00Z"}]
    assert table[0] == {"name": "'=cmd()", "tags": '["a"]', "since": ""}
    assert (manifest["records"], manifest["counts"]) == (3, {"shop": {"customer": 2, "order": 1}})
