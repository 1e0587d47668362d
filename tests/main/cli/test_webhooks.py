from __future__ import annotations

from collections.abc import Callable
from typing import Any

from typer.testing import Result

Run = Callable[..., Result]
Said = Callable[[Result], Any]
HERE = "http://127.0.0.1:9"
NOWHERE = "01a20193-4e72-70e7-a846-5fae67bee546"


def test_register_list_check_and_remove(connected: Run, said: Said) -> None:
    made = said(connected("webhooks", "register", "demo", "--url", HERE, "--topic", "products/update", "--json"))
    assert made["address"] == f"{HERE}/api/webhooks/shopify"
    assert [(one["topic"], one["state"]) for one in made["subscriptions"]] == [("products/update", "active")]
    whole = connected("webhooks", "register", "--url", HERE)
    assert whole.exit_code == 0
    assert "orders/create" in whole.stdout
    assert "inventory_levels/update" in connected("webhooks", "list", "demo").stdout
    checked = said(connected("webhooks", "check", "demo", "--json"))
    assert (checked["changed"], checked["refused"]) == (0, {})
    asked = said(connected("webhooks", "remove", "demo", "--json"))
    assert asked == {"removed": 0, "would_remove": checked["kept"]}
    assert said(connected("webhooks", "remove", "demo", "--yes", "--json")) == {"removed": checked["kept"]}
    assert "not registered" in connected("webhooks", "list").stdout


def test_what_cannot_be_registered_says_what_to_do(connected: Run) -> None:
    refused = connected("webhooks", "register", "demo", "--url", "http://shop.example")
    assert refused.exit_code == 2
    assert "https://" in refused.stderr
    assert connected("webhooks", "register", "demo", "--url", HERE, "--topic", "carts/create").exit_code == 2
    assert connected("webhooks", "check", "demo").exit_code == 3
    assert connected("webhooks", "register", "winter", "--url", HERE).exit_code != 0


def test_nothing_came_and_nothing_was_missed(pulled: Run, said: Said) -> None:
    assert said(pulled("webhooks", "events", "--json")) == {"events": [], "total": 0}
    assert said(pulled("webhooks", "stats", "--json"))["received"] == 0
    assert said(pulled("webhooks", "retry", "--failed", "--json")) == {"retried": 0, "left": 0}
    found = said(pulled("webhooks", "reconcile", "demo", "--hours", "1", "--json"))
    assert (found["missed"], found["cause"]) == (0, "by hand")
    assert len(said(pulled("webhooks", "reconcile", "--last", "--json"))["catch_ups"]) == 1
    assert said(pulled("privacy", "requests", "--json")) == {"requests": []}


def test_a_webhook_nobody_knows(connected: Run) -> None:
    for arguments in (("show",), ("diff",), ("retry",), ("mark-failed",)):
        done = connected("webhooks", *arguments, NOWHERE)
        assert done.exit_code != 0
        assert NOWHERE in done.stderr
    assert connected("webhooks", "retry").exit_code == 2
    assert connected("webhooks", "retry", NOWHERE, "--failed").exit_code == 2
    assert connected("privacy", "complete", NOWHERE).exit_code != 0
