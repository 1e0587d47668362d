from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

Run = Callable[..., Result]
Said = Callable[[Result], Any]
NOWHERE = "019a2b3c-4d5e-7f60-8123-456789abcdef"


@pytest.fixture
def staged(pulled: Run, said: Said) -> tuple[str, list[str]]:
    """A batch of fourteen price changes, and their ids."""
    batch = said(pulled("change", "demo", "--set", "price=+1", "--note", "[b]spring[/b]", "--json"))
    listed = said(pulled("review", "list", "--batch", batch["id"], "--json"))
    return batch["id"], [change["id"] for change in listed["changes"]]


def counts(run: Run, said: Said) -> Any:
    return said(run("review", "list", "--batches", "--json"))["batches"][0]["counts"]


def test_changes_are_listed_a_page_at_a_time(pulled: Run, staged: Any, said: Said) -> None:
    whole = pulled("review", "list")
    assert (whole.exit_code, whole.stdout.count(" → ")) == (0, 15)  # with the heading
    assert "14 in all, page 1 of 1" in whole.stdout
    assert "[red]Linen[/red] Shirt / S [SHIRT-S]" in whole.stdout
    second = pulled("review", "list", "--page", "2", "--limit", "10")
    assert "14 in all, page 2 of 2" in second.stdout
    assert second.stdout.count(" → ") == 5
    body = said(pulled("review", "list", "--page", "3", "--limit", "10", "--json"))
    assert body == {"changes": [], "total": 14}


def test_lists_are_narrowed(pulled: Run, staged: Any, said: Said) -> None:
    pulled("review", "approve", "--where", "sku:SHIRT-S")
    for arguments, total in (
        (("--status", "approved"), 1),
        (("--status", "approved", "--status", "pending"), 14),
        (("--store", "demo", "--where", "vendor:acme"), 2),
        (("--where", "-vendor:acme field:price"), 12),
        (("--store", "sandbox-supply.myshopify.com"), 14),
    ):
        assert said(pulled("review", "list", *arguments, "--json"))["total"] == total
    assert pulled("review", "list", "--where", "vendor:nobody").stdout == "No staged change matches.\n"


def test_batches_are_listed(pulled: Run, staged: Any) -> None:
    done = pulled("review", "list", "--batches", "--store", "demo")
    assert staged[0] in done.stdout
    assert "price raised by 1" in done.stdout
    assert "14 pending" in done.stdout


def test_one_change_is_shown_whole(pulled: Run, staged: Any, said: Said) -> None:
    done = pulled("review", "show", staged[1][0])
    for part in ("20.00 → 21.00", "staged by ", "[b]spring[/b]", "[red]Linen[/red] Shirt"):
        assert part in done.stdout
    assert said(pulled("review", "show", staged[1][0], "--json"))["after"] == {"price": "21.00"}


def test_changes_are_approved_and_rejected(pulled: Run, staged: Any, said: Said) -> None:
    batch, ids = staged
    one = pulled("review", "approve", *ids[:2])
    assert one.stdout == "2 changes approved. Send them: syncline push STORE\n"
    assert said(pulled("review", "reject", "--batch", batch, "--where", "sku:MUG-*", "--json")) == {
        "rejected": 12,
        "put_back": [],
    }
    assert counts(pulled, said) == {"approved": 2, "rejected": 12}
    assert pulled("review", "reject", "--all", "--note", "none of it").stdout == "2 changes rejected.\n"
    assert "none of it" in pulled("review", "show", ids[0]).stdout


@pytest.mark.parametrize("command", ["approve", "reject", "resolve"])
def test_nothing_named_is_nothing_moved(pulled: Run, staged: Any, said: Said, command: str) -> None:
    more = ("--using", "skip") if command == "resolve" else ()
    for arguments in ((), ("--where", "  "), ("--note", "x")[: 0 if more else 2]):
        done = pulled("review", command, *arguments, *more)
        assert (done.exit_code, done.stdout) == (2, "")
        assert "--all" in done.stderr
    assert counts(pulled, said) == {"pending": 14}


REFUSED: tuple[tuple[tuple[str, ...], int, str], ...] = (
    (("approve", "no-id"), 2, "a valid UUID"),
    (("approve", NOWHERE), 3, "No staged change matches"),
    (("approve", "--store", "nope"), 1, "No store is called nope"),
    (("approve", "--batch", NOWHERE), 1, "There is no batch"),
    (("approve", "--where", "vendr:x"), 2, "Did you mean vendor?"),
    (("resolve", "--all", "--using", "skip"), 3, "it is 14 pending"),
    (("resolve", "--all"), 2, "--using"),
    (("resolve", "--all", "--using", "guess"), 2, "guess"),
    (("show", NOWHERE), 1, "There is no staged change"),
    (("list", "--status", "new"), 2, "new"),
    (("list", "--page", "0"), 2, "--page"),
    (("list", "--batch", NOWHERE), 1, "There is no batch"),
    (("list", "--store", "nope"), 1, "No store is called nope"),
)


def test_what_cannot_be_asked(pulled: Run, staged: Any, said: Said) -> None:
    for arguments, code, sentence in REFUSED:
        done = pulled("review", *arguments)
        assert (arguments, done.exit_code, done.stdout) == (arguments, code, "")
        assert sentence in done.stderr
    assert counts(pulled, said) == {"pending": 14}


def test_the_author_may_not_approve_where_the_rule_is_on(
    pulled: Run, staged: Any, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNCLINE_COMMERCE_AUTHOR_MAY_APPROVE", "false")
    done = pulled("review", "approve", "--batch", staged[0])
    assert (done.exit_code, counts(pulled, said)) == (3, {"pending": 14})
    assert "somebody else has to approve" in done.stderr
