from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

from syncline.apps.commerce.contract import Commerce, PullMode
from syncline.apps.commerce.pull.service import PULL_STREAMS
from syncline.main.cli.workspace import open_workspace

Run = Callable[..., Result]
Said = Callable[[Result], Any]


def begin() -> str:
    """A pull that was begun by somebody whose worker is gone: it waits in the queue."""

    async def start() -> str:
        async with open_workspace(None) as here:
            mode = PullMode.FULL
            return str((await here.contract(Commerce).start_pull(actor=here.actor, store="demo", mode=mode)).id)

    return asyncio.run(start())


def test_a_pull_shows_its_progress_and_proves_itself(connected: Run) -> None:
    done = connected("pull", "demo")
    assert done.exit_code == 0
    # Not a terminal: one line a stream, on standard error.
    lines = done.stderr.splitlines()
    assert [line for line in lines if line.startswith("products: 27/27, 100 %")]
    assert [line for line in lines if line.startswith("inventory: 17/17, 100 %")]
    assert "\x1b" not in done.stderr + done.stdout
    assert "Reconciliation by counts" in done.stdout
    assert "Store and mirror agree: " in done.stdout


def test_json_is_one_document_without_progress(connected: Run, said: Said) -> None:
    run = said(connected("pull", "demo", "--json"))
    assert (run["mode"], run["status"], run["reconciliation"]["agreed"]) == ("incremental", "completed", True)
    streams = {stream["stream"]: stream for stream in run["streams"]}
    assert list(streams) == list(PULL_STREAMS)
    read = {name: (streams[name]["read"], streams[name]["inserted"]) for name in ("products", "inventory")}
    assert read == {"products": (27, 27), "inventory": (17, 17)}
    assert streams["products"]["records_per_second"] == pytest.approx(27 / streams["products"]["seconds"])
    assert run["read"] == sum(stream["read"] for stream in run["streams"])
    assert {kind["agrees"] for kind in run["reconciliation"]["kinds"]} == {True}
    again = said(connected("pull", "demo", "--full", "--json"))
    assert [(one["unchanged"], one["updated"]) for one in again["streams"][:2]] == [(27, 0), (17, 0)]


def test_some_streams_by_a_path_of_ones_own(connected: Run, said: Said) -> None:
    run = said(connected("pull", "demo", "--only", "products", "--path", "bulk", "--json"))
    assert [(stream["stream"], stream["path"]) for stream in run["streams"]] == [("products", "bulk")]
    assert [kind["kind"] for kind in run["reconciliation"]["kinds"]] == ["product", "variant"]


REFUSED: tuple[tuple[tuple[str, ...], int, str], ...] = (
    (("demo", "--only", "reviews"), 2, "the streams are products, inventory"),
    (("demo", "--path", "quick"), 2, "bulk"),
    ((), 2, "STORE"),
    (("nope",), 1, "syncline stores list"),
    (("demo", "--cancel"), 3, "No pull of demo is running"),
)


def test_what_cannot_be_asked(connected: Run) -> None:
    for arguments, code, sentence in REFUSED:
        done = connected("pull", *arguments)
        assert (arguments, done.exit_code, done.stdout) == (arguments, code, "")
        assert sentence in done.stderr


def test_a_second_pull_is_refused_with_the_first_ones_id(connected: Run, said: Said) -> None:
    run_id = begin()
    refused = connected("pull", "demo")
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert run_id in refused.stderr
    assert "syncline pull demo --wait" in refused.stderr
    as_json = connected("pull", "demo", "--json")
    body = said(as_json)
    assert (as_json.exit_code, body["code"], body["run_id"]) == (3, "PULL_003", run_id)


def test_wait_joins_it_and_sees_it_through(connected: Run) -> None:
    run_id = begin()
    joined = connected("pull", "demo", "--wait")
    assert joined.exit_code == 0
    assert f"Joining {run_id}" in joined.stderr
    assert "Store and mirror agree: " in joined.stdout


def test_a_pull_that_is_running_can_be_cancelled(connected: Run, said: Said) -> None:
    run_id = begin()
    cancelled = said(connected("pull", "demo", "--cancel", "--json"))
    assert (cancelled["id"], cancelled["status"]) == (run_id, "cancelled")
    assert connected("pull", "demo").exit_code == 0


def test_a_pull_that_fails_is_exit_1_with_the_sentence(connected: Run, shop: Any, said: Said) -> None:
    shop.fail("token_revoked")
    done = connected("pull", "demo")
    assert done.exit_code == 1
    assert "access token" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    as_json = connected("pull", "demo", "--json")
    assert as_json.exit_code == 1
    assert "access token" in said(as_json)["error"]


@pytest.mark.process
def test_an_interrupted_pull_ends_soon_and_is_taken_up_again(connected: Run, shop: Any, said: Said) -> None:
    shop.fail("slow=2s")
    command = [sys.executable, "-m", "syncline.main", "pull", "demo"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            first = process.stderr.readline()  # the first progress line: it is at work
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert first.startswith(tuple(PULL_STREAMS))
    assert (process.returncode, out) == (130, "")
    assert "The same command with --wait goes on from there" in err
    assert "Traceback" not in err
    shop.do(lambda _: shop.app.state.engine.world.faults.clear())
    run = said(connected("pull", "demo", "--json"))
    assert run["code"] == "PULL_003"
    joined = connected("pull", "demo", "--wait")
    assert joined.exit_code == 0
    assert "Store and mirror agree: " in joined.stdout
