"""What a query costs, by the law fitted on published measurements (147 queries of a shipped connector, 88 % exact).

    scalar, enum, pageInfo, edges, MoneyV2, MoneyBag    0
    object, list of objects                             1      a list is not multiplied
    interface, union                                    1      and the dearest of its branches
    connection                                          2 + S(n) x cost of its node,  n = first or last
    mutation                                            10     objects directly on its payload 0
    S(n) = max(1, floor(2 ln n))

The actual cost is the same law on what was returned, without the least of 1. A connection below a list is sized by the
mean over its parents.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
    is_abstract_type,
    is_composite_type,
)

from syncline.sandbox.shopify.coercion import literal
from syncline.sandbox.shopify.selection import collect_fields

MAX_QUERY_COST = 1000
FREE_TYPES = frozenset({"MoneyV2", "MoneyBag", "PageInfo"})
CONNECTION_BASE = 2
MUTATION_COST = 10
MEASURED_COSTS = {"orderUpdate": 100, "productCreateMedia": 20}
"""Mutations that were measured to cost otherwise (audit of Microsoft's connector, API 2025-07)."""
# Schema text of ProductSetInput and ProductVariantSetInput: "Complexity cost".
PRODUCT_SET_COSTS = {"files": 1.9, "metafields": 0.4, "variants": 0.2}
VARIANT_FILE_COST = 0.6

Path = tuple[str, ...]
Sizes = Mapping[Path, "Size"]


@dataclass(slots=True)
class Size:
    """What one connection of a query returned: how many objects had it, and how many nodes they had together."""

    parents: int = 0
    nodes: int = 0


@dataclass(slots=True)
class Priced:
    """One field of a query. `asked` is a connection's `first` or `last`, None for anything else."""

    path: Path
    own: float
    asked: int | None = None
    children: list[Priced] = field(default_factory=list)
    branches: list[list[Priced]] = field(default_factory=list)
    """What each concrete type of an interface or union would add; the dearest counts."""
    is_leaf: bool = False


def scale(n: float) -> int:
    """S(n) of the requested cost."""
    return max(1, math.floor(2 * math.log(n))) if n > 0 else 0


def scale_returned(n: float) -> int:
    """S(n) of the actual cost, without the least of 1: a connection that returned one node, or none, costs its base."""
    return math.floor(2 * math.log(n)) if n > 1 else 0


def requested_cost(roots: list[Priced]) -> int:
    return _whole(sum(_total(root, lambda one: scale(one.asked or 0)) for root in roots))


def actual_cost(roots: list[Priced], sizes: Sizes) -> int:
    """Cost of what was returned; a connection that `sizes` does not know was never reached."""

    def returned(one: Priced) -> int:
        size = sizes.get(one.path)
        return scale_returned(size.nodes / size.parents) if size and size.parents else 0

    return _whole(sum(_total(root, returned) for root in roots))


def field_costs(roots: list[Priced]) -> list[dict[str, Any]]:
    """`extensions.cost.fields`, sent when the request carries `Shopify-GraphQL-Cost-Debug: 1`."""
    return [line for root in roots for line in _lines(root)]


def _lines(one: Priced) -> Iterator[dict[str, Any]]:
    for child in [*one.children, *(child for branch in one.branches for child in branch)]:
        yield from _lines(child)
    total = _total(one, lambda at: scale(at.asked or 0))
    yield {
        "path": list(one.path),
        "definedCost": _whole(one.own),
        "requestedTotalCost": _whole(total),
        "requestedChildrenCost": None if one.is_leaf else _whole(total - one.own),
    }


def _whole(cost: float) -> int:
    return math.ceil(round(cost, 6))


def _total(one: Priced, times: Callable[[Priced], int]) -> float:
    inside = sum(_total(child, times) for child in one.children)
    if one.branches:
        inside += max(sum(_total(child, times) for child in branch) for branch in one.branches)
    return one.own + (inside if one.asked is None else times(one) * inside)


def price(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: Mapping[str, Any],
) -> list[Priced]:
    """The priced root fields of an operation; `variables` size its connections."""
    pricer = _Pricer(schema, fragments, variables, _conditions(operation, fragments))
    is_mutation = operation.operation is OperationType.MUTATION
    root = schema.mutation_type if is_mutation else schema.query_type
    if root is None:
        return []
    if not is_mutation:
        return pricer.fields(root, [operation.selection_set], ())
    found = collect_fields(schema, root, [operation.selection_set], fragments, variables)
    return [pricer.mutation(root, name, nodes) for name, nodes in found.items()]


def _conditions(operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]) -> set[str]:
    """Names of all types that fragments of the document are written on."""
    found = {fragment.type_condition.name.value for fragment in fragments.values()}
    waiting = [operation.selection_set, *(fragment.selection_set for fragment in fragments.values())]
    while waiting:
        for one in waiting.pop().selections:
            if isinstance(one, InlineFragmentNode) and one.type_condition:
                found.add(one.type_condition.name.value)
            inner = getattr(one, "selection_set", None)
            if inner is not None:
                waiting.append(inner)
    return found


@dataclass(slots=True)
class _Pricer:
    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    conditions: set[str]

    def fields(self, kind: GraphQLObjectType, sets: list[SelectionSetNode], path: Path) -> list[Priced]:
        found = collect_fields(self.schema, kind, sets, self.fragments, self.variables)
        return [self.field(kind, nodes, (*path, name)) for name, nodes in found.items()]

    def field(self, parent: GraphQLObjectType, nodes: list[FieldNode], path: Path) -> Priced:
        known = parent.fields.get(nodes[0].name.value)
        named: Any = get_named_type(known.type) if known else None
        sets = [node.selection_set for node in nodes if node.selection_set]
        if named is None or not is_composite_type(named):
            return Priced(path, 0, is_leaf=True)
        if not isinstance(named, GraphQLObjectType):
            return Priced(path, 1, branches=[self.fields(kind, sets, path) for kind in self._telling(named)])
        if named.name.endswith("Connection"):
            return self._connection(named, nodes, sets, path)
        children = self.fields(named, sets, path)
        is_edges = parent.name.endswith("Connection") and nodes[0].name.value == "edges"
        own = 0 if is_edges or named.name in FREE_TYPES else 1
        return Priced(path, own, children=children)

    def _telling(self, named: Any) -> list[GraphQLObjectType]:
        """The concrete types whose costs can differ: those fragments name, and one for all the others."""
        kinds = self.schema.get_possible_types(named)
        if any(is_abstract_type(self.schema.type_map[name]) for name in self.conditions):
            return list(kinds)
        told = [kind for kind in kinds if kind.name in self.conditions]
        return told + [kind for kind in kinds if kind.name not in self.conditions][:1]

    def _connection(
        self, named: GraphQLObjectType, nodes: list[FieldNode], sets: list[SelectionSetNode], path: Path
    ) -> Priced:
        children = self.fields(named, sets, path)
        return Priced(path, CONNECTION_BASE, asked=self._asked(nodes[0]), children=children)

    def _asked(self, node: FieldNode) -> int:
        values = {one.name.value: literal(one.value, self.variables) for one in node.arguments or ()}
        sizes = [values[name] for name in ("first", "last") if isinstance(values.get(name), int)]
        return sizes[0] if sizes else 0

    def mutation(self, root: GraphQLObjectType, name: str, nodes: list[FieldNode]) -> Priced:
        known = root.fields[nodes[0].name.value]
        sets = [node.selection_set for node in nodes if node.selection_set]
        payload: Any = get_named_type(known.type)
        children = self.fields(payload, sets, (name,)) if isinstance(payload, GraphQLObjectType) else []
        for child in children:
            if child.asked is None:
                child.own = 0
        own = MEASURED_COSTS.get(nodes[0].name.value, MUTATION_COST)
        return Priced((name,), own + self._input_cost(nodes[0]), children=children)

    def _input_cost(self, node: FieldNode) -> float:
        if node.name.value != "productSet":
            return 0
        values = {one.name.value: literal(one.value, self.variables) for one in node.arguments or ()}
        given = values.get("input")
        if not isinstance(given, Mapping):
            return 0
        lists = sum(each * len(given.get(name) or ()) for name, each in PRODUCT_SET_COSTS.items())
        files = sum(1 for variant in given.get("variants") or () if variant.get("file"))
        return lists + VARIANT_FILE_COST * files
