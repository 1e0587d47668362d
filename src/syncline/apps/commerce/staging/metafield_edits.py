"""Edits of metafields: `metafield.custom.material=Wool`, `metafield.custom.fit:boolean=true`, `...=none`."""

from __future__ import annotations

import json
from dataclasses import dataclass

from syncline.apps.commerce.fields import AnyValue, Field, get_field
from syncline.apps.commerce.metafield_text import check_type, parse_metafield
from syncline.apps.commerce.metafields import OBJECTS, Metafield, find_name
from syncline.apps.commerce.staging.quoted import split_list, unquoted


@dataclass(frozen=True, slots=True)
class SetMetafield:
    """The metafield becomes `text`, read in the type it has on each record; None deletes it. `type` is for records that
    have none: said in the edit (`is_said`) or found elsewhere in the store."""

    field: str
    text: str | None
    type: str | None = None
    is_said: bool = False


def split_type(written: str) -> tuple[str, str | None]:
    """`metafield.custom.fit:boolean` is the field and its type; any other name has none."""
    name, colon, kind = written.rpartition(":")
    return (name, kind) if colon and find_name(name) is not None else (written, None)


def parse_metafield_edit(field: Field, kind: str | None, text: str) -> SetMetafield:
    """Raises `ValueError` with a sentence that says what to write."""
    if text.lower() == "none":
        if kind is not None:
            msg = f"what is deleted needs no type; write {field.name}=none"
            raise ValueError(msg)
        return SetMetafield(field.name, None)
    return typed_edit(field, kind, text)


def typed_edit(field: Field, kind: str | None, text: str) -> SetMetafield:
    """`text` is checked where its type is said. Raises `ValueError`."""
    if kind is not None:
        typed(check_type(kind), text)
    return SetMetafield(field.name, text, kind, is_said=kind is not None)


def typed(kind: str, text: str) -> Metafield:
    """`text` as a metafield of that type. Quotes around a text are taken off; a list may be written with commas between
    its members. Raises `ValueError`."""
    if kind.startswith("list.") and not text.startswith("["):
        text = json.dumps([part.text for part in split_list(text) if part.text])
    elif kind not in OBJECTS:
        text = unquoted(text)
    return {"type": kind, "value": parse_metafield(kind, text)}


def metafield_after(edit: SetMetafield, held: AnyValue) -> Metafield | None:
    """What the edit makes of what a record holds. Raises `ValueError`."""
    if edit.text is None:
        return None
    label = get_field(edit.field).label
    kind = held["type"] if isinstance(held, dict) else edit.type
    if kind is None:
        msg = (
            f"the type of the {label} cannot be told from this store; say it, like "
            f"{edit.field}:single_line_text_field={edit.text}"
        )
        raise ValueError(msg)
    if edit.is_said and kind != edit.type:
        msg = f"the {label} is a {kind} here, not a {edit.type}; leave the type out"
        raise ValueError(msg)
    return typed(kind, edit.text)
