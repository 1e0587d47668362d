"""Edits of what collections hold: `collections=+summer,-winter`, by handle, of the products that a search finds."""

from __future__ import annotations

from dataclasses import dataclass

from syncline.apps.commerce.staging.quoted import split_list


@dataclass(frozen=True, slots=True)
class ChangeMembership:
    """Collections to put products into and to take them out of, by handle."""

    field: str
    add: tuple[str, ...]
    remove: tuple[str, ...]

    @property
    def handles(self) -> tuple[str, ...]:
        return (*self.add, *self.remove)


def parse_membership_edit(field: str, text: str) -> ChangeMembership:
    """Raises `ValueError` with a sentence that says what to write."""
    parts = [part.text for part in split_list(text) if part.text]
    if any(part[0] not in "+-" or not part[1:].strip() for part in parts):
        msg = "write + or - before each handle, like collections=+summer,-winter"
        raise ValueError(msg)
    add = tuple(dict.fromkeys(part[1:].strip().lower() for part in parts if part[0] == "+"))
    remove = tuple(dict.fromkeys(part[1:].strip().lower() for part in parts if part[0] == "-"))
    both = sorted(set(add) & set(remove))
    if both:
        msg = f"products cannot be put into {', '.join(both)} and taken out at once"
        raise ValueError(msg)
    return ChangeMembership(field, add, remove)


def describe_membership(edit: ChangeMembership) -> str:
    """`put into summer, taken out of winter`."""
    parts = [("put into", edit.add), ("taken out of", edit.remove)]
    return ", ".join(f"{verb} {', '.join(handles)}" for verb, handles in parts if handles)
