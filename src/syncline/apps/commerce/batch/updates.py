"""What a bulk operation's `updates` ask for, as edits. Pure.

| operation     | updates                                                                                           |
|---------------|---------------------------------------------------------------------------------------------------|
| `status`      | `{"status": "active"}`                                                                            |
| `tags`        | `{"add": ["sale"], "remove": ["old"]}` or `{"replace": ["a", "b"]}`                               |
| `price`       | `price`, `compare_at_price` and `cost`, each a rule (see `price_rules`)                           |
| `inventory`   | `{"location": "Main", "available": 10}`, `"+5"` or `"-5"` to adjust; or a list of these as `levels` |
| `details`     | `{"vendor": "Acme", "type": "Shirt"}`                                                             |
| `seo`         | `{"title": "...", "description": null}`; null clears                                              |
| `metafields`  | `{"custom.material": "Wool", "variant_metafield.custom.size": null}`; null deletes                |
| `collections` | `{"add": ["summer"], "remove": ["winter"]}`, by handle                                            |

A list may also be one text with commas, as in `syncline change`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from syncline.apps.commerce.batch.price_rules import price_edit
from syncline.apps.commerce.batch_contract import BatchOperation
from syncline.apps.commerce.field_text import check_tags, parse_value, shortened
from syncline.apps.commerce.fields import FIELDS, get_editable
from syncline.apps.commerce.metafields import find_name
from syncline.apps.commerce.nearest import did_you_mean, join_or
from syncline.apps.commerce.staging.edits import AdjustQuantity, ChangeTags, Edit, SetValue, parse_quantity_edit
from syncline.apps.commerce.staging.membership_edits import ChangeMembership
from syncline.apps.commerce.staging.metafield_edits import SetMetafield, split_type, typed_edit
from syncline.apps.commerce.staging.quoted import split_list
from syncline.kernel.errors import FieldError, InvalidInput

Updates = Mapping[str, Any]


def edits_of(operation: BatchOperation, updates: Updates, *, currency: str) -> tuple[Edit, ...]:
    """Raises `InvalidInput` with the part of `updates` that is wrong and what to write instead."""
    edits = tuple(_READERS[operation](updates, currency))
    if not edits:
        names = _NAMES.get(operation, ("custom.material",))
        raise wrong("updates", f"Nothing to change: give {join_or(names)}")
    return edits


def wrong(place: str, sentence: str) -> InvalidInput:
    whole = sentence if sentence.endswith(".") else f"{sentence}."
    return InvalidInput(whole, fields=[FieldError(place, whole)])


def _only(updates: Updates, operation: BatchOperation) -> None:
    names = _NAMES[operation]
    for name in updates:
        if name not in names:
            hint = did_you_mean(name, names)
            raise wrong(
                f"updates.{name}",
                f"{shortened(name)!r} is nothing that {operation} changes; give {join_or(names)}{hint}",
            )


def _status(updates: Updates, currency: str) -> Iterable[Edit]:
    _only(updates, BatchOperation.STATUS)
    return [_value("status", updates, "status", currency)] if "status" in updates else []


def _value(place: str, updates: Updates, field: str, currency: str) -> SetValue:
    """A text of `field`; null clears what can be empty."""
    known, given = FIELDS[field], updates[place]
    if given is None:
        if known.required or known.choices:
            raise wrong(f"updates.{place}", f"The {known.label} cannot be cleared; write a value")
        return SetValue(field, None if known.nullable else "")
    if not isinstance(given, str):
        raise wrong(f"updates.{place}", f"The {known.label} is a text, or null to clear it")
    return SetValue(field, _told(f"updates.{place}", lambda: parse_value(known, given, currency)))


def _told(place: str, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except ValueError as error:
        raise wrong(place, str(error)) from error


def _details(updates: Updates, currency: str) -> Iterable[Edit]:
    _only(updates, BatchOperation.DETAILS)
    names = {"vendor": "vendor", "type": "product_type"}
    return [_value(name, updates, field, currency) for name, field in names.items() if name in updates]


def _seo(updates: Updates, currency: str) -> Iterable[Edit]:
    _only(updates, BatchOperation.SEO)
    return [_value(name, updates, f"seo_{name}", currency) for name in ("title", "description") if name in updates]


def _words(updates: Updates, name: str) -> list[str]:
    """A list of texts, or one text with commas."""
    given = updates.get(name) or []
    if isinstance(given, str):
        return [part.text for part in _told(f"updates.{name}", lambda: split_list(given)) if part.text]
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise wrong(f"updates.{name}", f'Write {name} as a list of texts, like ["sale", "summer"]')
    return [one for one in given if one.strip()]


def _tags(updates: Updates, _currency: str) -> Iterable[Edit]:
    _only(updates, BatchOperation.TAGS)
    lists = {name: _told(f"updates.{name}", partial(check_tags, _words(updates, name))) for name in updates}
    add, remove = lists.get("add", []), lists.get("remove", [])
    if "replace" in lists:
        if add or remove:
            raise wrong("updates.replace", "Tags are replaced, or added and removed; give replace alone")
        return [SetValue("tags", lists["replace"])]
    both = {tag.casefold() for tag in add} & {tag.casefold() for tag in remove}
    if both:
        raise wrong("updates.remove", f"{', '.join(sorted(both))} cannot be added and removed at once")
    return [ChangeTags("tags", tuple(add), tuple(remove))] if add or remove else []


def _collections(updates: Updates, _currency: str) -> Iterable[Edit]:
    _only(updates, BatchOperation.COLLECTIONS)
    add, remove = (tuple(dict.fromkeys(one.strip().lower() for one in _words(updates, n))) for n in ("add", "remove"))
    both = sorted(set(add) & set(remove))
    if both:
        raise wrong("updates.remove", f"Products cannot be put into {', '.join(both)} and taken out at once")
    return [ChangeMembership("collections", add, remove)] if add or remove else []


def _price(updates: Updates, currency: str) -> Iterable[Edit]:
    _only(updates, BatchOperation.PRICE)
    return [
        _told(f"updates.{name}", partial(price_edit, FIELDS[name], rule, currency)) for name, rule in updates.items()
    ]


def _inventory(updates: Updates, _currency: str) -> Iterable[Edit]:
    _only(updates, BatchOperation.INVENTORY)
    levels = updates.get("levels", [])
    if not isinstance(levels, list) or not all(isinstance(one, dict) for one in levels):
        raise wrong("updates.levels", 'Write levels as a list like [{"location": "Main", "available": 10}]')
    if levels and ("available" in updates or "location" in updates):
        raise wrong("updates.levels", "Give levels, or one location with its available quantity, not both")
    edits = [_level(f"updates.levels[{place}]", one) for place, one in enumerate(levels)] or (
        [_level("updates", updates)] if updates else []
    )
    places = [None if edit.location is None else edit.location.casefold() for edit in edits]
    if len(places) > 1 and (None in places or len(set(places)) < len(places)):
        raise wrong("updates.levels", "Name a location once for each of the levels")
    return edits


def _level(place: str, given: Updates) -> SetValue | AdjustQuantity:
    amount, location = given.get("available"), given.get("location")
    strange = sorted(set(given) - {"available", "location", "levels"})
    if strange:
        raise wrong(f"{place}.{strange[0]}", "A level has a location and an available quantity")
    if isinstance(amount, bool) or not isinstance(amount, int | str):
        raise wrong(f"{place}.available", 'Write the available quantity as a number, or as "+5" or "-5" to adjust it')
    if location is not None and (not isinstance(location, str) or not location.strip()):
        raise wrong(f"{place}.location", "Write the location by its name")
    where = None if location is None else location.strip()
    edit: SetValue | AdjustQuantity = _told(
        f"{place}.available", lambda: parse_quantity_edit("available", str(amount), where)
    )
    return edit


def _metafields(updates: Updates, _currency: str) -> Iterable[Edit]:
    return [_metafield(name, given) for name, given in updates.items()]


def _metafield(written: str, given: Any) -> SetMetafield:
    place = f"updates.{written}"
    known = find_name(written.partition(":")[0]) is not None
    name, kind = split_type(written if known else f"metafield.{written}")
    if find_name(name) is None:
        raise wrong(place, f"{shortened(written)!r} is no metafield; write its namespace and key, like custom.material")
    field = get_editable(name)
    if isinstance(given, dict) and set(given) == {"type", "value"} and isinstance(given["type"], str):
        kind, given = given["type"], given["value"]
    if given is None:
        return SetMetafield(field.name, None)
    text = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
    edit: SetMetafield = _told(place, lambda: typed_edit(field, kind, text))
    return edit


_NAMES: Mapping[BatchOperation, Sequence[str]] = {
    BatchOperation.STATUS: ("status",),
    BatchOperation.TAGS: ("add", "remove", "replace"),
    BatchOperation.PRICE: ("price", "compare_at_price", "cost"),
    BatchOperation.INVENTORY: ("available", "location", "levels"),
    BatchOperation.DETAILS: ("vendor", "type"),
    BatchOperation.SEO: ("title", "description"),
    BatchOperation.COLLECTIONS: ("add", "remove"),
}
_READERS: Mapping[BatchOperation, Callable[[Updates, str], Iterable[Edit]]] = {
    BatchOperation.STATUS: _status,
    BatchOperation.TAGS: _tags,
    BatchOperation.PRICE: _price,
    BatchOperation.INVENTORY: _inventory,
    BatchOperation.DETAILS: _details,
    BatchOperation.SEO: _seo,
    BatchOperation.METAFIELDS: _metafields,
    BatchOperation.COLLECTIONS: _collections,
}
