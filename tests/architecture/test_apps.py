from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path

from syncline.main.compose import check_implementation
from syncline.main.targets import APPS
from syncline.runtime.privacy.personal_data import PersonalData


def test_every_app_says_what_it_owns_and_nothing_else_in_its_init(app_folders: list[Path]) -> None:
    bodies = {folder.name: ast.parse((folder / "__init__.py").read_text()).body for folder in app_folders}
    docstring_only = {
        name for name, body in bodies.items() if len(body) == 1 and ast.get_docstring(ast.Module(body, [])) is not None
    }
    assert docstring_only == set(bodies)


def test_every_app_has_a_contract_and_a_declaration_under_its_own_name(app_folders: list[Path]) -> None:
    declared = {folder.name: importlib.import_module(f"syncline.apps.{folder.name}.app").APP for folder in app_folders}
    assert {name: app.name for name, app in declared.items()} == {name: name for name in declared}
    for name in declared:
        assert inspect.getdoc(importlib.import_module(f"syncline.apps.{name}.contract"))


def test_every_app_is_listed_in_targets(app_folders: list[Path]) -> None:
    assert {app.name for app in APPS} == {folder.name for folder in app_folders}


def test_every_app_keeps_its_migrations_in_its_own_folder(app_folders: list[Path]) -> None:
    assert {app.name: app.migrations for app in APPS} == {folder.name: folder / "migrations" for folder in app_folders}
    assert [app.name for app in APPS if not list(app.migrations.glob("*.py"))] == []


def test_a_contracts_methods_are_async_and_take_keywords_only() -> None:
    offenders = [
        f"{app.provides.__name__}.{name}"
        for app in APPS
        if app.provides is not None
        for name, method in inspect.getmembers(app.provides, inspect.isfunction)
        if not name.startswith("_")
        and (
            not inspect.iscoroutinefunction(method)
            or any(
                parameter.kind is not inspect.Parameter.KEYWORD_ONLY
                for parameter in list(inspect.signature(method).parameters.values())[1:]
            )
        )
    ]
    assert offenders == []


def test_every_router_states_its_whole_path() -> None:
    # Routers are included as they are: the metrics' route label and the list of open routes rely on it.
    prefixes = [router.prefix for app in APPS for router in app.load_web().routers]
    assert [prefix for prefix in prefixes if not prefix.startswith("/")] == []


def test_every_app_says_what_it_holds_of_people_and_how_that_goes(app_folders: list[Path]) -> None:
    # `runtime.privacy.PersonalData`: without it an app's data is neither exported nor erased, and nobody notices.
    declared = {folder.name: importlib.import_module(f"syncline.apps.{folder.name}.app").APP for folder in app_folders}
    assert [name for name, app in declared.items() if app.personal_data is None] == []
    for app in declared.values():
        check_implementation(PersonalData, app.personal_data)
    rules = [rule.name for app in declared.values() for rule in app.personal_data.rules]
    assert sorted(rules) == sorted(set(rules))
    assert [name for name in rules if name.partition(".")[0] not in declared] == []
