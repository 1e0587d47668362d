"""A product that somebody wants to be made: what is wrong with it, before anybody reviews it. Pure.

Limits are Shopify's: 3 options, 2,048 variants, 250 media (shopify.dev, productSet, read November 2026).
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from syncline.apps.commerce.field_text import check_tags, parse_value, shortened
from syncline.apps.commerce.fields import FIELDS, Kind, Owner, Value, fields_of
from syncline.apps.commerce.metafield_text import check_type, parse_metafield
from syncline.apps.commerce.metafields import find_name
from syncline.apps.commerce.nearest import did_you_mean, join_or
from syncline.apps.commerce.whole_product import WholeProduct

MOST_OPTIONS: Final = 3
MOST_VARIANTS: Final = 2_048
MOST_MEDIA: Final = 250
LONGEST: Final = 255
LONGEST_ALT: Final = 512
DEFAULT: Final = ["Default Title"]
_URL = re.compile(r"https?://\S+", re.IGNORECASE)
_HALF = re.compile("[\ud800-\udfff]")
_APART = re.compile(r"[^\w]+|_+")
_NAMES = ("handle", "options", "variants", "media", "metafields")


def handle_of(title: str) -> str:
    """As Shopify makes one of a title: `Café "Noir"` is `cafe-noir`."""
    plain = unicodedata.normalize("NFKD", title.casefold())
    bare = "".join(one for one in plain if not unicodedata.combining(one))
    return unicodedata.normalize("NFC", _APART.sub("-", bare)).strip("-")


def draft_of(given: Mapping[str, Any], currency: str) -> WholeProduct:
    """What people write, as a whole product: values of the catalogue's fields by name, checked; a handle made of the
    title where none is given; the status a draft. Raises `ValueError` with a sentence."""
    _refuse_unkept(given)
    title = str(given.get("title") or "")
    made: WholeProduct = {
        "handle": str(given.get("handle") or "").strip().lower() or handle_of(title),
        "status": "draft",
        **_fields(Owner.PRODUCT, given, currency, (*_NAMES, "id")),
    }
    made["title"] = title
    made["options"] = [{"name": str(name).strip(), "values": []} for name in _list(given, "options")]
    made["variants"] = [_variant(one, currency) for one in _list(given, "variants")] or [{"options": []}]
    made["media"] = [_medium(one) for one in _list(given, "media")]
    made["metafields"] = _metafields(given)
    finish(made)
    for sentence in complaints(made):
        raise ValueError(sentence)
    return made


def finish(product: WholeProduct) -> None:
    """The values of the options are those of the variants, in their order; without options there is Shopify's own."""
    if not product["options"]:
        product["options"] = [{"name": "Title", "values": list(DEFAULT)}]
        for variant in product["variants"]:
            variant["options"] = variant["options"] or list(DEFAULT)
        return
    for place, option in enumerate(product["options"]):
        values = [one["options"][place] for one in product["variants"] if place < len(one["options"])]
        option["values"] = list(dict.fromkeys(values))


def complaints(product: WholeProduct) -> Iterator[str]:
    """Sentences that say what to do."""
    if not str(product.get("title") or "").strip():
        yield "A new product needs a title; fill it in."
    if not product.get("handle"):
        yield "A new product needs a handle; fill it in."
    elif handle_of(product["handle"]) != product["handle"].replace("_", "-").strip("-"):
        like = handle_of(product["handle"]) or "linen-shirt"
        yield f"{shortened(product['handle'])!r} is no handle; write it like {like}."
    if len(product.get("handle") or "") > LONGEST:
        yield f"The handle is longer than {LONGEST} characters; shorten it."
    options, variants = product["options"], product["variants"]
    names = [option["name"] for option in options]
    if len(options) > MOST_OPTIONS:
        yield f"A product can have {MOST_OPTIONS} options, not {len(options)}; leave some out."
    if "" in names or len({name.casefold() for name in names}) < len(names):
        yield "Options need names that differ; correct them."
    if len(variants) > MOST_VARIANTS:
        yield f"A product can have {MOST_VARIANTS:,} variants, not {len(variants):,}; make two products of it."
    yield from _variant_complaints(names, variants)
    if len(product.get("media") or ()) > MOST_MEDIA:
        yield f"A product can show {MOST_MEDIA} images; leave some out."
    if any(len(one["alt"] or "") > LONGEST_ALT for one in product.get("media") or ()):
        yield f"The text of an image is longer than {LONGEST_ALT} characters; shorten it."
    for one in product.get("media") or ():
        if not _URL.fullmatch(one["url"]):
            yield f"{shortened(one['url'])!r} is not the address of an image; begin with https://."


def _variant_complaints(names: Sequence[str], variants: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    seen: set[tuple[str, ...]] = set()
    for variant in variants:
        values = tuple(variant["options"])
        shown = " / ".join(values) or "no options"
        if len(values) != len(names) or not all(value.strip() for value in values):
            yield f"A variant ({shown}) does not have one value for each of {', '.join(names)}; fill them in."
        elif values in seen:
            yield f"Two variants are both {shown}; keep one of them."
        seen.add(values)


def _refuse_unkept(given: Mapping[str, Any]) -> None:
    """JSON can write a zero byte and half a character, which no database keeps."""
    text = json.dumps(given, ensure_ascii=False, default=str)
    if "\\u0000" in text or _HALF.search(text):
        msg = "a text holds a zero byte or half a character, which cannot be kept; write it again"
        raise ValueError(msg)


def _list(given: Mapping[str, Any], name: str) -> list[Any]:
    found = given.get(name) or []
    if isinstance(found, list):
        return found
    msg = f"{name} is a list; write [ ] around it"
    raise ValueError(msg)


def _fields(owner: Owner, given: Mapping[str, Any], currency: str, besides: Sequence[str]) -> dict[str, Value]:
    known = [field.name for field in fields_of(owner)]
    values: dict[str, Value] = {}
    for name, value in given.items():
        if name in besides:
            continue
        if name not in known:
            msg = f"there is no {name!r} here.{did_you_mean(name, known)} Use {join_or([*known, *besides])}"
            raise ValueError(msg)
        if value is not None:
            values[name] = _value(name, value, currency)
    return values


def _value(name: str, value: Any, currency: str) -> Value:
    field = FIELDS[name]
    if field.kind is Kind.TAGS and isinstance(value, list):
        return check_tags([str(tag) for tag in value])
    if field.kind is Kind.BOOLEAN and isinstance(value, bool):
        return value
    return parse_value(field, str(value), currency)


def _variant(given: Any, currency: str) -> dict[str, Any]:
    if isinstance(given, dict):
        return {
            **_fields(Owner.VARIANT, given, currency, ("id", "options", "levels", "metafields")),
            "options": [str(value).strip() for value in _list(given, "options")],
            "levels": [_level(one) for one in _list(given, "levels")],
            "metafields": _metafields(given),
        }
    msg = "a variant is an object; write { } around it"
    raise ValueError(msg)


def _level(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict) or "available" not in given or not (given.keys() & {"location", "location_id"}):
        msg = 'stock is written like {"location": "Main warehouse", "available": 5}'
        raise ValueError(msg)
    quantity = parse_value(FIELDS["available"], str(given["available"]), "USD")
    return {"location": given.get("location"), "location_id": given.get("location_id"), "available": quantity}


def _medium(given: Any) -> dict[str, Any]:
    if isinstance(given, str):
        return {"url": given.strip(), "alt": None}
    if not isinstance(given, dict) or not given.get("url"):
        msg = 'an image is written like {"url": "https://…/front.jpg", "alt": "Front"}'
        raise ValueError(msg)
    return {"url": str(given["url"]).strip(), "alt": str(given.get("alt") or "") or None}


def _metafields(given: Mapping[str, Any]) -> dict[str, Any]:
    found = given.get("metafields") or {}
    made: dict[str, Any] = {}
    for name, one in found.items() if isinstance(found, dict) else [(str(found), None)]:
        if find_name(f"metafield.{name}") is None or not isinstance(one, dict) or not {"type", "value"} <= one.keys():
            msg = f"the metafield {shortened(str(name))!r} needs a name like custom.material, a type and a value"
            raise ValueError(msg)
        kind = check_type(str(one["type"]))
        made[name] = {"type": kind, "value": parse_metafield(kind, str(one["value"]))}
    return made
