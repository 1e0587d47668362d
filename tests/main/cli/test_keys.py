from __future__ import annotations

import json
import re
from collections.abc import Callable

from typer.testing import Result

Run = Callable[..., Result]


def test_a_key_for_scripts_is_one_json_object(on_database: Run) -> None:
    done = on_database("keys", "create", "--role", "owner", "--json")
    assert done.exit_code == 0
    assert re.fullmatch(r"sl_[0-9a-f]{32}_[A-Za-z0-9_-]{43}", json.loads(done.stdout)["key"])
    assert done.stderr == ""


def test_a_key_for_people_is_alone_on_its_line(on_database: Run) -> None:
    done = on_database("keys", "create", "--name", "nightly", "--days", "90")
    assert re.fullmatch(r"sl_\S+\n", done.stdout)
    assert "not shown again" in done.stderr


def test_keys_are_listed_and_revoked(on_database: Run) -> None:
    made = json.loads(on_database("keys", "create", "--name", "[b]nightly", "--json").stdout)
    listed = on_database("keys", "list")
    assert "[b]nightly" in listed.stdout
    assert made["key"].rsplit(made["prefix"], 1)[1] not in listed.stdout
    assert on_database("keys", "revoke", made["id"]).exit_code == 0
    assert json.loads(on_database("keys", "list", "--json").stdout) == {"keys": []}
    (kept,) = json.loads(on_database("keys", "list", "--all", "--json").stdout)["keys"]
    assert kept["revoked_at"] is not None


def test_without_keys_the_list_says_how_to_make_one(on_database: Run) -> None:
    assert "syncline keys create" in on_database("keys", "list").stdout


def test_an_unknown_role_is_exit_2_with_the_list(on_database: Run) -> None:
    done = on_database("keys", "create", "--role", "boss", "--json")
    assert done.exit_code == 2
    assert json.loads(done.stdout)["code"] == "KEYS_002"


def test_a_key_that_does_not_exist_is_exit_1(on_database: Run) -> None:
    done = on_database("keys", "revoke", "019a2b3c-4d5e-7f60-8123-456789abcdef")
    assert done.exit_code == 1
    assert "syncline keys list" in done.stderr


def test_a_tenant_that_does_not_exist_is_named(on_database: Run) -> None:
    done = on_database("keys", "list", "--tenant", "nobody")
    assert done.exit_code == 1
    assert "“nobody”" in done.stderr


def test_a_key_is_limited_to_scopes_and_the_list_says_so(on_database: Run) -> None:
    done = on_database(
        "keys", "create", "--role", "admin", "--scope", "catalog:read", "--scope", "stores:read", "--json"
    )
    assert json.loads(done.stdout)["scopes"] == ["catalog:read", "stores:read"]
    assert "catalog:read, stores:read" in on_database("keys", "list").stdout
    refused = on_database("keys", "create", "--role", "viewer", "--scope", "catalog:pull", "--json")
    assert (refused.exit_code, json.loads(refused.stdout)["code"]) == (2, "KEYS_004")


def test_a_key_is_replaced_once(on_database: Run) -> None:
    old = json.loads(on_database("keys", "create", "--json").stdout)
    done = on_database("keys", "rotate", old["id"], "--overlap-hours", "48")
    assert re.fullmatch(r"sl_\S+\n", done.stdout)
    assert "48 hours" in done.stderr
    keys = json.loads(on_database("keys", "list", "--json").stdout)["keys"]
    assert [one["replaced_by"] is None for one in keys] == [True, False]
    assert on_database("keys", "rotate", old["id"]).exit_code == 3


def test_the_signing_key_is_changed(on_database: Run) -> None:
    done = on_database("keys", "rotate-signing", "--json")
    assert re.fullmatch(r"[0-9a-f]{32}", json.loads(done.stdout)["kid"])
