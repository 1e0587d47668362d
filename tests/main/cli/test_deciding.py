"""`syncline review` around the decision: count, select, note, assign, expire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from typer.testing import Result

Run = Callable[..., Result]
Said = Callable[[Result], Any]
NOWHERE = "01a20193-4e72-70e7-a846-5fae67bee546"


def test_counted_selected_noted_and_approved(pulled: Run, said: Said) -> None:
    pulled("change", "demo", "--where", "sku:SHIRT-S", "--set", "price=25", "--note", "as agreed")
    chosen = said(pulled("review", "select", "--store", "demo", "--status", "pending", "--json"))
    pulled("change", "demo", "--where", "sku:SHIRT-S", "--set", "price=26")
    counts = said(pulled("review", "count", "--by", "status", "--by", "kind", "--json"))
    assert (chosen["changes"], counts["total"], counts["groups"][0]["kind"]) == (1, 2, "variant")
    (change,) = said(pulled("review", "list", "--selection", chosen["id"], "--json"))["changes"]
    assert pulled("review", "note", "--selection", chosen["id"], "--text", "Looks right.").exit_code == 0
    shown = pulled("review", "notes", change["id"]).stdout
    assert ("as agreed" in shown, "Looks right." in shown) == (True, True)
    assert "1 changes do not expire" in pulled("review", "expire", "--selection", chosen["id"], "--never").stdout
    done = pulled("review", "approve", "--selection", chosen["id"])
    assert (done.exit_code, done.stdout[:17]) == (0, "1 change approved")
    assert "1 approved" in pulled("review", "selection", chosen["id"]).stdout
    assert "1 changes wait for nobody" in pulled("review", "assign", "--store", "demo", "--nobody").stdout


def test_the_rule_dates_what_is_staged(pulled: Run, said: Said) -> None:
    assert "in 14 days expires" in pulled("review", "rule", "--expire-after-days", "14").stdout
    pulled("change", "demo", "--where", "sku:SHIRT-S", "--set", "price=25")
    (change,) = said(pulled("review", "list", "--json"))["changes"]
    assert change["expires_at"] is not None
    assert "expires 20" in pulled("review", "show", change["id"]).stdout


REFUSED: tuple[tuple[tuple[str, ...], int, str], ...] = (
    (("count", "--store", "nope"), 1, "nope"),
    (("count", "--by", "colour"), 2, "colour"),
    (("select",), 2, "Say which changes"),
    (("selection", NOWHERE), 1, "make it again"),
    (("approve", "--selection", NOWHERE), 1, "make it again"),
    (("note", NOWHERE, "--text", "hm"), 3, "nothing was noted"),
    (("notes", NOWHERE), 1, "There is no staged change"),
    (("assign", NOWHERE), 2, "Say who is asked"),
    (("assign", NOWHERE, "--to", "x@example.com"), 2, "belongs to this tenant"),
    (("assign", NOWHERE, "--to", "x@example.com", "--nobody"), 2, "Say who is asked"),
    (("expire", NOWHERE), 2, "Say until when"),
    (("expire", NOWHERE, "--at", "2020-01-01"), 2, "between now and a year"),
)


def test_what_cannot_be_asked(pulled: Run) -> None:
    for arguments, code, sentence in REFUSED:
        done = pulled("review", *arguments)
        assert (arguments, done.exit_code, done.stdout) == (arguments, code, "")
        assert sentence in " ".join(done.stderr.split())
