from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

from syncline.main.cli.serve import _welcome
from syncline.main.sandbox_process import RunningSandbox

Run = Callable[..., Result]
Said = Callable[[Result], Any]


def everything(done: Result) -> str:
    return done.stdout + done.stderr


def test_a_store_is_connected_listed_and_tested(on_database: Run, shop: Any) -> None:
    made = on_database("stores", "add", "demo", *shop.options, "--token", "shpat_sandbox")
    assert (made.exit_code, made.stderr) == (0, "")
    assert "Sandbox Supply" in made.stdout
    assert "sandbox-supply.myshopify.com" in on_database("stores", "list").stdout
    asked = on_database("stores", "test", "demo")
    assert (asked.exit_code, asked.stdout) == (
        0,
        "Sandbox Supply (sandbox-supply.myshopify.com) answers; address, token and scopes are right.\n",
    )


def test_json_is_one_document(on_database: Run, shop: Any, said: Said) -> None:
    made = said(on_database("stores", "add", "demo", *shop.options, "--token", "shpat_sandbox", "--json"))
    assert (made["name"], made["currency"], made["api_version"]) == ("demo", "USD", "2026-10")
    assert said(on_database("stores", "list", "--json")) == {"stores": [made]}
    assert said(on_database("stores", "test", "sandbox-supply.myshopify.com", "--json")) == made


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [((), "shpat_sandbox\n"), (("--token", "-"), "shpat_sandbox\r\nand more\n"), ((), " shpat_sandbox \n")],
)
def test_the_token_may_come_from_standard_input(
    on_database: Run, shop: Any, arguments: tuple[str, ...], stdin: str
) -> None:
    made = on_database("stores", "add", "demo", *shop.options, *arguments, stdin=stdin)
    assert made.exit_code == 0
    assert "shpat_" not in everything(made)


@pytest.mark.parametrize("stdin", ["", "\n"])
def test_without_a_token_it_says_how_to_give_one(on_database: Run, shop: Any, stdin: str) -> None:
    done = on_database("stores", "add", "demo", *shop.options, stdin=stdin)
    assert done.exit_code == 2
    assert "--token -" in done.stderr


def test_a_wrong_token_is_exit_2_with_one_sentence_and_never_shown(on_database: Run, shop: Any, said: Said) -> None:
    arguments = ("stores", "add", "demo", *shop.options, "--token", "shpat_5ecret")
    done = on_database(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "refused the access token" in done.stderr
    as_json = on_database(*arguments, "--json")
    body = said(as_json)
    assert (as_json.exit_code, body["success"], body["code"]) == (2, False, "STORE_003")
    assert "5ecret" not in everything(done) + everything(as_json)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--domain", "summer.example", "--token", "x"), "like summer-store.myshopify.com"),
        (("--domain", "summer.myshopify.com", "--token", "x", "--url", "http://203.0.113.1"), "loopback"),
        (("--domain", "summer.myshopify.com", "--token", "a b"), "no access token"),
        (("--domain", "summer.myshopify.com", "--token", "x", "--api-version", "2019-01"), "use one of 2026-10"),
        (("--token", "x"), "--domain"),
    ],
)
def test_a_wrong_address_is_exit_2_and_says_what_to_change(
    on_database: Run, arguments: tuple[str, ...], sentence: str
) -> None:
    done = on_database("stores", "add", "summer", *arguments)
    assert done.exit_code == 2
    assert sentence in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr


def test_every_wrong_part_is_shown_once(on_database: Run) -> None:
    done = on_database("stores", "add", "No Name", "--domain", "x", "--token", "a b")
    assert done.exit_code == 2
    assert [done.stderr.count(word) for word in ("lower-case", "permanent address", "no access token")] == [1, 1, 1]


def test_a_store_is_connected_once(connected: Run, shop: Any) -> None:
    for name, domain in (("demo", "other.myshopify.com"), ("second", shop.store.shop.domain)):
        again = connected("stores", "add", name, "--domain", domain, "--url", shop.url, "--token", "shpat_sandbox")
        assert again.exit_code == 3
        assert "already connected" in again.stderr


def test_a_store_that_is_not_there_is_exit_1_and_says_where_to_look(on_database: Run) -> None:
    done = on_database("stores", "test", "nope")
    assert done.exit_code == 1
    assert "syncline stores list" in done.stderr


def test_without_stores_the_list_says_how_to_connect_one(on_database: Run, said: Said) -> None:
    assert "syncline stores add NAME --domain" in on_database("stores", "list").stdout
    assert said(on_database("stores", "list", "--json")) == {"stores": []}


def test_a_shop_may_be_called_anything(on_database: Run, shop: Any) -> None:
    shop.store.shop.name = "[red]Shop[/red] [/] :smile:"
    added = on_database("stores", "add", "demo", *shop.options, "--token", "shpat_sandbox")
    for done in (added, on_database("stores", "list"), on_database("stores", "test", "demo")):
        assert "[red]Shop[/red] [/] :smile:" in done.stdout


def test_another_tenant_of_the_installation_is_asked_for_by_name(connected: Run) -> None:
    done = connected("stores", "list", "--tenant", "nobody")
    assert done.exit_code == 1
    assert "“nobody”" in done.stderr


def test_the_command_that_serve_suggests_works(on_database: Run, shop: Any) -> None:
    sandbox = RunningSandbox(shop.url, "shpat_sandbox", shop.store.shop.domain, 0)
    _, _, suggested = _welcome("http://127.0.0.1:8080", sandbox).partition("Connect it with: syncline ")
    assert on_database(*suggested.split()).exit_code == 0


def test_a_token_is_replaced_only_by_one_the_shop_accepts(connected: Run, said: Said) -> None:
    refused = connected("stores", "token", "demo", "--token", "shpat_wrong")
    assert (refused.exit_code, "no access token" in refused.stderr or "refused" in refused.stderr) == (2, True)
    assert connected("stores", "test", "demo").exit_code == 0
    replaced = said(connected("stores", "token", "demo", "--token", "shpat_sandbox", "--json"))
    assert replaced["name"] == "demo"


def test_a_removal_is_looked_at_asked_for_and_made(pulled: Run, said: Said) -> None:
    looked = said(pulled("stores", "remove", "demo", "--dry-run", "--json"))
    assert (looked["dry_run"], looked["records"]["variant"], looked["store"]["name"]) == (True, 14, "demo")
    refused = pulled("stores", "remove", "demo", stdin="n\n")
    assert refused.exit_code != 0
    assert "14" not in refused.stdout
    assert "Remove demo for good" in refused.stderr
    assert len(said(pulled("stores", "list", "--json"))["stores"]) == 1
    removed = pulled("stores", "remove", "demo", stdin="y\n")
    assert (removed.exit_code, "demo was removed." in removed.stdout) == (0, True)
    assert said(pulled("stores", "list", "--json")) == {"stores": []}


def test_a_removed_store_leaves_nothing_and_can_be_connected_again(pulled: Run, shop: Any, said: Said) -> None:
    assert said(pulled("stores", "remove", "demo", "--yes", "--json"))["dry_run"] is False
    assert pulled("stores", "add", "demo", *shop.options, "--token", "shpat_sandbox").exit_code == 0
    assert said(pulled("stores", "remove", "demo", "--dry-run", "--json"))["records"] == {}


def test_a_store_nobody_has_is_not_removed(on_database: Run) -> None:
    done = on_database("stores", "remove", "nope", "--yes")
    assert done.exit_code == 1
    assert "syncline stores list" in done.stderr
