"""Runs of the full sync on the command line, against the doubles of all tools."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from tests.main.cli.conftest import Run, Tools
from typer.testing import Result

from syncline.runtime.db.settings import DatabaseSettings

Said = Callable[[Result], Any]
PROGRAM = (sys.executable, "-m", "syncline.main", "outreach")


def begin(outreach: Run, *more: str) -> str:
    """A run that nobody works on: it waits in the queue."""
    done = outreach("outreach", "sync", "full_historical", "--no-wait", "--json", *more)
    assert done.exit_code == 0
    return str(json.loads(done.stdout)["jobId"])


def test_a_full_sync_shows_a_line_a_tool_and_counts_that_add_up(outreach: Run, tools: Tools) -> None:
    done = outreach("outreach", "sync", "full_historical")
    assert done.exit_code == 0
    assert "\x1b" not in done.stdout + done.stderr
    finished = [line.partition(":")[0] for line in done.stderr.splitlines() if "done in" in line]
    assert {"lemlist", "smartlead"} <= set(finished)
    assert "full_historical of all namespaces: completed" in done.stdout
    assert f"{tools.at_source:,} delivered, 0 waiting, 0 refused." in done.stdout


def test_json_is_one_document_and_its_counts_add_up(outreach: Run, tools: Tools, said: Said) -> None:
    run = said(outreach("outreach", "sync", "full_historical", "--json"))
    counts, each = run["counts"], run["platforms"]
    assert (run["status"], counts["created"]) == ("completed", tools.at_source)
    assert counts["read"] == counts["created"] + counts["known_before"]
    assert {name: one["done"] == one["chunks"] for name, one in each.items()} == {"lemlist": True, "smartlead": True}
    assert sum(one["read"] for one in each.values()) == counts["read"]
    assert (run["deliveries"]["delivered"], run["deliveries"]["open"]) == (tools.at_source, 0)
    again = said(outreach("outreach", "sync", "--json"))
    assert (again["mode"], again["counts"]["created"]) == ("delta_since_last", 0)
    assert again["counts"]["known_before"] == again["counts"]["read"]


def test_what_a_reset_read_is_counted_as_new_and_known_before(outreach: Run, said: Said) -> None:
    assert outreach("outreach", "sync", "full_historical").exit_code == 0
    run = said(outreach("outreach", "sync", "namespace_reset", "--json"))
    assert (run["status"], run["counts"]["removed"]) == ("completed", 0)
    assert (run["counts"]["created"], run["counts"]["known_before"]) == (0, run["counts"]["read"])
    shown = outreach("outreach", "status").stdout
    assert "namespace_reset of all namespaces: completed" in shown
    assert "known before" in shown


def test_one_day_of_one_tool(outreach: Run, said: Said) -> None:
    day = ("--since", "2026-10-01", "--until", "2026-10-01")
    run = said(outreach("outreach", "sync", "date_range", *day, "--platforms", "lemlist", "--json"))
    assert (run["status"], list(run["platforms"])) == ("completed", ["lemlist"])


def test_a_run_that_waits_says_for_what_and_is_seen_through_by_follow(outreach: Run, said: Said) -> None:
    job = begin(outreach)
    waits = outreach("outreach", "status", job).stdout
    assert "queued" in waits
    assert f"syncline outreach follow {job}" in waits
    refused = outreach("outreach", "sync", "--json")
    assert (refused.exit_code, said(refused)["code"], said(refused)["jobId"]) == (3, "SYNC_003", job)
    assert f"syncline outreach cancel {job}" in outreach("outreach", "sync").stderr
    followed = said(outreach("outreach", "follow", "--json"))
    assert (followed["jobId"], followed["status"]) == (job, "completed")


def test_a_run_is_cancelled_once(outreach: Run, said: Said) -> None:
    job = begin(outreach)
    cancelled = outreach("outreach", "cancel", job)
    assert (cancelled.exit_code, "was cancelled" in cancelled.stdout) == (0, True)
    again = outreach("outreach", "cancel", job)
    assert (again.exit_code, "had ended before: cancelled" in again.stdout) == (3, True)
    followed = outreach("outreach", "follow", job, "--json")
    assert (followed.exit_code, said(followed)["status"]) == (1, "cancelled")


def test_the_history_is_empty_then_listed_and_filtered(outreach: Run, said: Said) -> None:
    assert "No runs. Begin one with: syncline outreach sync" in outreach("outreach", "history").stdout
    job = begin(outreach)
    outreach("outreach", "cancel", job)
    other = begin(outreach, "--namespaces", "north")
    assert other in outreach("outreach", "history").stdout
    listed = said(outreach("outreach", "history", "--json"))["jobs"]
    assert [one["jobId"] for one in listed] == [other, job]
    cancelled = said(outreach("outreach", "history", "--status", "cancelled", "--json"))["jobs"]
    assert [one["jobId"] for one in cancelled] == [job]
    assert said(outreach("outreach", "history", "--mode", "date_range", "--json"))["jobs"] == []


def test_before_the_first_run_there_is_nothing_to_follow(outreach: Run) -> None:
    for name in ("status", "follow"):
        done = outreach("outreach", name)
        assert (done.exit_code, done.stdout) == (1, "")
        assert "begin one with `syncline outreach sync`" in done.stderr


WRONG: tuple[tuple[tuple[str, ...], int, str], ...] = (
    (("sync", "everything"), 2, "is none of full_historical, delta_since_last, date_range, namespace_reset"),
    (("sync", "--platforms", "hubspot"), 2, "is none of lemlist, smartlead"),
    (("sync", "--namespaces", "A B"), 2, "begin with a letter"),
    (("sync", "--since", "2024-01-01"), 2, "--since: Only MODE date_range takes it"),
    (("sync", "date_range", "--since", "2024-02-02", "--until", "2024-02-01"), 2, "--until: It lies before --since"),
    (("sync", "date_range", "--since", "yesterday", "--until", "2024-02-01"), 2, "Give a day like 2024-01-31"),
    (("sync", "--workers", "17"), 2, "--workers"),
    (("sync", "--batch-size", "0"), 2, "--batch-size"),
    (("status", "nope"), 1, "There is no sync job nope"),
    (("cancel", "5f1c0d0a-4be3-4f5f-9d1c-6a2b7e8f9a0b"), 1, "syncline outreach history"),
    (("history", "--status", "late"), 2, "--status"),
    (("reconcile", "--since", "2024-01-01"), 2, "--until: A range needs both ends"),
    (("connect", "hubspot", "--key", "k"), 2, "is none of lemlist, smartlead, mixpanel, attio"),
    (("connect", "mixpanel", "--key", "k"), 2, "project"),
    (("test", "attio"), 1, "syncline outreach connect attio"),
    (("keys", "hubspot", "c", "email_sent", "sam@example.com"), 2, "must be lemlist or smartlead"),
    (("keys", "lemlist", "c';--", "email_sent", "sam@example.com"), 2, "must not hold quotes"),
    (("keys", "lemlist", "c", "email_sent", "sam"), 2, "must be an e-mail address"),
    (("keys", "lemlist", "c", "email_sent", "sam@example.com", "--namespace", "A B"), 2, "must begin with a letter"),
)


def test_what_cannot_be_asked_is_said_with_nothing_on_standard_output(outreach: Run) -> None:
    for arguments, code, sentence in WRONG:
        done = outreach("outreach", *arguments)
        assert (arguments, done.exit_code, done.stdout) == (arguments, code, "")
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr


def test_without_a_connection_the_command_that_makes_one_is_said(on_database: Run, said: Said) -> None:
    assert "Connect one with: syncline outreach connect" in on_database("outreach", "connections").stdout
    refused = on_database("outreach", "sync", "--json")
    body = said(refused)
    assert (refused.exit_code, body["code"]) == (2, "SYNC_001")
    assert "`syncline outreach connect lemlist`" in body["error"]


def test_connections_are_listed_without_their_keys_and_taken_away(outreach: Run, tools: Tools, said: Said) -> None:
    told = outreach("outreach", "connections", "--json")
    assert [one["platform"] for one in said(told)["connections"]] == ["lemlist", "mixpanel", "smartlead"]
    shown = outreach("outreach", "connections").stdout
    for tool in ("lemlist", "smartlead", "mixpanel"):
        assert tools.options(tool)[2] not in told.stdout + shown
    assert "campaigns" in outreach("outreach", "test", "lemlist").stdout
    assert outreach("outreach", "disconnect", "lemlist").exit_code == 0
    assert "lemlist" not in outreach("outreach", "connections").stdout


def test_a_key_that_stopped_working_fails_the_run_with_what_to_do(outreach: Run, tools: Tools) -> None:
    tools.town.lemlist.key = "another"
    done = outreach("outreach", "sync")
    assert done.exit_code == 1
    assert "lemlist does not accept this API key" in done.stdout
    assert "failed" in done.stdout


def test_what_mixpanel_does_not_take_waits_and_is_exit_4(outreach: Run, tools: Tools) -> None:
    tools.town.mixpanel.project = replace(tools.town.mixpanel.project, password="another")
    run = outreach("outreach", "sync", "full_historical", "--json")
    told = json.loads(run.stdout)
    assert (run.exit_code, told["status"], "Traceback" in run.stderr) == (4, "completed", False)
    assert (told["deliveries"]["delivered"], told["deliveries"]["open"]) == (0, tools.at_source)
    assert told["deliveries"]["sentence"]


def test_a_key_of_an_event_is_the_same_each_time(outreach: Run, said: Said) -> None:
    asked = ("outreach", "keys", "lemlist", "cam_1", "email_sent", "sam@example.com", "--activity", "act_1")
    first, second = said(outreach(*asked, "--json")), said(outreach(*asked, "--json"))
    assert (first["is_new"], second["is_new"]) == (True, False)
    assert outreach(*asked).stdout.strip() == first["event_key"] == second["event_key"]


def test_a_moment_counts_as_iso_or_milliseconds(outreach: Run) -> None:
    asked = ("outreach", "keys", "smartlead", "7", "email_opened", "sam@example.com")
    iso = outreach(*asked, "--timestamp", "2024-01-01T00:00:00Z")
    assert iso.exit_code == 0
    assert iso.stdout == outreach(*asked, "--timestamp-ms", "1704067200000").stdout


def test_a_comparison_agrees_differs_and_is_mended(
    outreach: Run, tools: Tools, said: Said, database_settings: DatabaseSettings
) -> None:
    assert outreach("outreach", "sync", "full_historical").exit_code == 0
    agreed = outreach("outreach", "reconcile", "--read-back")
    assert (agreed.exit_code, f"agree on {tools.at_source:,} events" in agreed.stdout) == (0, True)
    with psycopg.connect(str(database_settings.admin_url), autocommit=True) as operator:
        first = "SELECT min(event_key) FROM outreach.event_source"
        operator.execute(f"DELETE FROM outreach.event_source WHERE event_key = ({first})")
    differs = outreach("outreach", "reconcile")
    assert differs.exit_code == 1
    assert "differ on 1 of" in differs.stdout
    assert "not stored" in differs.stdout
    mended = outreach("outreach", "reconcile", "--repair", "--json")
    assert (mended.exit_code, said(mended)["report"]["repaired"]["stored"]) == (1, 1)
    assert outreach("outreach", "reconcile", "--json").exit_code == 0


@pytest.mark.process
def test_an_interrupted_sync_says_how_it_goes_on_and_does(outreach: Run, tools: Tools, said: Said) -> None:
    tools.town.break_with(["lemlist:slow=3s"])
    with subprocess.Popen(
        [*PROGRAM, "sync", "full_historical"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        try:
            first = process.stderr.readline()
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert first.startswith(("planning", "lemlist", "smartlead"))
    assert (process.returncode, out) == (130, "")
    assert "see it through with: syncline outreach follow" in err
    assert "Traceback" not in err
    tools.town.lemlist.faults.clear()
    followed = said(outreach("outreach", "follow", "--json"))
    assert (followed["status"], followed["counts"]["created"]) == ("completed", tools.at_source)
