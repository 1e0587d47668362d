"""Media into products and out of them, and into another order."""

from __future__ import annotations

from collections.abc import Sequence

from syncline.apps.commerce.fields import AnyValue
from syncline.apps.commerce.gallery import Medium, ordered
from syncline.apps.commerce.push import ends
from syncline.apps.commerce.push.ends import Ready
from syncline.apps.commerce.push.gallery_states import medium_of
from syncline.apps.commerce.push.repository import Settled
from syncline.connectors.shopify import actions
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.ids import number_of
from syncline.connectors.shopify.media import media_id


def is_new(one: Ready) -> bool:
    return one.change.after["images"] is not None


async def send_gallery_images(client: ShopifyClient, _currency: str, members: Sequence[Ready]) -> list[Settled]:
    """All of one product, and all added or all taken away."""
    send = _add if is_new(members[0]) else _take_away
    return await send(client, members[0].change.product_id, members)


async def _take_away(client: ShopifyClient, product: int, members: Sequence[Ready]) -> list[Settled]:
    results = await actions.delete_media(client, product, [_medium_id(one) for one in members])
    return [
        ends.written(one.change, result, {"images": None}) if result.ok else ends.refused(one.change, result)
        for one, result in zip(members, results, strict=True)
    ]


def _medium_id(one: Ready) -> str:
    held = one.now["images"]
    assert isinstance(held, dict)
    return media_id(held["type"], int(held["id"]))


async def _add(client: ShopifyClient, product: int, members: Sequence[Ready]) -> list[Settled]:
    wanted: list[Medium] = [one.change.after["images"] for one in members]
    rows = [actions.NewMedium(one["url"], one.get("alt") or "") for one in wanted]
    results = await actions.add_media(client, product, rows)
    made = {str(number_of(result.values["id"])): one for one, result in zip(wanted, results, strict=True) if result.ok}
    places = await _put_back(client, product, made)
    settled = []
    for one, result in zip(members, results, strict=True):
        if not result.ok:
            settled.append(ends.refused(one.change, result))
            continue
        medium = medium_of(result.values, places.get(str(number_of(result.values["id"])), 0))
        after: dict[str, AnyValue] = {"images": medium}
        settled.append(ends.written(one.change, result, after))
    return settled


async def _put_back(client: ShopifyClient, product: int, made: dict[str, Medium]) -> dict[str, int]:
    """The places of what was added. What has stood somewhere before goes back there, if the others let it: they may
    have moved meanwhile, and then it stays where Shopify has put it."""
    if not made:
        return {}
    now = (await actions.read_media(client, [product]))[product] or []
    by_number = {str(number_of(one)): one for one in now}
    numbers = list(by_number)
    back = [(int(medium["position"]), number) for number, medium in made.items() if medium.get("position")]
    order = [number for number in numbers if number not in {number for _, number in back}]
    for position, number in sorted(back):
        if number in by_number:
            order.insert(position - 1, number)
    if order != numbers:
        result = await actions.order_media(client, product, [by_number[one] for one in order], now=now)
        numbers = order if result.ok else numbers
    return {number: place for place, number in enumerate(numbers, start=1)}


async def send_orders(client: ShopifyClient, _currency: str, members: Sequence[Ready]) -> list[Settled]:
    """The order that was just read is what is moved: what it names and the store does not is left out."""
    settled = []
    for one in members:
        product = one.change.product_id
        now = (await actions.read_media(client, [product]))[product]
        if now is None:
            settled.append(ends.gone(one.change))
            continue
        by_number = {str(number_of(each)): each for each in now}
        wanted = ordered(one.change.after["image_order"], list(by_number))
        result = await actions.order_media(client, product, [by_number[each] for each in wanted], now=now)
        if result.ok:
            settled.append(ends.written(one.change, result, {"image_order": wanted}))
        else:
            settled.append(ends.refused(one.change, result))
    return settled
