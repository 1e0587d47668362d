"""Which namespace a campaign goes to, and how namespaces may be called."""

from __future__ import annotations

import pytest

from syncline.apps.outreach.contract import BadNamespace, Namespace
from syncline.apps.outreach.namespaces.matching import checked_keywords, checked_name, match
from syncline.kernel import clock


def space(name: str, *keywords: str, is_active: bool = True) -> Namespace:
    now = clock.now()
    return Namespace(name, keywords, "", is_active=is_active, created_by="a", created_at=now, updated_at=now)


NORTH, SOUTH, OFF = space("north", "Nord", "north"), space("south", "south"), space("off", "east", is_active=False)


@pytest.mark.parametrize(
    ("campaign", "namespace", "keyword"),
    [
        ("Spring in the NORTH", "north", "north"),
        ("nordlicht", "north", "Nord"),
        ("South and north", "north", "north"),
        ("Southern", "south", "south"),
        ("Far east", "default", None),
        ("", "default", None),
    ],
)
def test_the_first_whose_keyword_stands_in_the_name(campaign: str, namespace: str, keyword: str | None) -> None:
    found = match(campaign, [OFF, NORTH, SOUTH])
    assert (found.namespace, found.keyword) == (namespace, keyword)


@pytest.mark.parametrize("name", ["a", "load_test_3", "north-2", "x" * 63])
def test_names_that_are_right(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize("name", ["", "North", "3rd", "_a", "a b", "a;b", "a'b", "a--b'", "ä", "x" * 64, "a\0", "a\n"])
def test_names_that_are_not(name: str) -> None:
    with pytest.raises(BadNamespace, match="cannot name a namespace") as refused:
        checked_name(name, field="namespace")
    assert [wrong.field for wrong in refused.value.fields] == ["namespace"]


def test_keywords_are_trimmed_and_stand_once() -> None:
    assert checked_keywords([" nord", "nord ", "süd"]) == ["nord", "süd"]


@pytest.mark.parametrize("keywords", [[""], ["  "], ["x" * 101], ["a\0"], ["a\nb"], [f"k{n}" for n in range(51)]])
def test_keywords_that_are_refused(keywords: list[str]) -> None:
    with pytest.raises(BadNamespace):
        checked_keywords(keywords)
