from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

from syncline.apps.commerce.contract import Commerce
from syncline.main.cli.workspace import open_workspace

Run = Callable[..., Result]
Said = Callable[[Result], Any]
NOWHERE = "019a2b3c-4d5e-7f60-8123-456789abcdef"


@pytest.fixture
def approved(pulled: Run, said: Said) -> str:
    """A batch that raises the prices of both shirts by one, approved."""
    batch = said(pulled("change", "demo", "--where", "vendor:acme", "--set", "price=+1", "--json"))
    assert pulled("review", "approve", "--batch", batch["id"]).exit_code == 0
    return str(batch["id"])


def begin() -> str:
    """A push that was begun by somebody whose worker is gone: it waits in the queue."""

    async def start() -> str:
        async with open_workspace(None) as here:
            return str((await here.contract(Commerce).start_push(actor=here.actor, store="demo")).id)

    return asyncio.run(start())


def test_approved_changes_are_sent(pulled: Run, approved: str, shop: Any) -> None:
    done = pulled("push", "demo")
    first, cost = done.stdout.splitlines()
    assert (done.exit_code, first) == (0, "2 changes to demo: 2 applied")
    assert cost.startswith("2 requests and ")
    assert done.stderr.startswith("changes: 2/2, 100 %")
    assert (shop.price("SHIRT-S"), shop.price("SHIRT-M")) == ("21.00", "23.00")


def test_what_a_push_saved_is_told(pulled: Run, approved: str, said: Said) -> None:
    pulled("push", "demo", "--batch", approved)
    (run,) = said(pulled("sync", "status", "--json"))["pushes"]
    saved = f"{100 * run['engine']['cost']['points_saved']:.0f} % of the points were saved"
    assert saved in pulled("sync", "status").stdout


def test_json_is_the_run(pulled: Run, approved: str, said: Said) -> None:
    run = said(pulled("push", "demo", "--batch", approved, "--json"))
    assert (run["status"], run["total"], run["counts"]) == ("completed", 2, {"applied": 2})


def test_a_conflict_is_exit_4_and_shown_with_the_stores_value(
    pulled: Run, approved: str, shop: Any, said: Said
) -> None:
    shop.reprice("SHIRT-S", "99.00")
    done = pulled("push", "demo")
    assert (done.exit_code, done.stdout.splitlines()[0]) == (4, "2 changes to demo: 1 applied, 1 conflict")
    assert "syncline review list --store demo --status conflict" in done.stdout.splitlines()[-1]
    listed = pulled("review", "list", "--status", "conflict")
    assert "20.00 → 21.00   (store: 99.00)" in listed.stdout
    settled = pulled("review", "resolve", "--batch", approved, "--using", "overwrite")
    assert settled.stdout == "1 conflicts settled by overwrite.\n"
    assert said(pulled("push", "demo", "--json"))["counts"] == {"applied": 1}
    assert shop.price("SHIRT-S") == "21.00"


def test_a_push_that_fails_is_exit_1_and_keeps_what_was_not_sent(
    pulled: Run, approved: str, shop: Any, said: Said
) -> None:
    shop.fail("token_revoked")
    done = pulled("push", "demo")
    assert done.exit_code == 1
    assert "2 changes are not written" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert said(pulled("review", "list", "--batches", "--json"))["batches"][0]["counts"] == {"approved": 2}


REFUSED: tuple[tuple[tuple[str, ...], int, str], ...] = (
    (("demo",), 3, "approve first"),
    (("demo", "--batch", NOWHERE), 1, "There is no batch"),
    (("demo", "--batch", "x"), 2, "--batch"),
    (("nope",), 1, "syncline stores list"),
)


def test_what_cannot_be_pushed(pulled: Run) -> None:
    for arguments, code, sentence in REFUSED:
        done = pulled("push", *arguments)
        assert (arguments, done.exit_code, done.stdout) == (arguments, code, "")
        assert sentence in done.stderr


def test_a_second_push_is_refused_or_joined(pulled: Run, approved: str, said: Said) -> None:
    run_id = begin()
    refused = pulled("push", "demo", "--json")
    assert (refused.exit_code, said(refused)["run_id"]) == (3, run_id)
    joined = pulled("push", "demo", "--wait")
    assert joined.exit_code == 0
    assert f"Joining {run_id}" in joined.stderr
    assert "2 applied" in joined.stdout


def test_a_batch_is_rolled_back_like_any_change(pulled: Run, approved: str, shop: Any, said: Said) -> None:
    pulled("push", "demo")
    done = pulled("rollback", approved, "--note", "too dear")
    assert done.exit_code == 0
    assert "21.00 → 20.00" in done.stdout
    _, _, commands = done.stdout.partition("Approve: syncline ")
    approve, _, push = commands.partition("\nThen:    syncline ")
    assert pulled(*approve.split()).exit_code == 0
    assert pulled(*push.split()).exit_code == 0
    assert (shop.price("SHIRT-S"), shop.price("SHIRT-M")) == ("20.00", "22.00")


def test_chosen_rows_are_rolled_back(pulled: Run, approved: str, said: Said) -> None:
    pulled("push", "demo")
    rows = [change["id"] for change in said(pulled("review", "list", "--batch", approved, "--json"))["changes"]]
    undo = said(pulled("rollback", approved, "--rows", f"{rows[0]}, {rows[1]}", "--json"))
    assert (undo["reverts"], undo["counts"]) == (approved, {"pending": 2})
    again = pulled("rollback", approved, "--rows", rows[1])
    assert (again.exit_code, f"1 already waiting with the same value, in batch {undo['id']}" in again.stderr) == (
        3,
        True,
    )
    pulled("review", "reject", "--batch", undo["id"])
    assert said(pulled("rollback", approved, "--rows", rows[1], "--json"))["counts"] == {"pending": 1}


def test_what_cannot_be_rolled_back(pulled: Run, approved: str) -> None:
    for arguments, code, sentence in (
        ((approved,), 3, "nothing to undo"),
        ((approved, "--rows", "x,y"), 2, "--rows takes the ids of changes"),
        ((approved, "--rows", NOWHERE), 1, "no applied change"),
        ((NOWHERE,), 1, "There is no batch"),
        (("x",), 2, "BATCH"),
    ):
        done = pulled("rollback", *arguments)
        assert (done.exit_code, done.stdout) == (code, "")
        assert sentence in done.stderr


def test_an_unknown_depth_is_exit_2(pulled: Run) -> None:
    done = pulled("reconcile", "demo", "--depth", "deep")
    assert done.exit_code == 2
    assert "use counts, ids or content" in done.stderr
