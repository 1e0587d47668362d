"""What Shopify refuses to run as a bulk operation, before anything runs.

The refusals and their words are those that live stores answered with (API 2026-04), collected in public test fixtures;
where none was found the sentence is ours. Nesting is counted below the root connection: products > variants >
metafields is depth 2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
    parse,
)

from syncline.sandbox.shopify.selection import collect_fields
from syncline.sandbox.shopify.validation import check

MOST_CONNECTIONS = 5
MOST_DEPTH = 2


class BulkQueryRefusedError(ValueError):
    """The query cannot run in bulk; `messages` are the user errors' texts."""

    def __init__(self, messages: Sequence[str]) -> None:
        super().__init__(" ".join(messages))
        self.messages = list(messages)


@dataclass(frozen=True, slots=True)
class BulkQuery:
    document: DocumentNode
    operation: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]


def read_bulk_query(schema: GraphQLSchema, text: str) -> BulkQuery:
    """The parsed query. Raises `BulkQueryRefusedError` with everything that is wrong with it."""
    document = _parsed(text)
    operation = _operation(document)
    if operation.operation is not OperationType.QUERY:
        raise BulkQueryRefusedError(["Invalid operation type. Only `query` operations are supported."])
    problems = check(schema, document)
    if problems:
        raise BulkQueryRefusedError([f"Invalid bulk query: {problem.message}" for problem in problems])
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    messages = _Reading(schema, fragments).refusals(operation)
    if messages:
        raise BulkQueryRefusedError(messages)
    return BulkQuery(document, operation, fragments)


def syntax_error(error: GraphQLError) -> str:
    """A parser's complaint in the words of Shopify's own."""
    said = error.message.removeprefix("Syntax Error: ").rstrip(".")
    return f"syntax error, {'unexpected end of file' if '<EOF>' in said else said}"


def _parsed(text: str) -> DocumentNode:
    try:
        return parse(text)
    except GraphQLError as error:
        raise BulkQueryRefusedError([f"Invalid bulk query: {syntax_error(error)}"]) from error


def _operation(document: DocumentNode) -> OperationDefinitionNode:
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    if len(operations) != 1:
        raise BulkQueryRefusedError(["Bulk queries must contain exactly one operation."])
    return operations[0]


@dataclass(slots=True)
class _Reading:
    """One walk over the query, noting what is wrong."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    by_nodes: list[str] = field(default_factory=list)
    top_level: list[str] = field(default_factory=list)
    without_id: list[str] = field(default_factory=list)
    not_nodes: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    is_in_list: bool = False
    deepest: int = 0
    count: int = 0

    def refusals(self, operation: OperationDefinitionNode) -> list[str]:
        root = self.schema.query_type
        assert root is not None  # Shopify's schema has queries
        for one, sets in self._fields(root, [operation.selection_set]):
            name = one.name.value
            if name in {"node", "nodes"}:
                self.top_level.append(name)
            elif _is_connection(root, one):
                self._connection(root, one, sets, 0)
            else:
                self.beside.append(name)
        messages = list(self._complaints())
        if not self.count and (not messages or self.top_level):
            messages.append("Bulk queries must contain at least one connection.")
        if not messages and self.beside:
            messages.append(f"Bulk queries with the top level field `{self.beside[0]}` are not served by the sandbox.")
        return messages

    def _complaints(self) -> Iterator[str]:
        if self.by_nodes:
            names = "', '".join(self.by_nodes)
            yield (
                "All connection fields in a bulk query must select their contents using 'edges' > 'node', e.g: "
                "'products { edges { node {'. Selecting via 'nodes' is not supported. Invalid connection fields: "
                f"'{names}'."
            )
        for name in self.top_level:
            yield f"Bulk queries cannot contain a top level `{name}` field."
        if self.deepest > MOST_DEPTH:
            yield f"Bulk queries cannot contain connections with a nesting depth greater than {MOST_DEPTH}."
        if self.count > MOST_CONNECTIONS:
            yield f"Bulk queries cannot contain more than {MOST_CONNECTIONS} connections."
        if self.without_id:
            yield (
                "The parent 'node' field for a nested connection must select the 'id' field without an alias and must "
                f"be of 'ID' return type. Connection fields without 'id': {', '.join(self.without_id)}."
            )
        if self.is_in_list:
            yield "Queries that contain a connection field within a list field are not currently supported."
        if self.not_nodes:
            yield f"Connections in a bulk query must return nodes with an 'id'. Invalid: {', '.join(self.not_nodes)}."

    def _connection(
        self, owner: GraphQLObjectType, one: FieldNode, sets: Sequence[SelectionSetNode], depth: int
    ) -> None:
        name = one.name.value
        self.count += 1
        self.deepest = max(self.deepest, depth)
        connection = _target(owner, name)
        edge = _target(connection, "edges")
        node = get_named_type(edge.fields["node"].type)
        chosen = list(self._fields(connection, sets))
        if any(each.name.value == "nodes" for each, _ in chosen):
            self.by_nodes.append(name)
        if not isinstance(node, GraphQLObjectType):
            return  # an interface: no connection below it can be told here
        edges = [inner for each, below in chosen if each.name.value == "edges" for inner in below]
        nodes = [inner for each, below in self._fields(edge, edges) if each.name.value == "node" for inner in below]
        is_node = any(isinstance(each, GraphQLInterfaceType) and each.name == "Node" for each in node.interfaces)
        if depth == 0 and not is_node:
            # Below, clients in daily use ask for images, prices and publications, none of which is a Node.
            self.not_nodes.append(name)
        before = self.count
        self._object(node, nodes, depth, in_list=False)
        has_id = any(each.name.value == "id" and each.alias is None for each, _ in self._fields(node, nodes))
        if self.count > before and not has_id:
            self.without_id.append(name)

    def _object(self, owner: GraphQLObjectType, sets: Sequence[SelectionSetNode], depth: int, *, in_list: bool) -> None:
        for one, below in self._fields(owner, sets):
            if not below or one.name.value == "__typename":
                continue
            if _is_connection(owner, one):
                self.is_in_list = self.is_in_list or in_list
                self._connection(owner, one, below, depth + 1)
                continue
            kind = owner.fields[one.name.value].type
            named = get_named_type(kind)
            if isinstance(named, GraphQLObjectType):
                self._object(named, below, depth, in_list=in_list or _is_list(kind))

    def _fields(
        self, owner: GraphQLObjectType, sets: Sequence[SelectionSetNode]
    ) -> Iterator[tuple[FieldNode, list[SelectionSetNode]]]:
        """Fields asked for on `owner` with what is asked for below them."""
        for nodes in collect_fields(self.schema, owner, sets, self.fragments, {}).values():
            yield nodes[0], [one.selection_set for one in nodes if one.selection_set]


def _is_connection(owner: GraphQLObjectType, one: FieldNode) -> bool:
    known = owner.fields.get(one.name.value)
    target = get_named_type(known.type) if known else None
    return isinstance(target, GraphQLObjectType) and target.name.endswith("Connection") and "edges" in target.fields


def _target(owner: GraphQLObjectType, name: str) -> GraphQLObjectType:
    target = get_named_type(owner.fields[name].type)
    assert isinstance(target, GraphQLObjectType)  # connections and their edges are objects throughout the schema
    return target


def _is_list(kind: object) -> bool:
    return isinstance(kind.of_type if isinstance(kind, GraphQLNonNull) else kind, GraphQLList)
