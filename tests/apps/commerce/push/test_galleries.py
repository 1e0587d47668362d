"""What products show and in which order: staged, compared, pushed and undone."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from syncline.apps.commerce.contract import ChangeStatus, NothingToDo, PullMode, Resolution
from syncline.apps.commerce.mirror.models import product_media
from syncline.kernel.errors import InvalidInput

URL = "https://files.example.com/{}.jpg"
NEW = "https://files.example.com/new.jpg?size=big"


def add(desk: Any, handle: str, name: str, content_type: str = "IMAGE") -> Any:
    return desk.store.media.add(
        desk.product(handle).id, content_type=content_type, url=URL.format(name), alt=name.title()
    )


@pytest.fixture
async def gallery(desk: Any) -> Any:
    """The shirt shows three images and a video, the mug one image."""
    desk.media = [add(desk, "linen-shirt", name) for name in ("front", "back", "side")]
    desk.video = add(desk, "linen-shirt", "film", "VIDEO")
    desk.mug = add(desk, "mug", "mug")
    await desk.pulled.pull(PullMode.INCREMENTAL)
    return desk


def shown(desk: Any, handle: str = "linen-shirt") -> list[str]:
    return [str(one.alt) for one in desk.store.media.shown_by(desk.product(handle).id)]


async def mirrored(desk: Any, handle: str = "linen-shirt") -> list[tuple[int, str]]:
    """Places and texts, as the mirror has them."""
    table = product_media.c
    query = (
        select(table.position, table.alt)
        .where(table.product_id == desk.product(handle).id, table.deleted_at.is_(None))
        .order_by(table.position)
    )
    async with desk.commerce.runtime.database.reading(desk.pulled.actor.tenant_id) as session:
        return [tuple(row) for row in await session.execute(query)]


async def spoil(desk: Any, alt: str, position: int | None) -> None:
    async with desk.commerce.runtime.database.writing(desk.pulled.actor.tenant_id) as session:
        await session.execute(update(product_media).where(product_media.c.alt == alt).values(position=position))


async def compared(desk: Any, *, mend: bool) -> Any:
    return await desk.commerce.reconcile(actor=desk.pulled.actor, store="demo", depth="content", repair=mend)


def places(*names: str) -> list[tuple[int, str]]:
    return list(enumerate(names, start=1))


async def test_places_are_mirrored_and_follow_a_merchant(gallery: Any) -> None:
    assert await mirrored(gallery) == places("Front", "Back", "Side", "Film")
    front, back, side = (one.id for one in gallery.media)
    gallery.store.media.arrange(gallery.product("linen-shirt").id, [side, gallery.video.id, back, front])
    await gallery.pulled.pull(PullMode.INCREMENTAL)
    assert await mirrored(gallery) == places("Side", "Film", "Back", "Front")
    assert await mirrored(gallery, "mug") == places("Mug")


async def test_place_that_is_wrong_is_found_and_mended_by_a_comparison_of_values(gallery: Any) -> None:
    await spoil(gallery, "Back", 9)
    found = await compared(gallery, mend=False)
    assert (found.agreed, [kind.stale_count for kind in found.kinds if kind.kind == "product_media"]) == (False, [1])
    assert (await compared(gallery, mend=True)).agreed
    assert await mirrored(gallery) == places("Front", "Back", "Side", "Film")


async def test_media_whose_place_is_not_known_yet_are_read_whole(gallery: Any) -> None:
    await spoil(gallery, "Back", None)
    with pytest.raises(InvalidInput, match="not known yet; pull the store first"):
        await gallery.stage("handle:linen-shirt", "image_order=2")
    await gallery.pulled.pull(PullMode.INCREMENTAL)
    assert await mirrored(gallery) == places("Front", "Back", "Side", "Film")


async def test_order_is_changed_and_changed_back(gallery: Any) -> None:
    batch = await gallery.staged("", "image_order=3,1")
    change = await gallery.change(batch)
    assert (change.kind, change.label) == ("product_gallery", "Linen Shirt")
    assert (await gallery.push()).counts == {ChangeStatus.APPLIED: 1}
    assert shown(gallery) == ["Side", "Front", "Back", "Film"]
    assert await mirrored(gallery) == places("Side", "Front", "Back", "Film")
    await gallery.undo(batch)
    await gallery.push()
    assert shown(gallery) == ["Front", "Back", "Side", "Film"]
    with pytest.raises(NothingToDo):
        await gallery.stage("", "image_order=1")


async def test_order_that_moved_is_a_conflict_and_what_was_added_is_none(gallery: Any) -> None:
    batch = await gallery.staged("handle:linen-shirt", "image_order=3")
    add(gallery, "linen-shirt", "detail")
    front, back, side = (one.id for one in gallery.media)
    more = [one.id for one in gallery.store.media.shown_by(gallery.product("linen-shirt").id)][3:]
    gallery.store.media.arrange(gallery.product("linen-shirt").id, [back, front, side, *more])
    assert (await gallery.push()).counts == {ChangeStatus.CONFLICT: 1}
    await gallery.resolve(batch, Resolution.OVERWRITE)
    assert (await gallery.push()).counts == {ChangeStatus.APPLIED: 1}
    assert shown(gallery) == ["Side", "Front", "Back", "Film", "Detail"]


async def test_image_is_taken_away_and_comes_back_to_its_place(gallery: Any) -> None:
    batch = await gallery.staged("handle:linen-shirt", "images=-2")
    assert (await gallery.change(batch)).before["images"]["alt"] == "Back"
    assert (await gallery.push()).counts == {ChangeStatus.APPLIED: 1}
    assert shown(gallery) == ["Front", "Side", "Film"]
    assert await mirrored(gallery) == places("Front", "Side", "Film")
    again = await gallery.undo(batch)
    await gallery.push()
    assert shown(gallery) == ["Front", "Back", "Side", "Film"]
    assert await mirrored(gallery) == places("Front", "Back", "Side", "Film")
    await gallery.undo(again)
    await gallery.push()
    assert shown(gallery) == ["Front", "Side", "Film"]
    run = await gallery.pulled.pull(PullMode.FULL)
    assert run.reconciliation is not None
    assert run.reconciliation.agreed
    assert (await compared(gallery, mend=False)).agreed


async def test_image_is_added_once_and_taken_away_again(gallery: Any) -> None:
    batch = await gallery.staged("handle:linen-shirt,mug", f'images="+{NEW} Seen, from above"')
    assert {one.label for one in await gallery.changes(batch)} == {"Linen Shirt, new image new", "Mug, new image new"}
    assert (await gallery.push()).counts == {ChangeStatus.APPLIED: 2}
    assert (shown(gallery)[-1], shown(gallery, "mug")) == ("Seen, from above", ["Mug", "Seen, from above"])
    assert await mirrored(gallery, "mug") == places("Mug", "Seen, from above")
    with pytest.raises(NothingToDo):
        await gallery.stage("handle:linen-shirt,mug", f"images=+{NEW}")
    await gallery.undo(batch)
    await gallery.push()
    assert shown(gallery, "mug") == ["Mug"]
    assert (await compared(gallery, mend=False)).agreed


async def test_all_three_in_one_go_and_the_order_last(gallery: Any) -> None:
    await gallery.staged("handle:linen-shirt", f'images=-1,"+{NEW} New"', "image_order=3,2")
    assert (await gallery.push()).counts == {ChangeStatus.APPLIED: 3}
    assert shown(gallery) == ["Side", "Back", "Film", "New"]
    assert await mirrored(gallery) == places("Side", "Back", "Film", "New")


async def test_image_that_cannot_be_fetched_is_refused_and_leaves_nothing(gallery: Any) -> None:
    batch = await gallery.staged("handle:mug", f"images=+https://nowhere.invalid/a.jpg,+{NEW}")
    assert (await gallery.push()).counts == {ChangeStatus.APPLIED: 1, ChangeStatus.FAILED: 1}
    assert len(shown(gallery, "mug")) == 2
    codes = [one.vendor_code for one in await gallery.receipts(batch)]
    assert sorted(filter(None, codes)) == ["IMAGE_DOWNLOAD_FAILURE"]


@pytest.mark.parametrize("fault", ["drop_after=1@AddMedia", "drop_before=1@AddMedia"])
async def test_lost_answer_to_an_added_image_is_looked_up(gallery: Any, fault: str) -> None:
    """Another one of the same name and text, which was there before, is not taken for it."""
    gallery.store.media.add(gallery.product("mug").id, content_type="IMAGE", url="https://cdn.example.com/new.jpg")
    batch = await gallery.staged("handle:mug", f"images=+{NEW},+https://files.example.com/newer.jpg")
    await gallery.fault(fault)
    assert (await gallery.push()).counts == {ChangeStatus.APPLIED: 2}
    urls = [one.url for one in gallery.store.media.shown_by(gallery.product("mug").id)]
    assert urls[2:] == [NEW, "https://files.example.com/newer.jpg"]
    assert len(await gallery.receipts(batch)) == 2
    await gallery.undo(batch)
    await gallery.push()
    assert [one.url for one in gallery.store.media.shown_by(gallery.product("mug").id)] == urls[:2]


@pytest.mark.parametrize("operation", ["DeleteMedia", "OrderMedia"])
async def test_lost_answer_is_read_back_and_not_sent_again(gallery: Any, operation: str) -> None:
    edit = {"DeleteMedia": "images=-1", "OrderMedia": "image_order=2"}[operation]
    batch = await gallery.staged("handle:linen-shirt", edit)
    await gallery.fault(f"drop_after=1@{operation}")
    await gallery.push()
    assert {receipt.verified_by for receipt in await gallery.receipts(batch)} == {"read-back"}
    assert len(await gallery.ledger()) == 1


async def test_image_that_was_described_meanwhile_is_not_taken_away(gallery: Any) -> None:
    batch = await gallery.staged("handle:linen-shirt", "images=-1,-2")
    gallery.store.media.update(gallery.media[0], alt="The most beautiful")
    gallery.store.media.arrange(
        gallery.product("linen-shirt").id, [one.id for one in gallery.media if one.alt != "Back"]
    )
    run = await gallery.push()
    assert run.counts == {ChangeStatus.APPLIED: 1, ChangeStatus.CONFLICT: 1}
    (told,) = [one for one in await gallery.changes(batch) if one.status == "conflict"]
    assert told.theirs["images"]["alt"] == "The most beautiful"
    assert "The most beautiful" in shown(gallery)


async def test_product_that_is_gone_does_not_hinder_the_others(gallery: Any) -> None:
    batch = await gallery.staged("handle:linen-shirt,mug", f"images=+{NEW}")
    gallery.store.delete_product(gallery.product("mug"))
    assert (await gallery.push()).counts == {ChangeStatus.APPLIED: 1, ChangeStatus.FAILED: 1}
    (sentence,) = {one.sentence for one in await gallery.changes(batch) if one.sentence}
    assert sentence.startswith("The product is no longer in the store")


async def test_video_cannot_be_brought_back_and_the_undo_says_so(gallery: Any) -> None:
    batch = await gallery.staged("handle:linen-shirt", f"images=-id:{gallery.video.id},-3")
    await gallery.push()
    undo = await gallery.undo(batch)
    assert f"Not undone: Linen Shirt, video {gallery.video.id}." in undo.summary
    assert (await gallery.push()).counts == {ChangeStatus.APPLIED: 1}
    assert shown(gallery) == ["Front", "Back", "Side"]
    film = add(gallery, "mug", "film", "VIDEO")
    await gallery.pulled.pull(PullMode.INCREMENTAL)
    only = await gallery.staged("handle:mug", f"images=-id:{film.id}")
    await gallery.push()
    with pytest.raises(NothingToDo, match="Shopify keeps nothing of a deleted video"):
        await gallery.undo(only)


@pytest.mark.parametrize(
    ("edit", "advice"),
    [
        ("images=a.jpg", r"write \+ before an address or - before a place"),
        ("images=+a.jpg", "no address that Shopify can fetch"),
        ("images=-0", "names no image"),
        ("images=-251", "at most 250 images; write id:251"),
        ("images=none", r"write \+ before an address"),
        (f"images=+{NEW},+{NEW}", "name an address once"),
        ("image_order=1,1", "each once"),
        ("image_order=first", "names no image"),
        (f'images="+{NEW} {"x" * 513}"', "at most 512"),
    ],
)
async def test_edit_that_is_not_clear_stages_nothing(gallery: Any, edit: str, advice: str) -> None:
    with pytest.raises(InvalidInput, match=advice):
        await gallery.stage("", edit)


async def test_product_cannot_show_more_than_shopify_allows(gallery: Any) -> None:
    shirt = gallery.product("linen-shirt").id
    for number in range(246):
        gallery.store.media.add(shirt, content_type="IMAGE", url=URL.format(number))
    await gallery.pulled.pull(PullMode.INCREMENTAL)
    with pytest.raises(InvalidInput, match="more than the 250 images"):
        await gallery.stage("handle:linen-shirt", f"images=+{NEW}")
    await gallery.stage("handle:linen-shirt", f"images=-1,+{NEW}")
