from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from typer.testing import Result

from syncline.kernel.ids import new_id
from syncline.runtime.db.settings import DatabaseSettings

Run = Callable[..., Result]
Said = Callable[[Result], Any]
NOWHERE = "01a20193-4e72-70e7-a846-5fae67bee546"


@pytest.fixture
def bury(database_settings: DatabaseSettings) -> Callable[..., dict[str, str]]:
    """A job and an event that were given up; their ids by kind."""

    def make(job: str = "commerce.pull_stream") -> dict[str, str]:
        letters = {"job": str(new_id()), "event": str(new_id())}
        run = json.dumps({"run_id": NOWHERE, "stream": "products", "tenant_id": None})
        with psycopg.connect(str(database_settings.admin_url), autocommit=True) as connection:
            connection.execute(
                "INSERT INTO jobs.dead_letter (id, job_id, job, payload, priority, attempts, reason, first_at, last_at)"
                " VALUES (%s, 1, %s, %s, 3, 8, 'The shop is on fire.', now() - interval '1 day', now())",
                (letters["job"], job, run),
            )
            connection.execute(
                "INSERT INTO bus.dead_letter (id, handler, event_id, name, occurred_at, payload, attempts, reason,"
                " first_at, last_at) VALUES (%s, 'mail.tell', %s, 'commerce.PullFinished', now(), '{}', 8, 'No post.',"
                " now(), now())",
                (letters["event"], new_id()),
            )
        return letters

    return make


@pytest.fixture
def count(database_settings: DatabaseSettings) -> Callable[[str], int]:
    def rows(table: str) -> int:
        with psycopg.connect(str(database_settings.admin_url), autocommit=True) as connection:
            row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        assert row is not None
        return int(row[0])

    return rows


def test_none_is_said(on_database: Run, said: Said) -> None:
    assert "nothing was given up" in on_database("dead-letters", "list").stdout
    assert "None of what you asked for" in on_database("dead-letters", "list", "--name", "push").stdout
    assert said(on_database("dead-letters", "list", "--json")) == {"letters": [], "total": 0}


def test_they_are_listed_and_shown(on_database: Run, bury: Any, said: Said) -> None:
    letters = bury()
    listed = on_database("dead-letters", "list").stdout
    for words in (*letters.values(), "commerce.pull_stream", "The shop is on fire.", "No post.", "for mail.tell"):
        assert words in listed
    only = said(on_database("dead-letters", "list", "--kind", "event", "--json"))
    assert [letter["id"] for letter in only["letters"]] == [letters["event"]]
    shown = said(on_database("dead-letters", "show", letters["job"], "--json"))
    assert (shown["attempts"], shown["payload"]["stream"]) == (8, "products")
    assert '"stream": "products"' in on_database("dead-letters", "show", letters["job"]).stdout
    assert "and 1 more" in on_database("dead-letters", "list", "--limit", "1").stdout


def test_a_retried_one_is_enqueued_once(on_database: Run, bury: Any, count: Any, said: Said) -> None:
    letters = bury()
    assert said(on_database("dead-letters", "retry", letters["job"], "--json")) == {"retried": 1}
    assert said(on_database("dead-letters", "retry", letters["job"], "--json")) == {"retried": 0}
    assert count("jobs.pgqueuer") == 1
    assert said(on_database("dead-letters", "retry", "--all", "--json")) == {"retried": 1}
    assert count("bus.delivery") == 1
    assert said(on_database("dead-letters", "list", "--json"))["total"] == 0
    assert said(on_database("dead-letters", "list", "--retried", "--json"))["total"] == 2


def test_discarded_ones_are_gone(on_database: Run, bury: Any, count: Any, said: Said) -> None:
    letters = bury()
    refused = on_database("dead-letters", "discard", letters["job"], stdin="n\n")
    assert (refused.exit_code, count("jobs.dead_letter")) == (1, 1)
    assert said(on_database("dead-letters", "discard", letters["job"], "--yes", "--json")) == {"discarded": 1}
    assert (count("jobs.dead_letter"), count("bus.dead_letter")) == (0, 1)
    assert said(on_database("dead-letters", "discard", "--all", "--kind", "job", "--yes", "--json")) == {"discarded": 0}
    assert said(on_database("dead-letters", "discard", "--all", "--yes", "--json")) == {"discarded": 1}
    assert count("jobs.pgqueuer") == 0


def test_a_job_of_another_version_is_refused_and_stays(on_database: Run, bury: Any, count: Any) -> None:
    letters = bury("commerce.gone_since")
    done = on_database("dead-letters", "retry", letters["job"])
    assert done.exit_code == 3
    assert "Discard it" in done.stderr
    assert count("jobs.pgqueuer") == 0
    assert on_database("dead-letters", "discard", letters["job"], "--yes").exit_code == 0


def test_they_are_found_by_name_reason_time_and_tenant(on_database: Run, bury: Any, said: Said) -> None:
    letters = bury()

    def found(*options: str) -> set[str]:
        listed = said(on_database("dead-letters", "list", "--json", *options))["letters"]
        return {letter["id"] for letter in listed}

    assert found("--name", "PULL_stream") == {letters["job"]}
    assert found("--reason", "no post") == {letters["event"]}
    assert found("--since", "2020-01-01") == set(letters.values())
    assert found("--until", "2020-01-01T00:00:00") == set()
    assert found("--tenant", NOWHERE) == set()


def test_only_what_the_options_name_is_moved(on_database: Run, bury: Any, count: Any, said: Said) -> None:
    bury()
    assert said(on_database("dead-letters", "retry", "--all", "--reason", "ON FIRE", "--json")) == {"retried": 1}
    assert (count("jobs.pgqueuer"), count("bus.delivery")) == (1, 0)
    narrowed = ("discard", "--all", "--name", "mail.tell", "--until", "2020-01-01", "--yes", "--json")
    assert said(on_database("dead-letters", *narrowed)) == {"discarded": 0}
    assert count("bus.dead_letter") == 1


REFUSED = (
    (("retry", NOWHERE, "--reason", "fire"), 2, "leave the other options out"),
    (("retry", "--reason", "fire"), 2, "--all"),
    (("list", "--since", "yesterday"), 2, "datetime"),
    (("show", NOWHERE), 1, "syncline dead-letters list"),
    (("retry", NOWHERE), 1, "syncline dead-letters list"),
    (("retry",), 2, "--all"),
    (("retry", NOWHERE, "--all"), 2, "--all"),
    (("discard", "--yes"), 2, "--all"),
    (("list", "--kind", "letter"), 2, "job"),
)


def test_what_cannot_be_asked(on_database: Run) -> None:
    for arguments, code, sentence in REFUSED:
        done = on_database("dead-letters", *arguments)
        assert (arguments, done.exit_code, done.stdout) == (arguments, code, "")
        assert sentence in done.stderr
