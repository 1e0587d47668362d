from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from typer.testing import Result

Run = Callable[..., Result]


def test_the_limits_are_listed_with_what_the_settings_change(on_database: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCLINE_LIMITS", "sign-in=10/15min, status=off")
    listed = {one["name"]: one for one in json.loads(on_database("limits", "list", "--json").stdout)["limits"]}
    assert (listed["sign-in"]["rate"], listed["sign-in"]["is_default"]) == ("10/15min", False)
    assert listed["status"]["rate"] == "off"
    assert (listed["general:anonymous"]["rate"], listed["general:anonymous"]["is_default"]) == ("300/15min", True)
    assert "general:signed-in" in on_database("limits", "list").stdout


def listed(run: Run, name: str, *more: str) -> tuple[str, str]:
    limits = json.loads(run("limits", "list", "--json", *more).stdout)["limits"]
    return next((one["rate"], one["source"]) for one in limits if one["name"] == name)


def test_a_limit_is_changed_for_all_and_for_one_tenant_and_put_back(on_database: Run) -> None:
    assert on_database("limits", "set", "general:signed-in", "60000/15min").exit_code == 0
    assert on_database("limits", "set", "general:signed-in", "90000/15min", "--tenant", "main").exit_code == 0
    assert listed(on_database, "general:signed-in") == ("90000/15min", "tenant")
    assert on_database("limits", "reset", "general:signed-in", "--tenant", "main").exit_code == 0
    assert listed(on_database, "general:signed-in") == ("60000/15min", "installation")
    assert on_database("limits", "reset", "general:signed-in").exit_code == 0
    assert listed(on_database, "general:signed-in") == ("6000/15min", "setting")
    assert "was not changed" in on_database("limits", "reset", "general:signed-in").stdout


def test_the_trail_says_what_a_limit_was_and_what_it_became(on_database: Run) -> None:
    on_database("limits", "set", "general:signed-in", "60000/15min")
    on_database("limits", "set", "general:signed-in", "90000/15min", "--tenant", "main")
    on_database("limits", "reset", "general:signed-in", "--tenant", "main")
    on_database("limits", "reset", "general:signed-in")
    entries = json.loads(on_database("audit", "list", "--action", "syncline limits", "--json").stdout)["entries"]
    of_all, of_one = "limit general:signed-in of all tenants", "limit general:signed-in of main"
    assert [(one["before"], one["after"]) for one in reversed(entries)] == [
        ({of_all: {"rate": "6000/15min"}}, {of_all: {"rate": "60000/15min"}}),
        ({of_one: {"rate": "60000/15min"}}, {of_one: {"rate": "90000/15min"}}),
        ({of_one: {"rate": "90000/15min"}}, {of_one: {"rate": "60000/15min"}}),
        ({of_all: {"rate": "60000/15min"}}, {of_all: {"rate": "6000/15min"}}),
    ]


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (("sing-in", "10/min"), "limits list"),
        (("sign-in", "often"), "300/15min"),
        (("sign-in", "10/min", "--tenant", "main"), "Leave --tenant out"),
    ],
)
def test_what_cannot_be_set_is_exit_2_with_what_to_do(on_database: Run, told: tuple[str, ...], sentence: str) -> None:
    refused = on_database("limits", "set", *told)
    assert (refused.exit_code, sentence in refused.stderr) == (2, True)


@pytest.mark.parametrize("told", ["sing-in=10/min", "sign-in", "sign-in=often"])
def test_a_limit_that_makes_no_sense_is_exit_2_and_names_the_variable(
    run: Run, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    monkeypatch.setenv("SYNCLINE_LIMITS", told)
    refused = run("limits", "list")
    assert refused.exit_code == 2
    assert "SYNCLINE_LIMITS" in refused.stderr


def test_without_redis_there_is_nothing_to_forget_for_others(on_database: Run) -> None:
    refused = on_database("limits", "forget", "sign-in", "--address", "203.0.113.7")
    assert refused.exit_code == 2
    assert "SYNCLINE_REDIS_URL" in refused.stderr


def test_whom_to_forget_has_to_be_said(on_database: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCLINE_REDIS_URL", "redis://127.0.0.1:9")
    assert "--address" in on_database("limits", "forget", "sign-in").stderr
    assert "--key" in on_database("limits", "forget", "general:signed-in").stderr
    assert "limits list" in on_database("limits", "forget", "sing-in").stderr


def test_a_person_who_is_no_member_is_named(on_database: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCLINE_REDIS_URL", "redis://127.0.0.1:9")
    refused = on_database("limits", "forget", "general:signed-in", "--person", "nobody@example.com")
    assert (refused.exit_code, "nobody@example.com" in refused.stderr) == (1, True)


def test_a_redis_that_does_not_answer_is_one_sentence(on_database: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCLINE_REDIS_URL", "redis://127.0.0.1:9")
    refused = on_database("limits", "forget", "sign-in", "--address", "203.0.113.7")
    assert refused.exit_code == 1
    assert "Redis does not answer" in refused.stderr


def test_an_address_that_is_no_redis_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCLINE_REDIS_URL", "localhost:6379")
    assert "SYNCLINE_REDIS_URL: must begin with redis://" in run("limits", "list").stderr
