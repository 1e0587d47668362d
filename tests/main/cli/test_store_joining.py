"""`syncline stores app`, `install`, `scopes` and `api-secret`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

from syncline.sandbox.shopify.options import SandboxOptions

Run = Callable[..., Result]
Said = Callable[[Result], Any]

SECRET = SandboxOptions().client_secrets[0]
APP = ("stores", "app", "set", "sandbox-app", "--secret", "-")


@pytest.fixture
def entered(on_database: Run) -> Run:
    assert on_database(*APP, stdin=SECRET).exit_code == 0
    return on_database


def test_an_app_is_entered_shown_rotated_and_removed_without_its_secret(on_database: Run, said: Said) -> None:
    made = on_database(*APP, stdin=f"{SECRET}\n")
    assert made.exit_code == 0
    assert "/api/shopify/oauth/callback" in made.stdout
    rotated = on_database("stores", "app", "rotate", "sandbox-app", "--secret", "-", stdin="a-brand-new-secret")
    (shown,) = said(on_database("stores", "app", "show", "--json"))["apps"]
    assert (shown["client_id"], shown["has_other_secret"], shown["stores"]) == ("sandbox-app", True, 0)
    assert not said(on_database("stores", "app", "rotate", "sandbox-app", "--done", "--json"))["has_other_secret"]
    assert on_database("stores", "app", "remove", "sandbox-app").exit_code == 0
    assert "stores app set" in on_database("stores", "app", "show").stdout
    assert SECRET not in made.stdout + made.stderr + rotated.stdout + rotated.stderr


@pytest.mark.parametrize("secret", ["", "short", "with a blank in it all"])
def test_what_is_no_secret_is_not_understood(on_database: Run, secret: str) -> None:
    done = on_database(*APP, stdin=secret)
    assert (done.exit_code, "ecret" in done.stderr) == (2, True)


def test_without_an_app_an_install_says_how_to_enter_one(on_database: Run) -> None:
    done = on_database("stores", "install", "summer-store")
    assert done.exit_code != 0
    assert "syncline stores app set" in done.stderr


def test_an_install_tells_where_the_merchant_goes(entered: Run, shop: Any, said: Said) -> None:
    begun = said(entered("stores", "install", "sandbox-supply", "--url", shop.url, "--no-wait", "--json"))
    assert begun["authorize_url"].startswith(f"{shop.url}/admin/oauth/authorize?client_id=sandbox-app&scope=")
    assert (begun["status"], begun["store"]) == ("waiting", "sandbox-supply")
    plain = entered("stores", "install", "sandbox-supply", "--url", shop.url, "--no-wait")
    assert plain.stdout.startswith(f"{shop.url}/admin/oauth/authorize")


def test_a_shop_of_our_own_is_connected_at_once_and_its_rights_are_shown(entered: Run, shop: Any, said: Said) -> None:
    made = entered("stores", "install", shop.store.shop.domain, "--own", "--url", shop.url, "--name", "own")
    assert (made.exit_code, "it is called own" in made.stdout) == (0, True)
    (access,) = said(entered("stores", "scopes", "own", "--json"))["stores"]
    assert (access["kind"], access["missing"], access["needs_consent"]) == ("client_credentials", {}, False)
    assert "client credentials" in entered("stores", "scopes").stdout
    assert entered("stores", "test", "own").stdout.endswith("address, token and scopes are right.\n")
    refused = entered("stores", "app", "remove", "sandbox-app")
    assert (refused.exit_code, "connected through" in refused.stderr) == (3, True)


@pytest.mark.parametrize("wrong", ["evil.com", "evil.com/x.myshopify.com", ""])
def test_what_is_no_shop_is_not_understood(entered: Run, wrong: str) -> None:
    done = entered("stores", "install", wrong, "--no-wait")
    assert (done.exit_code, "permanent address" in done.stderr) == (2, True)


def test_a_custom_apps_secret_is_given_when_connecting_or_later(on_database: Run, shop: Any, said: Said) -> None:
    plain = on_database("stores", "add", "demo", *shop.options, "--token", "shpat_sandbox")
    assert plain.exit_code == 0
    assert "syncline stores api-secret demo" in on_database("stores", "scopes", "demo").stdout
    given = on_database("stores", "api-secret", "demo", "--secret", "-", stdin="shpss_of_the_custom_app")
    assert given.exit_code == 0
    (access,) = said(on_database("stores", "scopes", "demo", "--json"))["stores"]
    assert (access["kind"], access["has_webhook_secret"]) == ("custom", True)
    on_database("stores", "remove", "demo", "--yes")
    both = ("--token", "shpat_sandbox", "--api-secret", "shpss_of_the_custom_app")
    assert on_database("stores", "add", "demo", *shop.options, *both).exit_code == 0
    assert said(on_database("stores", "scopes", "demo", "--json"))["stores"][0]["has_webhook_secret"]


def test_scopes_of_no_store_say_how_to_connect_one(on_database: Run) -> None:
    assert "syncline stores install" in on_database("stores", "scopes").stdout
    assert on_database("stores", "scopes", "nowhere").exit_code != 0
