"""Alt texts of images: staged, compared, pushed and undone."""

from __future__ import annotations

from typing import Any

import pytest

from syncline.apps.commerce.contract import ChangeStatus, NothingToDo, PullMode
from syncline.kernel.errors import InvalidInput

URL = "https://cdn.example.com/a.jpg"


def add(desk: Any, handle: str, alt: str | None = None, content_type: str = "IMAGE") -> Any:
    return desk.store.media.add(desk.product(handle).id, content_type=content_type, url=URL, alt=alt)


@pytest.fixture
async def gallery(desk: Any) -> Any:
    """The shirt has an image with a text and one without, the mug one without and a video."""
    desk.front = add(desk, "linen-shirt", "Front")
    desk.back = add(desk, "linen-shirt")
    desk.mug = add(desk, "mug")
    add(desk, "mug", content_type="VIDEO")
    await desk.pulled.pull(PullMode.INCREMENTAL)
    return desk


async def test_images_without_a_text_get_one_and_lose_it_again(gallery: Any) -> None:
    batch = await gallery.staged("image_alt:none", "image_alt=A good thing")
    changes = await gallery.changes(batch)
    assert {(one.kind, one.label) for one in changes} == {
        ("product_media", f"Linen Shirt, image {gallery.back.id}"),
        ("product_media", f"Mug, image {gallery.mug.id}"),
    }
    run = await gallery.push()
    assert run.counts == {ChangeStatus.APPLIED: 2}
    assert [one.alt for one in (gallery.front, gallery.back, gallery.mug)] == ["Front", "A good thing", "A good thing"]
    with pytest.raises(NothingToDo):
        await gallery.stage("image_alt:none", "image_alt=Another")
    await gallery.undo(batch)
    await gallery.push()
    assert [one.alt for one in (gallery.front, gallery.back, gallery.mug)] == ["Front", None, None]


async def test_pull_after_a_push_finds_nothing_new(gallery: Any) -> None:
    await gallery.staged("vendor:Acme", "image_alt=Shirt")
    await gallery.push()
    run = await gallery.pulled.pull(PullMode.FULL)
    (stream,) = [one for one in run.streams if one.stream == "media"]
    assert (stream.inserted, stream.deleted) == (0, 0)
    assert run.reconciliation is not None
    assert run.reconciliation.agreed


async def test_text_that_moved_is_a_conflict_and_the_others_are_written(gallery: Any) -> None:
    batch = await gallery.staged("handle:linen-shirt", "image_alt=Shirt")
    gallery.store.media.update(gallery.front, alt="Seen from the front")
    run = await gallery.push()
    assert run.counts == {ChangeStatus.APPLIED: 1, ChangeStatus.CONFLICT: 1}
    (told,) = [one for one in await gallery.changes(batch) if one.status == "conflict"]
    assert told.theirs == {"image_alt": "Seen from the front"}
    assert (gallery.front.alt, gallery.back.alt) == ("Seen from the front", "Shirt")


async def test_image_that_is_gone_does_not_hinder_the_others(gallery: Any) -> None:
    batch = await gallery.staged("handle:linen-shirt", "image_alt=Shirt")
    gallery.store.media.arrange(gallery.product("linen-shirt").id, [gallery.back.id])
    run = await gallery.push()
    assert run.counts == {ChangeStatus.APPLIED: 1, ChangeStatus.FAILED: 1}
    sentences = {one.sentence for one in await gallery.changes(batch) if one.sentence}
    assert sentences == {"The image is no longer in the store; reject the change, or pull the store and stage it anew."}


async def test_lost_answer_is_read_back_and_not_sent_again(gallery: Any) -> None:
    batch = await gallery.staged("handle:linen-shirt", "image_alt=Shirt")
    await gallery.fault("drop_after=1@SetImageAlts")
    await gallery.push()
    assert {receipt.verified_by for receipt in await gallery.receipts(batch)} == {"read-back"}
    assert len(await gallery.ledger()) == 1


async def test_image_that_two_products_show_is_written_once(gallery: Any) -> None:
    mug = gallery.product("mug").id
    gallery.store.media.arrange(mug, [*gallery.store.media.of_product[mug], gallery.front.id])
    await gallery.pulled.pull(PullMode.INCREMENTAL)
    batch = await gallery.staged("image_alt:front", "image_alt=Seen from the front")
    assert len(await gallery.changes(batch)) == 1
    await gallery.push()
    assert len(await gallery.ledger()) == 1
    found = await gallery.changes(await gallery.stage('image_alt:"seen from the front"', "vendor=Found"))
    assert {gallery.store.products[one.resource_id].handle for one in found} == {"linen-shirt", "mug"}


async def test_text_that_is_too_long_stages_nothing(gallery: Any) -> None:
    with pytest.raises(InvalidInput, match="at most 512"):
        await gallery.stage("", f"image_alt={'x' * 513}")


async def test_products_are_found_by_their_images(gallery: Any) -> None:
    changes = await gallery.changes(await gallery.stage("image_alt:front", "vendor=Found"))
    assert [gallery.store.products[one.resource_id].handle for one in changes] == ["linen-shirt"]
