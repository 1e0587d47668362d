"""Shopify's search grammar as text -> tree (shopify.dev/docs/api/usage/search-syntax).

    Query = Term { [ "AND" | "OR" ] Term }        Term = [ "-" | "NOT " ] ( "(" Query ")" | [ name Comparator ] value )

AND is implied and binds tighter than OR. A value outside quotes ends at `:`, so `updated_at:>=2026-08-01T00:19:00Z`
reads as `updated_at:>=2026-08-01T00` followed by a second term `19:00Z` whose field is `19`, as measured on a live
store in August 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

COMPARATORS = (":<=", ":>=", ":<", ":>", ":")
SPECIAL = frozenset(":()")
RANGE_NAMES = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}


@dataclass(frozen=True, slots=True)
class Term:
    """`field` is None for free text; `operator` is one of = < <= > >=."""

    field: str | None
    operator: str
    value: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Not:
    of: Tree


@dataclass(frozen=True, slots=True)
class And:
    of: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Or:
    of: tuple[Tree, ...]


Tree = Term | Not | And | Or


def parse(text: str) -> Tree | None:
    """The tree of a query; None when there is no term in it. Nothing is a syntax error to Shopify: what does not fit is
    read as text."""
    return _Parser(text).query()


def describe(tree: Tree) -> dict[str, Any]:
    """The `parsed` object of `extensions.search`."""
    match tree:
        case Term():
            named = {} if tree.field is None else {"field": tree.field}
            if tree.operator != "=":
                return {**named, "range": {RANGE_NAMES[tree.operator]: tree.value}}
            if tree.value == "*" and not tree.quoted:
                return {**named, "exists": True}
            if tree.value.endswith("*") and not tree.quoted:
                return {**named, "match_prefix": tree.value[:-1]}
            return {**named, "match_phrase" if tree.quoted else "match_all": tree.value}
        case Not(of):
            return {"not": describe(of)}
        case And(of):
            return {"and": [describe(one) for one in of]}
        case Or(of):
            return {"or": [describe(one) for one in of]}


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def query(self) -> Tree | None:
        """Terms up to the end or an unopened `)`."""
        groups: list[list[Tree]] = [[]]
        while (term := self._next()) is not None:
            if isinstance(term, str):
                if term == "OR" and groups[-1]:
                    groups.append([])
                continue
            groups[-1].append(term)
        joined = [_join(And, group) for group in groups if group]
        return _join(Or, joined) if joined else None

    def _next(self) -> Tree | str | None:
        """The next term, or the connective met ("AND"/"OR"), or None at the end of this query."""
        self._skip_blanks()
        while self._peek() == ":":  # left over from an unquoted value
            self.at += 1
            self._skip_blanks()
        if not self._peek():
            return None
        if self._peek() == ")":
            self.at += 1
            return None
        for word in ("AND", "OR"):
            if self._word_is(word):
                self.at += len(word)
                return word
        return self._term()

    def _term(self) -> Tree | str:
        negated = False
        if self._peek() == "-" and not self._peek(1).isspace():
            negated = True
            self.at += 1
        elif self._word_is("NOT"):
            negated = True
            self.at += 3
            self._skip_blanks()
        inner: Tree | None
        if self._peek() == "(":
            self.at += 1
            inner = self.query()
        else:
            inner = self._comparison()
        if inner is None:
            return "AND"  # an empty pair of parentheses says nothing
        return Not(inner) if negated else inner

    def _comparison(self) -> Tree | None:
        name, quoted = self._value()
        comparator = "" if quoted else next((c for c in COMPARATORS if self.text.startswith(c, self.at)), "")
        if not comparator or not name:
            return Term(None, "=", name, quoted) if name or quoted else None
        self.at += len(comparator)
        self._skip_blanks()
        value, value_quoted = self._value()
        return Term(name, comparator[1:] or "=", value, value_quoted)

    def _value(self) -> tuple[str, bool]:
        if (quote := self._peek()) in {'"', "'"}:
            end = self._closing(quote)
            if end:
                raw, self.at = self.text[self.at + 1 : end], end + 1
                return _unescape(raw), True
        start = self.at
        while (char := self._peek()) and not char.isspace() and char not in SPECIAL:
            self.at += 2 if char == "\\" else 1
        return _unescape(self.text[start : self.at]), False

    def _closing(self, quote: str) -> int:
        at = self.at + 1
        while at < len(self.text):
            if self.text[at] == "\\":
                at += 1
            elif self.text[at] == quote:
                return at
            at += 1
        return 0

    def _word_is(self, word: str) -> bool:
        end = self.at + len(word)
        follows = self.text[end : end + 1]
        return self.text.startswith(word, self.at) and (not follows or follows.isspace() or follows == "(")

    def _skip_blanks(self) -> None:
        while self._peek().isspace():
            self.at += 1

    def _peek(self, ahead: int = 0) -> str:
        return self.text[self.at + ahead : self.at + ahead + 1]


def _join(kind: type[And | Or], parts: list[Tree]) -> Tree:
    return parts[0] if len(parts) == 1 else kind(tuple(parts))


def _unescape(raw: str) -> str:
    if "\\" not in raw:
        return raw
    characters = iter(raw)
    return "".join(next(characters, "") if char == "\\" else char for char in characters)
