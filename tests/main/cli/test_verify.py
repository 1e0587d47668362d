from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from typer.testing import Result

Run = Callable[..., Result]
Said = Callable[[Result], Any]


@contextmanager
def serving() -> Iterator[str]:
    """`syncline serve` with the settings of the test; its address."""
    command = [sys.executable, "-m", "syncline.main", "serve", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ.copy()) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["url"]
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)
        finally:
            process.kill()


def verdicts(body: Any, group: str) -> dict[str, str]:
    return {one["what"]: one["verdict"] for one in body["findings"] if one["group"] == group}


@pytest.mark.process
def test_an_installation_that_runs_is_exit_0_here_and_from_elsewhere(pulled: Run, said: Said) -> None:
    assert pulled("schedule", "add", "demo", "--every", "1h").exit_code == 0
    with serving() as url:
        here = pulled("verify", "--url", url, "--reconcile", "counts", "--json")
        key = said(pulled("keys", "create", "--role", "owner", "--json"))["key"]
        there = pulled("verify", "--url", url, "--key", key, "--reconcile", "counts", "--json")
        table = pulled("verify", "--url", url)
    body = said(here)
    assert (here.exit_code, there.exit_code, body["success"]) == (0, 0, True)
    assert set(verdicts(body, "components").values()) == {"ok"}
    assert verdicts(body, "endpoints")["GET /api/shopify/stores"] == "ok"
    assert verdicts(body, "integrity")["demo: products have variants"] == "ok"
    stores = {"demo: last pull": "ok", "demo: last reconciliation": "ok", "demo: fresh reconciliation": "ok"}
    assert verdicts(body, "stores") == verdicts(said(there), "stores") == stores
    assert verdicts(body, "schedules") == {"demo: pull, every 1h": "ok"}
    assert verdicts(said(there), "integrity")["demo: products have variants"] == "ok"
    assert re.search(r"demo: \d+ rules hold", table.stdout)
    assert "All is well." in table.stdout
    keys = said(pulled("keys", "list", "--json"))["keys"]
    assert [one["name"] for one in keys] == ["command line"]


def test_without_a_worker_it_is_exit_1_and_says_what_to_start(pulled: Run) -> None:
    done = pulled("verify", "--patience", "1")
    assert done.exit_code == 1
    assert "syncline serve" in done.stdout
    assert "Not well." in done.stdout


def test_a_database_that_is_away_is_one_failure_and_not_a_traceback(run: Run, monkeypatch: Any, said: Said) -> None:
    monkeypatch.setenv("SYNCLINE_DATABASE_URL", "postgresql://me@127.0.0.1:1/x")
    done = run("verify", "--json")
    assert (done.exit_code, [one["verdict"] for one in said(done)["findings"]]) == (1, ["fail"])


def test_a_server_that_is_away_is_one_failure(run: Run, said: Said) -> None:
    done = run("verify", "--url", "http://127.0.0.1:1", "--key", "sk_x", "--json")
    assert (done.exit_code, verdicts(said(done), "endpoints")) == (1, {"/live": "fail"})


REFUSED = (
    (("--reconcile", "deeply"), "counts, ids or content"),
    (("--key", "sk_x"), "--url"),
    (("--url", "127.0.0.1:8080"), "http://127.0.0.1:8080"),
)


@pytest.mark.parametrize(("arguments", "sentence"), REFUSED)
def test_what_cannot_be_asked(run: Run, arguments: tuple[str, ...], sentence: str) -> None:
    done = run("verify", *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert sentence in done.stderr
