"""Errors as GraphQL answers carry them, in the shapes Shopify's server (graphql-ruby) sends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import Node, get_location

ACCESS_SCOPES_PAGE = "https://shopify.dev/api/usage/access-scopes"


@dataclass(slots=True)
class Problem:
    message: str
    extensions: dict[str, Any] | None = None
    locations: list[dict[str, int]] | None = None
    path: Sequence[str | int] | None = None

    def shown(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"message": self.message}
        if self.locations is not None:
            shown["locations"] = self.locations
        if self.path is not None:
            shown["path"] = list(self.path)
        if self.extensions is not None:
            shown["extensions"] = self.extensions
        return shown


class Refused(Exception):
    """The request is answered with errors and without data."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(problem.message for problem in self.problems))


class FieldFailed(Exception):
    """A root field's value is null and the error stands beside the data."""

    def __init__(self, message: str, extensions: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.extensions = extensions


def locations(*nodes: Node) -> list[dict[str, int]]:
    """Line and column of each node, both counted from 1."""
    found = []
    for node in nodes:
        if node.loc is not None:
            at = get_location(node.loc.source, node.loc.start)
            found.append({"line": at.line, "column": at.column})
    return found


def bad_request(message: str, node: Node | None = None, path: Sequence[str | int] | None = None) -> Problem:
    return Problem(message, {"code": "BAD_REQUEST"}, locations(node) if node else None, path)
