from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from syncline.runtime.audit.changes import note_change
from syncline.runtime.audit.origin import origin


@dataclass(frozen=True)
class Thing:
    name: str
    role: str


def told(*changes: dict[str, Any]) -> dict[str, Any]:
    with origin(None) as here:
        for change in changes:
            note_change(**change)
        return here.told()


def test_only_what_differs_is_kept() -> None:
    found = told({"subject": "x", "before": Thing("a", "viewer"), "after": Thing("a", "editor")})
    assert found == {"before": {"x": {"role": "viewer"}}, "after": {"x": {"role": "editor"}}, "details": {}}


def test_what_is_made_and_what_is_removed_is_told_whole() -> None:
    made, gone = {"subject": "new", "after": {"a": 1}}, {"subject": "old", "before": {"b": 2}}
    assert told(made, gone) == {"before": {"old": {"b": 2}}, "after": {"new": {"a": 1}}, "details": {"changes": 2}}


def test_what_changed_nothing_is_not_told() -> None:
    assert told({"subject": "x", "before": {"a": 1}, "after": {"a": 1}}) == {
        "before": None,
        "after": None,
        "details": {},
    }


@pytest.mark.parametrize(
    "name", ["token", "access_token", "client_secret", "password_hash", "token_sealed", "api_key", "digest", "seed"]
)
def test_a_secret_is_never_told(name: str) -> None:
    found = told({"subject": "x", "before": {name: "hunter2"}, "after": {name: "hunter3", "deep": {name: ["hunter4"]}}})
    assert "hunter" not in str(found)
    assert found["after"]["x"][name] == "(not shown)"


def test_bytes_are_never_told_and_absence_is() -> None:
    found = told({"subject": "x", "before": {"token": None}, "after": {"token": "t", "blob": b"hunter2"}})
    assert found["before"] == {"x": {"token": None}}
    assert found["after"] == {"x": {"token": "(not shown)", "blob": "(not shown)"}}


def test_a_bulk_change_is_counted_and_told_in_part() -> None:
    found = told(*({"subject": str(number), "after": {"n": number}} for number in range(250)))
    assert (len(found["after"]), found["details"]) == (100, {"changes": 250})


def test_what_is_neither_a_mapping_nor_a_dataclass_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="mapping or a dataclass"):
        told({"subject": "x", "after": "text"})


def test_outside_of_a_request_nothing_is_kept() -> None:
    note_change("x", after={"a": 1})
    assert told() == {"before": None, "after": None, "details": {}}
