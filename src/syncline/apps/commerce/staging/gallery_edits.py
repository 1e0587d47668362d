"""Edits of what products show and in which order: `images=+https://shop.example/a.jpg,-2`, `image_order=3,1`.

Media are named by the place they have now, from 1, or by `id:` and their number. A product that shows nothing at such a
place is passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from syncline.apps.commerce.field_text import check_text
from syncline.apps.commerce.fields import FIELDS
from syncline.apps.commerce.gallery import MOST_MEDIA, Medium, bare, file_stem, ordered
from syncline.apps.commerce.staging.quoted import Part, split_list

ALL: Final = "all"
_BY_ID: Final = "id:"
_LONGEST: Final = 2_048
"""Characters of an address."""


@dataclass(frozen=True, slots=True)
class Named:
    """Media by place, by id, or all of them."""

    position: int | None = None
    number: int | None = None

    def finds(self, medium: Medium) -> bool:
        if self.number is not None:
            return medium["id"] == str(self.number)
        return self.position is None or medium.get("position") == str(self.position)


@dataclass(frozen=True, slots=True)
class NewImage:
    url: str
    alt: str


@dataclass(frozen=True, slots=True)
class ChangeImages:
    """Images to add behind the others, and media to take away."""

    field: str
    add: tuple[NewImage, ...]
    remove: tuple[Named, ...]


@dataclass(frozen=True, slots=True)
class OrderImages:
    """What is to stand first, in this order; the others follow in theirs."""

    field: str
    first: tuple[Named, ...]


def parse_images_edit(field: str, text: str) -> ChangeImages:
    """Raises `ValueError` with a sentence that says what to write."""
    parts = [part for part in split_list(text) if part.text]
    if any(part.text[0] not in "+-" or not part.text[1:].strip() for part in parts):
        msg = "write + before an address or - before a place, like images=+https://shop.example/a.jpg,-2"
        raise ValueError(msg)
    add = [_new_image(part) for part in parts if part.text[0] == "+"]
    remove = [_named(part.text[1:].strip(), allows_all=True) for part in parts if part.text[0] == "-"]
    if len({bare(one.url) for one in add}) < len(add):
        msg = "name an address once"
        raise ValueError(msg)
    return ChangeImages(field, tuple(add), tuple(dict.fromkeys(remove)))


def parse_order_edit(field: str, text: str) -> OrderImages:
    """Raises `ValueError` with a sentence that says what to write."""
    named = [_named(part.text, allows_all=False) for part in split_list(text) if part.text]
    if not named or len(set(named)) < len(named):
        msg = "name what is to stand first, each once, like image_order=3,1"
        raise ValueError(msg)
    return OrderImages(field, tuple(named))


def _named(text: str, *, allows_all: bool) -> Named:
    if allows_all and text.lower() == ALL:
        return Named()
    number = text.removeprefix(_BY_ID).strip()
    if not (number.isascii() and number.isdecimal() and len(number) < 19 and int(number)):
        msg = f"{text!r} names no image; write its place, like 2, or its id, like id:38000000000001"
        raise ValueError(msg)
    if text.startswith(_BY_ID):
        return Named(number=int(number))
    if int(number) > MOST_MEDIA:
        msg = f"a product shows at most {MOST_MEDIA} images; write id:{number} if you mean the image of this number"
        raise ValueError(msg)
    return Named(position=int(number))


def _new_image(part: Part) -> NewImage:
    url, _, alt = part.text[1:].strip().partition(" ")
    return new_image(url, alt)


def new_image(url: str, alt: str) -> NewImage:
    """Raises `ValueError` with a sentence that says what to write."""
    address = urlsplit(url)
    if address.scheme not in {"http", "https"} or not address.hostname or len(url) > _LONGEST:
        msg = f"{url!r} is no address that Shopify can fetch; write it in full, like https://shop.example/a.jpg"
        raise ValueError(msg)
    return NewImage(url, check_text(FIELDS["image_alt"], alt.strip()))


def is_by_place(edit: ChangeImages | OrderImages) -> bool:
    named = edit.remove if isinstance(edit, ChangeImages) else edit.first
    return any(one.position is not None for one in named)


def taken_away(edit: ChangeImages, shown: Sequence[Medium]) -> Iterator[Medium]:
    return (medium for medium in shown if any(one.finds(medium) for one in edit.remove))


def added(edit: ChangeImages, shown: Sequence[Medium]) -> Iterator[Medium]:
    """What is not shown from this very address already."""
    known = {bare(medium["url"]) for medium in shown if medium.get("url")}
    return ({"url": one.url, "alt": one.alt, "type": "image"} for one in edit.add if bare(one.url) not in known)


def order_after(edit: OrderImages, shown: Sequence[Medium]) -> list[str]:
    first = (medium["id"] for one in edit.first for medium in shown if one.finds(medium))
    return ordered(list(first), [medium["id"] for medium in shown])


def describe_images(edit: ChangeImages) -> str:
    """`image a.jpg added, image 2 taken away`."""
    parts = [*(f"image {file_stem(one.url)} added" for one in edit.add)]
    return ", ".join([*parts, *(f"{_told(one)} taken away" for one in edit.remove)])


def describe_order(edit: OrderImages) -> str:
    return f"{_joined(map(_told, edit.first))} put first"


def _told(one: Named) -> str:
    if one.number is not None:
        return f"image id {one.number}"
    return "all images" if one.position is None else f"image {one.position}"


def _joined(words: Iterable[str]) -> str:
    return ", ".join(words)
