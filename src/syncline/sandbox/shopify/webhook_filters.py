"""What a subscription leaves out: actions its filter does not match, and fields it did not ask for.

The filter is written in Shopify's search syntax over the payload's own fields (`vendor:Nike`, `variants.price:>=10.00`,
`status:active OR tags:sale`); of a list any element may match.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from syncline.sandbox.shopify.search_syntax import And, Not, Or, Term, Tree, parse


def complaint(text: str) -> str | None:
    """What is wrong with a filter; every term needs a field."""
    tree = parse(text)
    if tree is None or any(term.field is None for term in _terms(tree)):
        return "The specified filter is invalid, please ensure you specify the field(s) you wish to filter on."
    return None


def matches(text: str | None, payload: Mapping[str, Any]) -> bool:
    tree = parse(text) if text else None
    return tree is None or _holds(tree, payload)


def narrowed(payload: Mapping[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    """Only the named fields, `title` or below one of them `variants.id`; everything when none is named."""
    wanted: dict[str, list[str]] = {}
    for field in fields:
        name, _, below = field.partition(".")
        wanted.setdefault(name, []).append(below)
    if not wanted:
        return dict(payload)
    return {name: _below(payload[name], paths) for name, paths in wanted.items() if name in payload}


def _below(value: Any, paths: list[str]) -> Any:
    if "" in paths:
        return value
    if isinstance(value, list):
        return [_below(one, paths) for one in value]
    return narrowed(value, paths) if isinstance(value, Mapping) else value


def _terms(tree: Tree) -> Iterator[Term]:
    match tree:
        case Term():
            yield tree
        case Not(of):
            yield from _terms(of)
        case And(parts) | Or(parts):
            for part in parts:
                yield from _terms(part)


def _holds(tree: Tree, payload: Mapping[str, Any]) -> bool:
    match tree:
        case Term():
            return any(_fits(tree, value) for value in _values(payload, (tree.field or "").split(".")))
        case Not(of):
            return not _holds(of, payload)
        case And(parts):
            return all(_holds(part, payload) for part in parts)
        case Or(parts):
            return any(_holds(part, payload) for part in parts)


def _values(value: Any, path: list[str]) -> Iterator[Any]:
    if isinstance(value, list):
        for one in value:
            yield from _values(one, path)
    elif not path:
        yield value
    elif isinstance(value, Mapping) and path[0] in value:
        yield from _values(value[path[0]], path[1:])


def _fits(term: Term, value: Any) -> bool:
    if term.value == "*" and not term.quoted:
        return value not in (None, "")
    if value is None:
        return False
    held, wanted = _comparable(value), _comparable(term.value)
    if isinstance(held, Decimal) and isinstance(wanted, Decimal):
        return _ordered(term.operator, (held > wanted) - (held < wanted))
    text, asked = str(value).casefold(), term.value.casefold()
    return _ordered(term.operator, (text > asked) - (text < asked))


def _comparable(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).casefold()
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return value


def _ordered(operator: str, sign: int) -> bool:
    return {"=": sign == 0, "<": sign < 0, "<=": sign <= 0, ">": sign > 0, ">=": sign >= 0}[operator]
