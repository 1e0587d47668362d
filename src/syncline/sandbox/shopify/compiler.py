"""Turns a validated selection into plain functions from an entity to its JSON value.

Compiled once per request with that request's variables, so that rendering an object is a dict of function calls and
nothing else. What the sandbox does not serve, and what arguments alone show to be wrong, is found here, before anything
runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    SelectionSetNode,
    get_named_type,
    is_abstract_type,
)

from syncline.sandbox.shopify.coercion import argument_values
from syncline.sandbox.shopify.context import Context
from syncline.sandbox.shopify.problems import ACCESS_SCOPES_PAGE, Problem, Refused, locations
from syncline.sandbox.shopify.schema import Access
from syncline.sandbox.shopify.selection import collect_fields

Run = Callable[[Any], Any]
Items = Callable[[Any], Iterable[Any]]
Path = tuple[str, ...]


@dataclass(slots=True)
class BulkLine:
    """How a bulk query writes one kind of line: `run` gives the object without its connections."""

    run: Run
    connections: list[BulkConnection] = field(default_factory=list)


@dataclass(slots=True)
class BulkConnection:
    """A connection whose nodes become lines; `items` takes the entity of the line above (None at the root)."""

    name: str
    node_type: str
    items: Items
    line: BulkLine


@dataclass(slots=True)
class Call:
    """One field of a selection, with its arguments: what a resolver is made from."""

    compiler: Compiler
    parent: GraphQLObjectType
    name: str
    known: GraphQLField
    nodes: list[FieldNode]
    args: dict[str, Any]
    path: Path

    @property
    def context(self) -> Context:
        return self.compiler.context

    @property
    def named(self) -> Any:
        return get_named_type(self.known.type)

    @property
    def is_list(self) -> bool:
        kind = self.known.type
        return isinstance(kind.of_type if isinstance(kind, GraphQLNonNull) else kind, GraphQLList)

    @property
    def sets(self) -> list[SelectionSetNode]:
        return [node.selection_set for node in self.nodes if node.selection_set]

    def child(self, reach: Run | None = None) -> Run:
        """The selection below this field. `reach` gets the entity below from the one above; bulk lines need it."""
        return self.compiler.below(self.named, self.sets, self.path, reach)


Resolver = Callable[[Call], Run]
Served = Mapping[str, Mapping[str, Resolver]]


class _NullParent(Exception):
    """A field that may not be null is null; the object around it becomes null."""


@dataclass(slots=True)
class Compiler:
    context: Context
    served: Served
    type_of: Callable[[Any], str]
    """The GraphQL type's name of an entity, for interfaces."""
    fragments: Mapping[str, FragmentDefinitionNode]
    refused: list[Problem] = field(default_factory=list)
    line: BulkLine | None = None
    reaching: list[Run] = field(default_factory=list)

    def roots(self, kind: GraphQLObjectType, selection_set: SelectionSetNode) -> list[tuple[str, Run | None, bool]]:
        """Root fields as (response name, run, may be null); a run of None means that access is denied.

        Raises `Refused` with all that is wrong.
        """
        found: list[tuple[str, Run | None, bool]] = []
        for name, nodes in self.collect(kind, [selection_set]).items():
            known = kind.fields.get(nodes[0].name.value)
            nullable = known is None or not isinstance(known.type, GraphQLNonNull)
            try:
                found.append((name, self._field(kind, nodes, (name,)), nullable))
            except _NullParent:
                found.append((name, None, nullable))
        self.raise_refused()
        return found

    def bulk(self, kind: GraphQLObjectType, selection_set: SelectionSetNode) -> BulkLine:
        """The lines of a bulk query; the root's own line is never written. Raises `Refused`."""
        root = BulkLine(lambda _: {})
        self.line = root
        try:
            self.selection(kind, [selection_set], ())
        except _NullParent:
            root.connections.clear()  # access is denied to something that may not be null; the errors tell
        self.raise_refused()
        return root

    def raise_refused(self) -> None:
        if self.refused:
            raise Refused(self.refused)

    def below(self, named: Any, sets: list[SelectionSetNode], path: Path, reach: Run | None = None) -> Run:
        if reach is not None:
            self.reaching.append(reach)
        try:
            if is_abstract_type(named):
                return self._abstract(named, sets, path)
            return self.selection(named, sets, path)
        finally:
            if reach is not None:
                self.reaching.pop()

    def selection(self, kind: GraphQLObjectType, sets: list[SelectionSetNode], path: Path) -> Run:
        pairs: list[tuple[str, Run]] = []
        lost = False
        for name, nodes in self.collect(kind, sets).items():
            try:
                run = self._field(kind, nodes, (*path, name))
            except _NullParent:
                lost = True
                continue
            if run is not SKIPPED:
                pairs.append((name, run))
        if lost:
            raise _NullParent
        if not pairs:
            return SKIPPED if self.line is not None else _bare
        return lambda entity: {name: run(entity) for name, run in pairs}

    def bulk_connection(self, name: str, node_type: str, items: Items, node: Callable[[], Run]) -> Run:
        """Takes a connection out of the line being compiled and makes lines of its nodes."""
        above, reaching = self.line, self.reaching
        assert above is not None
        self.line, self.reaching = BulkLine(lambda _: {}), []
        try:
            self.line.run = node()
            above.connections.append(BulkConnection(name, node_type, _reached(reaching, items), self.line))
        finally:
            self.line, self.reaching = above, reaching
        return SKIPPED

    def collect(self, kind: GraphQLObjectType, sets: list[SelectionSetNode]) -> dict[str, list[FieldNode]]:
        context = self.context
        return collect_fields(context.schema.graphql, kind, sets, self.fragments, context.variables)

    def _abstract(self, named: Any, sets: list[SelectionSetNode], path: Path) -> Run:
        kinds = [one for one in self.context.schema.graphql.get_possible_types(named) if one.name in self.served]
        runs = {one.name: self.selection(one, sets, path) for one in kinds}
        runs = {name: _bare if run is SKIPPED else run for name, run in runs.items()}
        type_of = self.type_of
        return lambda entity: runs[type_of(entity)](entity)

    def _field(self, kind: GraphQLObjectType, nodes: list[FieldNode], path: Path) -> Run:
        name = nodes[0].name.value
        if name == "__typename":
            return lambda _: kind.name
        resolver = self.served.get(kind.name, {}).get(name)
        if resolver is None:
            extensions = {"code": "NOT_SERVED", "typeName": kind.name, "fieldName": name}
            message = f"{kind.name}.{name} is not served by the sandbox."
            self.refused.append(Problem(message, extensions, locations(nodes[0]), path))
            return _null
        known = kind.fields[name]
        if not self._is_granted(kind.name, name, known, nodes[0], path):
            return self._lost(known)
        try:
            args = argument_values(known.args, nodes[0], self.context.variables, path)
            return resolver(Call(self, kind, name, known, nodes, args, path))
        except Refused as refused:
            self.refused.extend(refused.problems)
            return _null
        except _NullParent:
            return self._lost(known)

    def _lost(self, known: GraphQLField) -> Run:
        if isinstance(known.type, GraphQLNonNull):
            raise _NullParent
        return _null

    def _is_granted(self, parent: str, name: str, known: GraphQLField, node: FieldNode, path: Path) -> bool:
        access = self._access(parent, name, known)
        if access is None or access.scopes & self.context.scopes:
            return True
        extensions = {"code": "ACCESS_DENIED", "documentation": ACCESS_SCOPES_PAGE, "requiredAccess": access.text}
        message = f"Access denied for {name} field. Required access: {access.text}"
        self.context.errors.append(Problem(message, extensions, locations(node), path))
        return False

    def _access(self, parent: str, name: str, known: GraphQLField) -> Access | None:
        schema = self.context.schema
        named: Any = get_named_type(known.type)
        if named.name.endswith("Connection") and "nodes" in getattr(named, "fields", {}):
            named = get_named_type(named.fields["nodes"].type)
        return schema.fields.get((parent, name)) or schema.types.get(named.name)


def _null(_: Any) -> None:
    return None


def _bare(_: Any) -> dict[str, Any]:
    """An object of which nothing is asked, as of a type that no fragment names. A new one each time: a bulk line adds
    to it."""
    return {}


def SKIPPED(_: Any) -> None:
    """Stands where a bulk line has nothing: a connection taken out of it, or an object that held only connections."""


def _reached(reaching: list[Run], items: Items) -> Items:
    steps = list(reaching)
    if not steps:
        return items

    def below(entity: Any) -> Iterable[Any]:
        for step in steps:
            entity = step(entity)
            if entity is None:
                return ()
        return items(entity)

    return below


# -- the resolvers most fields are made of


def leaf(read: Run) -> Resolver:
    """A value of the entity itself, already as JSON has it."""
    return lambda _: read


def stored(read: Callable[[Context], Run]) -> Resolver:
    """A value that needs the store."""
    return lambda call: read(call.context)


def single(reach: Callable[[Context], Run]) -> Resolver:
    """An object reached from the entity; None stays null."""

    def resolver(call: Call) -> Run:
        get = reach(call.context)
        child = call.child(get)
        if child is SKIPPED:
            return SKIPPED

        def run(entity: Any) -> Any:
            found = get(entity)
            return None if found is None else child(found)

        return run

    return resolver


def many(reach: Callable[[Context], Run]) -> Resolver:
    """A list of objects reached from the entity."""

    def resolver(call: Call) -> Run:
        get = reach(call.context)
        child = call.child()
        return lambda entity: [child(found) for found in get(entity)]

    return resolver


def entry(call: Call) -> Run:
    """A field of a payload: the entry of that name in a dict, rendered as the schema says. A missing entry is null."""
    name = call.name
    if not call.sets:
        return lambda payload: payload.get(name)
    child = call.child(lambda payload: payload.get(name))
    if call.is_list:

        def run_list(payload: Any) -> Any:
            found = payload.get(name)
            return None if found is None else [child(each) for each in found]

        return run_list

    def run(payload: Any) -> Any:
        found = payload.get(name)
        return None if found is None else child(found)

    return run


def entries(*names: str) -> dict[str, Resolver]:
    return dict.fromkeys(names, entry)
