"""Namespaces, webhook addresses and jobs of outreach on the command line, and runs that are watched."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.main.cli.conftest import Run, Tools
from typer.testing import Result

Said = Callable[[Result], Any]


def test_namespaces_are_made_listed_changed_and_counted(outreach: Run, said: Said) -> None:
    assert "No namespaces" in outreach("outreach", "namespaces", "list").stdout
    made = said(outreach("outreach", "namespaces", "create", "north", "--keyword", "Nord", "--keyword", "x", "--json"))
    assert (made["name"], made["keywords"], made["is_active"]) == ("north", ["Nord", "x"], True)
    match = ("outreach", "namespaces", "test-match", "nord: spring", "south", "--json")
    assert [one["namespace"] for one in said(outreach(*match))["matches"]] == ["north", "default"]
    changed = said(outreach("outreach", "namespaces", "update", "north", "--inactive", "--json"))
    assert (changed["is_active"], changed["keywords"]) == (False, ["Nord", "x"])
    assert [one["namespace"] for one in said(outreach(*match))["matches"]] == ["default", "default"]
    emptied = said(outreach("outreach", "namespaces", "update", "north", "--no-keywords", "--active", "--json"))
    assert (emptied["is_active"], emptied["keywords"]) == (True, [])
    assert "north" in outreach("outreach", "namespaces", "show", "north").stdout
    assert [one["name"] for one in said(outreach("outreach", "namespaces", "list", "--json"))["namespaces"]] == [
        "north"
    ]


def test_what_a_namespace_holds(outreach: Run, tools: Tools, said: Said) -> None:
    assert outreach("outreach", "sync", "full_historical").exit_code == 0
    held = said(outreach("outreach", "namespaces", "stats", "default", "--json"))
    assert held["events"] == sum(held["by_platform"].values()) == sum(held["by_type"].values()) == tools.at_source
    assert f"{tools.at_source:,} events" in outreach("outreach", "namespaces", "stats", "default").stdout


WRONG: tuple[tuple[tuple[str, ...], int, str], ...] = (
    (("namespaces", "create", "A B"), 2, "cannot name a namespace"),
    (("namespaces", "show", "nope"), 1, "nope"),
    (("namespaces", "update", "nope", "--inactive"), 1, "nope"),
    (("namespaces", "update", "nope"), 2, "Say what to change"),
    (("namespaces", "update", "nope", "--keyword", "a", "--no-keywords"), 2, "not both"),
    (("namespaces", "stats", "nope"), 1, "nope"),
    (("webhooks", "add", "hubspot"), 2, "lemlist"),
    (("webhooks", "add", "lemlist", "--url", "ftp://x"), 2, "begins with https://"),
    (("webhooks", "add", "lemlist", "--signing-secret", "s"), 2, "Only Smartlead signs"),
    (("webhooks", "remove", "nope"), 2, "WEBHOOK"),
    (("webhooks", "remove", "5f1c0d0a-4be3-4f5f-9d1c-6a2b7e8f9a0b"), 1, "There is no such webhook address"),
    (("jobs", "trigger", "nightly"), 1, "periodic_sync, mixpanel_sync"),
    (("jobs", "disable", "nightly"), 1, "periodic_sync, mixpanel_sync"),
)


def test_what_cannot_be_asked_is_said_with_nothing_on_standard_output(outreach: Run) -> None:
    for arguments, code, sentence in WRONG:
        done = outreach("outreach", *arguments)
        assert (arguments, done.exit_code, done.stdout) == (arguments, code, "")
        assert sentence in done.stderr


def test_an_address_is_made_shown_once_and_removed(outreach: Run, said: Said) -> None:
    assert "No addresses" in outreach("outreach", "webhooks", "list").stdout
    made = said(outreach("outreach", "webhooks", "add", "smartlead", "--signing-secret", "s3cret", "--json"))
    assert made["path"].startswith("/api/outreach/webhooks/receive/")
    listed = outreach("outreach", "webhooks", "list", "--json")
    (one,) = said(listed)["webhooks"]
    assert (one["id"], one["platform"], one["is_registered"]) == (made["webhook"]["id"], "smartlead", False)
    assert made["path"].rpartition("/")[2] not in listed.stdout
    assert "by hand" in outreach("outreach", "webhooks", "list").stdout
    assert outreach("outreach", "webhooks", "remove", one["id"]).exit_code == 0
    assert said(outreach("outreach", "webhooks", "list", "--json"))["webhooks"] == []


def test_a_tool_is_told_of_an_address_with_url(outreach: Run) -> None:
    done = outreach("outreach", "webhooks", "add", "lemlist", "--url", "https://syncline.example.com/")
    assert done.exit_code == 0
    assert "lemlist sends to https://syncline.example.com/api/outreach/webhooks/receive/" in done.stdout
    assert "by us" in outreach("outreach", "webhooks", "list").stdout


def test_jobs_are_turned_off_and_on_and_started(outreach: Run, said: Said) -> None:
    assert {one["name"] for one in said(outreach("outreach", "jobs", "status", "--json"))["jobs"]} == {
        "periodic_sync",
        "mixpanel_sync",
    }
    off = said(outreach("outreach", "jobs", "disable", "periodic_sync", "--json"))
    assert (off["is_enabled"], off["status"], off["next_run"]) == (False, "disabled", None)
    assert "disabled" in outreach("outreach", "jobs", "status").stdout
    assert said(outreach("outreach", "jobs", "enable", "periodic_sync", "--json"))["status"] == "healthy"
    started = said(outreach("outreach", "jobs", "trigger", "periodic_sync", "--json"))["started"]
    followed = said(outreach("outreach", "follow", "--json"))
    assert (followed["jobId"], followed["status"]) == (started, "completed")


def test_a_run_is_watched_from_its_beginning_to_its_end(outreach: Run, tools: Tools, said: Said) -> None:
    job = said(outreach("outreach", "sync", "full_historical", "--json"))["jobId"]
    room = f"outreach:{job}"
    seen = outreach("watch", room, "--after", "0", "--until-end", "--json")
    types = [one["type"] for one in map(json.loads, seen.stdout.splitlines()) if one.get("room") == room]
    assert (types[0], types[-1]) == ("operation_start", "operation_complete")
    assert {"operation_progress", "operation_log"} <= set(types)
    drawn = outreach("watch", room, "--after", "0", "--until-end").stdout
    assert "begins full_historical, asked for by" in drawn
    assert f", {tools.at_source:,} new. " in drawn.replace("\n", " ")
    assert "(lemlist " in drawn
