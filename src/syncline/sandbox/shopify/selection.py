"""Which fields a selection asks for on one type: fragments opened, `@skip` and `@include` obeyed, names merged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    is_abstract_type,
)

from syncline.sandbox.shopify.coercion import literal

Fields = dict[str, list[FieldNode]]


def collect_fields(
    schema: GraphQLSchema,
    kind: GraphQLObjectType,
    sets: Iterable[SelectionSetNode],
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: Mapping[str, Any],
) -> Fields:
    """Response name -> the nodes that ask for it, in the order of the query."""
    found: Fields = {}

    def walk(selections: Iterable[SelectionNode], seen: frozenset[str]) -> None:
        for one in selections:
            if not included(one, variables):
                continue
            if isinstance(one, FieldNode):
                found.setdefault(response_name(one), []).append(one)
            elif isinstance(one, InlineFragmentNode):
                wanted = one.type_condition.name.value if one.type_condition else None
                if wanted is None or covers(schema, wanted, kind):
                    walk(one.selection_set.selections, seen)
            elif isinstance(one, FragmentSpreadNode) and one.name.value not in seen:
                fragment = fragments[one.name.value]
                if covers(schema, fragment.type_condition.name.value, kind):
                    walk(fragment.selection_set.selections, seen | {one.name.value})

    for selection_set in sets:
        walk(selection_set.selections, frozenset())
    return found


def response_name(node: FieldNode) -> str:
    return node.alias.value if node.alias else node.name.value


def covers(schema: GraphQLSchema, wanted: str, kind: GraphQLObjectType) -> bool:
    """Whether a fragment on `wanted` applies to objects of `kind`."""
    if wanted == kind.name:
        return True
    condition = schema.type_map[wanted]
    return is_abstract_type(condition) and schema.is_sub_type(condition, kind)


def included(node: SelectionNode, variables: Mapping[str, Any]) -> bool:
    for directive in node.directives or ():
        name = directive.name.value
        if name in {"skip", "include"} and directive.arguments:
            value = literal(directive.arguments[0].value, variables)
            if value is not (name == "include"):
                return False
    return True
