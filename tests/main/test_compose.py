from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pytest
from pydantic import BaseModel

from syncline.apps.accounts.contract import KeyRing
from syncline.main.compose import UnknownApp, check_implementation, compose, in_order_of_need, select_apps
from syncline.main.settings import Settings
from syncline.runtime.app import App
from syncline.runtime.db.access import Access
from syncline.runtime.db.settings import DatabaseSettings


class Prices(Protocol):
    async def get_price(self, *, sku: str) -> str: ...


class Stock(Protocol):
    async def get_stock(self, *, sku: str) -> int: ...


def app(name: str, provides: type | None = None, needs: tuple[type, ...] = ()) -> App:
    return App(name=name, migrations=Path(), settings=BaseModel, provides=provides, needs=needs)


def names(apps: list[App]) -> list[str]:
    return [one.name for one in apps]


def test_an_app_comes_after_those_it_needs() -> None:
    made = in_order_of_need(
        [app("shop", needs=(Prices, Stock)), app("stock", Stock, needs=(Prices,)), app("prices", Prices)]
    )
    assert names(made) == ["prices", "stock", "shop"]


def test_a_need_that_nobody_meets_stops_the_start_and_is_named() -> None:
    with pytest.raises(LookupError, match="shop needs Prices"):
        in_order_of_need([app("shop", needs=(Prices,))])


def test_a_circle_is_shown() -> None:
    with pytest.raises(LookupError, match="prices -> stock -> prices"):
        in_order_of_need([app("prices", Prices, needs=(Stock,)), app("stock", Stock, needs=(Prices,))])


def test_apps_are_chosen_by_name() -> None:
    apps = [app("a"), app("b"), app("c")]
    assert names(list(select_apps("all", apps))) == ["a", "b", "c"]
    assert names(list(select_apps(" c, a ,c", apps))) == ["c", "a"]


def test_an_app_that_does_not_exist_is_refused_with_the_list() -> None:
    with pytest.raises(UnknownApp, match=r"“x”\. The apps are: a, b"):
        select_apps("a,x", [app("a"), app("b")])


class Right:
    async def get_price(self, *, sku: str) -> str:
        return sku


class Missing:
    pass


class OtherArguments:
    async def get_price(self, *, name: str) -> str:
        return name


def test_an_implementation_must_have_every_method_with_the_same_arguments() -> None:
    check_implementation(Prices, Right())
    with pytest.raises(TypeError, match=r"lacks Prices\.get_price"):
        check_implementation(Prices, Missing())
    with pytest.raises(TypeError, match="sku"):
        check_implementation(Prices, OtherArguments())


async def test_the_composed_runtime_gives_each_contract_and_says_which_is_missing(
    database_settings: DatabaseSettings, tmp_path: Path
) -> None:
    settings = Settings(
        data_dir=tmp_path, database_url=database_settings.url, database_admin_url=database_settings.admin_url
    )
    async with compose(settings, Access(settings.database)) as runtime:
        tenant = await runtime.contract(KeyRing).find_tenant(slug="main")
        assert tenant is not None
        assert runtime.secrets.open(runtime.secrets.seal("x")) == "x"
        with pytest.raises(LookupError, match="Prices"):
            runtime.contract(Prices)
        with pytest.raises(TypeError, match="AccountsSettings"):
            runtime.settings_of("accounts", Settings)
