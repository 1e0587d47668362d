"""A code stands for one thing: programs tell errors by it, also those of another app."""

from __future__ import annotations

import importlib
import pkgutil
from collections import defaultdict
from collections.abc import Iterator

import syncline
from syncline.kernel.errors import DomainError


def all_errors(below: type[DomainError] = DomainError) -> Iterator[type[DomainError]]:
    for one in below.__subclasses__():
        yield one
        yield from all_errors(one)


def test_no_two_errors_have_one_code() -> None:
    for module in pkgutil.walk_packages(syncline.__path__, "syncline."):
        if not module.name.endswith(".__main__"):
            importlib.import_module(module.name)
    owners: dict[str, set[str]] = defaultdict(set)
    for error in all_errors():
        if error.__module__.startswith("syncline.") and "code" in vars(error):
            owners[error.code].add(f"{error.__module__}.{error.__qualname__}")
    assert {code: names for code, names in owners.items() if len(names) > 1} == {}
