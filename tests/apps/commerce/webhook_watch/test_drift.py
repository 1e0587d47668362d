"""What is to be done so that a store sends what it is to send, and nothing of somebody else's is touched."""

from __future__ import annotations

from syncline.apps.commerce.webhook_watch.drift import compare
from syncline.connectors.shopify.subscriptions import Subscription

OURS, THEIRS = "https://sync.example/api/webhooks/shopify", "https://other.example/hooks"


def at(number: int, topic: str, address: str = OURS, *, only: str | None = None) -> Subscription:
    return Subscription(number, topic, address, only, "2026-10")


def test_all_as_wanted_is_nothing_to_do() -> None:
    found = compare(["orders/create"], {"orders/create": 1}, OURS, [at(1, "orders/create")])
    assert (found.is_none, list(found.kept)) == (True, ["orders/create"])


def test_what_was_there_before_is_dropped_and_what_never_was_is_missing() -> None:
    found = compare(["orders/create", "orders/delete"], {"orders/create": 1}, OURS, [])
    assert (found.missing, found.dropped) == (["orders/create", "orders/delete"], ["orders/create"])


def test_ours_at_an_older_address_is_moved_and_not_made_twice() -> None:
    found = compare(["orders/create"], {"orders/create": 1}, OURS, [at(1, "orders/create", THEIRS)])
    assert (found.missing, list(found.moved)) == ([], ["orders/create"])


def test_a_second_one_of_ours_goes_and_the_plain_one_stays() -> None:
    both = [at(1, "orders/create", only="test:true"), at(2, "orders/create")]
    found = compare(["orders/create"], {}, OURS, both)
    assert (found.kept["orders/create"].id, [one.id for one in found.extra]) == (2, [1])


def test_somebody_else_s_are_left_alone() -> None:
    found = compare(["orders/create"], {"orders/create": 1}, OURS, [at(1, "orders/create"), at(9, "x/y", THEIRS)])
    assert found.is_none


def test_ours_that_is_not_wanted_any_more_goes() -> None:
    found = compare([], {"orders/create": 1}, OURS, [at(1, "orders/create", THEIRS), at(2, "carts/create")])
    assert {one.id for one in found.extra} == {1, 2}
