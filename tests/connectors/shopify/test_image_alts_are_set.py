"""Alt texts: one wrong image does not hinder the others of its product."""

from __future__ import annotations

from typing import Any

import pytest

from syncline.connectors.shopify import actions


@pytest.mark.parametrize("version", ["2026-10", "2025-10"])
async def test_image_of_another_product_is_refused_and_the_others_are_set(version: str, sandbox: Any) -> None:
    one, two = list(sandbox.store.products)[:2]
    mine = [sandbox.store.media.add(one, content_type="IMAGE", url="https://a.example/1.jpg") for _ in range(2)]
    other = sandbox.store.media.add(two, content_type="IMAGE", url="https://a.example/2.jpg", alt="Theirs")
    rows = [(mine[0].id, "Front"), (other.id, "Mine"), (mine[1].id, None)]
    async with sandbox.client(api_version=version) as client:
        results = await actions.set_image_alts(client, one, rows)
        found = await actions.read_images(client, [mine[0].id, other.id, 99])
    assert [result.ok for result in results] == [True, False, True]
    assert results[1].errors[0].code == "MEDIA_DOES_NOT_EXIST"
    assert [node["alt"] if node else None for node in found.values()] == ["Front", "Theirs", None]
