"""Attribute values: what may be written, in its short and its long form, and what is read back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_DOMAIN = re.compile(r"[^@\s/]+\.[^@\s/]+")


@dataclass(frozen=True, slots=True)
class Attribute:
    slug: str
    type: str
    is_unique: bool = False
    is_multiselect: bool = False


OBJECTS: Mapping[str, Mapping[str, Attribute]] = {
    name: {one.slug: one for one in attributes}
    for name, attributes in {
        "people": (
            Attribute("name", "personal-name"),
            Attribute("email_addresses", "email-address", is_unique=True, is_multiselect=True),
            Attribute("description", "text"),
            Attribute("job_title", "text"),
            Attribute("linkedin", "text"),
            Attribute("company", "record-reference"),
        ),
        "companies": (
            Attribute("name", "text"),
            Attribute("domains", "domain", is_unique=True, is_multiselect=True),
            Attribute("description", "text"),
        ),
    }.items()
}
"""The standard attributes that are served; a workspace adds its own."""


class NotAValue(ValueError):
    """What was sent does not fit the attribute."""


def written(attribute: Attribute, sent: Any) -> list[dict[str, Any]]:
    """One value or a list of them, normalised as Attio keeps it. Raises `NotAValue`."""
    several = sent if isinstance(sent, list) else [] if sent is None else [sent]
    if len(several) > 1 and not attribute.is_multiselect:
        raise NotAValue(f'Attribute "{attribute.slug}" takes a single value.')
    read = _READERS[attribute.type]
    kept: list[dict[str, Any]] = []
    for one in several:
        kept = joined(kept, [{**read(attribute, one), "attribute_type": attribute.type}])
    return kept


def joined(first: list[dict[str, Any]], then: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of `first`, then those of `then` that are not there yet, however they were spelt."""
    present = [_meant(value) for value in first]
    return first + [value for value in then if _meant(value) not in present]


def _meant(value: dict[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in value.items() if name != "original_email_address"}


def key(attribute: Attribute, value: Mapping[str, Any]) -> str:
    """What a unique attribute is compared by."""
    return str(value[{"email-address": "email_address", "domain": "domain"}.get(attribute.type, "value")])


def _name(attribute: Attribute, sent: Any) -> dict[str, Any]:
    if isinstance(sent, str):
        last, comma, first = sent.partition(", ")
        if not comma:
            first, _, last = sent.partition(" ")
        return {"first_name": first, "last_name": last, "full_name": f"{first} {last}".strip()}
    names = ("first_name", "last_name", "full_name")
    if not isinstance(sent, dict) or not all(isinstance(sent.get(name), str) for name in names):
        raise NotAValue(f'Attribute "{attribute.slug}" takes first_name, last_name and full_name, or "Last, First".')
    return {name: sent[name] for name in names}


def _email(attribute: Attribute, sent: Any) -> dict[str, Any]:
    text = sent.get("email_address") if isinstance(sent, dict) else sent
    if not isinstance(text, str) or not _ADDRESS.fullmatch(text.strip()):
        raise NotAValue(f'An invalid value was passed to attribute with slug "{attribute.slug}".')
    address = text.strip().lower()
    local, _, domain = address.partition("@")
    return {
        "original_email_address": text,
        "email_address": address,
        "email_domain": domain,
        "email_root_domain": ".".join(domain.split(".")[-2:]),
        "email_local_specifier": local,
    }


def _domain(attribute: Attribute, sent: Any) -> dict[str, Any]:
    text = sent.get("domain") if isinstance(sent, dict) else sent
    if not isinstance(text, str) or not _DOMAIN.fullmatch(text.strip()):
        raise NotAValue(f'An invalid value was passed to attribute with slug "{attribute.slug}".')
    domain = text.strip().lower()
    return {"domain": domain, "root_domain": ".".join(domain.split(".")[-2:])}


def _text(attribute: Attribute, sent: Any) -> dict[str, Any]:
    text = sent.get("value") if isinstance(sent, dict) else sent
    if not isinstance(text, str):
        raise NotAValue(f'Attribute "{attribute.slug}" takes a string.')
    return {"value": text}


def _number(attribute: Attribute, sent: Any) -> dict[str, Any]:
    number = sent.get("value") if isinstance(sent, dict) else sent
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise NotAValue(f'Attribute "{attribute.slug}" takes a number.')
    return {"value": number}


def _reference(attribute: Attribute, sent: Any) -> dict[str, Any]:
    if not isinstance(sent, dict) or not {"target_object", "target_record_id"} <= set(sent):
        raise NotAValue(f'Attribute "{attribute.slug}" takes target_object and target_record_id.')
    return {"target_object": sent["target_object"], "target_record_id": sent["target_record_id"]}


_READERS = {
    "personal-name": _name,
    "email-address": _email,
    "domain": _domain,
    "text": _text,
    "timestamp": _text,
    "number": _number,
    "record-reference": _reference,
}
TYPES = tuple(_READERS)
