"""Answers GraphQL requests: parse, validate, price, admit, run.

HTTP, tokens and faults that act on the connection are the app's; what a document means is here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLObjectType,
    OperationDefinitionNode,
    OperationType,
    execute_sync,
    parse,
)

from syncline.sandbox.shopify.bulk import BulkOperation, BulkOperations, CompiledBulk
from syncline.sandbox.shopify.bulk_query import BulkQuery
from syncline.sandbox.shopify.coercion import coerce_variables
from syncline.sandbox.shopify.compiler import Compiler, Run
from syncline.sandbox.shopify.context import Context
from syncline.sandbox.shopify.cost import MAX_QUERY_COST, Priced, actual_cost, field_costs, price, requested_cost
from syncline.sandbox.shopify.idempotency import Attempt
from syncline.sandbox.shopify.options import SandboxOptions
from syncline.sandbox.shopify.problems import FieldFailed, Problem, Refused, bad_request, locations
from syncline.sandbox.shopify.schema import AdminSchema, load_schema
from syncline.sandbox.shopify.served import SERVED, type_name
from syncline.sandbox.shopify.state import Store
from syncline.sandbox.shopify.validation import check
from syncline.sandbox.shopify.world import World

LIMITS_PAGE = "https://shopify.dev/api/usage/rate-limits"
KEPT_DOCUMENTS = 512
INTROSPECTION = frozenset({"__schema", "__type"})


@dataclass(frozen=True, slots=True)
class Asked:
    """One GraphQL request as it came."""

    version: str
    query: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    operation_name: str | None = None
    request_id: str = ""
    base_url: str = ""
    cost_debug: bool = False
    search_debug: bool = False
    token_scopes: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Document:
    parsed: DocumentNode
    operations: list[OperationDefinitionNode]
    fragments: dict[str, FragmentDefinitionNode]


@dataclass(slots=True)
class Plan:
    """A request that may run: all that can be refused without running it has been."""

    asked: Asked
    context: Context
    operation: OperationDefinitionNode
    roots: list[tuple[str, Run | None, bool]]
    priced: list[Priced]
    requested: int


class Engine:
    """One shop's GraphQL API. `folder` keeps the files of bulk operations and uploads."""

    def __init__(self, store: Store, options: SandboxOptions, folder: Path) -> None:
        self.world = World.make(store, options)
        self.bulk = BulkOperations(
            store,
            self.world.faults,
            folder,
            compile_query=self._compile_bulk,
            execute=self._execute_line,
            delay=options.bulk_seconds,
        )
        self.world.bulk = self.bulk
        self.bulk.tell = self._bulk_ended

    def served_version(self, asked: str) -> str:
        """Any version that is not served is answered by the oldest one, as Shopify falls forward."""
        versions = self.world.options.versions
        return asked if asked in versions else versions[0]

    def answer(self, asked: Asked) -> dict[str, Any]:
        """The response body of one request, admitted by the bucket or refused."""
        try:
            plan = self.plan(asked)
        except Refused as refused:
            return self._refusal(refused)
        return self.admit(plan) or self.run(plan)

    def plan(self, asked: Asked) -> Plan:
        """Raises `Refused` with all that can be known to be wrong before the request runs."""
        schema = load_schema(asked.version)
        document = self._document(asked)
        operation = _chosen(document, asked.operation_name)
        context = self._context(schema, asked, operation)
        context.variables = coerce_variables(schema.graphql, operation, asked.variables)
        priced = price(schema.graphql, operation, document.fragments, context.variables)
        compiler = Compiler(context, SERVED, type_name, document.fragments)
        if _is_introspection(operation):
            introspected = execute_sync(schema.graphql, document.parsed, variable_values=dict(asked.variables)).data
            roots: list[tuple[str, Run | None, bool]] = [
                (name, _constant(value), True) for name, value in (introspected or {}).items()
            ]
            return Plan(asked, context, operation, roots, [], 0)
        roots = compiler.roots(_root(schema, operation), operation.selection_set)
        return Plan(asked, context, operation, roots, priced, requested_cost(priced))

    def admit(self, plan: Plan) -> dict[str, Any] | None:
        """None when the bucket has taken the requested cost; else the refusal's body."""
        if plan.requested > MAX_QUERY_COST:
            return _too_dear(plan.requested)
        if not self.world.options.limits or self.world.bucket.take(plan.requested):
            return None
        return self.throttled(plan.requested)

    def throttled(self, requested: int) -> dict[str, Any]:
        """THROTTLED. When a fault forces it the bucket is shown one point short: the wait it implies is short."""
        self.world.counters.throttled += 1
        status = self.world.bucket.status()
        status["currentlyAvailable"] = min(status["currentlyAvailable"], max(0, requested - 1))
        cost = {"requestedQueryCost": requested, "actualQueryCost": None, "throttleStatus": status}
        error = {"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": LIMITS_PAGE}}
        return {"errors": [error], "extensions": {"cost": cost}}

    def reserve(self, plan: Plan) -> None:
        """Marks the plan's idempotency keys as in flight, for a request that is slow to run."""
        for key, fingerprint in plan.context.keys:
            begun = self.world.idempotency.begin(key, fingerprint)
            if isinstance(begun, Attempt):
                plan.context.reserved[key] = begun

    def run(self, plan: Plan) -> dict[str, Any]:
        """Runs an admitted plan and settles its cost."""
        try:
            body = self._data(plan)
        except Refused as refused:
            self._settle(plan, 0)
            return self._refusal(refused)
        actual = min(plan.requested, actual_cost(plan.priced, plan.context.sizes))
        self._settle(plan, actual)
        cost: dict[str, Any] = {
            "requestedQueryCost": plan.requested,
            "actualQueryCost": actual,
            "throttleStatus": self.world.bucket.status(),
        }
        if plan.asked.cost_debug:
            cost["fields"] = field_costs(plan.priced)
        body["extensions"] = {"cost": cost}
        if plan.context.searches:
            body["extensions"]["search"] = plan.context.searches
        return body

    def _settle(self, plan: Plan, actual: int) -> None:
        if self.world.options.limits:
            self.world.bucket.settle(plan.requested, actual)

    def _refusal(self, refused: Refused) -> dict[str, Any]:
        self.world.counters.refused += 1
        return {"errors": [problem.shown() for problem in refused.problems]}

    def _data(self, plan: Plan) -> dict[str, Any]:
        data: dict[str, Any] | None = {}
        errors = plan.context.errors
        for name, run, is_nullable in plan.roots:
            value = None
            if run is not None:
                try:
                    value = run(None)
                except FieldFailed as failed:
                    node = _field_node(plan.operation, name)
                    where = locations(node) if node else None
                    errors.append(Problem(failed.message, failed.extensions, where, (name,)))
            if value is None and not is_nullable:
                data = None
                break
            if data is not None:
                data[name] = value
        body: dict[str, Any] = {"data": data}
        if errors:
            body["errors"] = [problem.shown() for problem in errors]
        return body

    def _context(self, schema: AdminSchema, asked: Asked, operation: OperationDefinitionNode) -> Context:
        return Context(
            world=self.world,
            schema=schema,
            scopes=asked.token_scopes if asked.token_scopes is not None else self.world.options.granted(),
            operation=operation.name.value if operation.name else None,
            request_id=asked.request_id,
            base_url=asked.base_url,
            search_debug=asked.search_debug,
        )

    def _document(self, asked: Asked) -> Document:
        removed = self.world.faults.removed_fields(asked.operation_name, asked.query)
        found = _parsed(asked.version, asked.query, removed)
        if isinstance(found, list):
            raise Refused(found)
        return found

    def _bulk_ended(self, operation: BulkOperation) -> None:
        self.world.store.journal.tell("bulk_operations/finish", operation)
        self.world.webhooks.acted()

    def _compile_bulk(self, schema: AdminSchema, query: BulkQuery) -> CompiledBulk:
        context = self._context(schema, Asked(schema.version, ""), query.operation)
        context.in_bulk = True
        compiler = Compiler(context, SERVED, type_name, query.fragments)
        line = compiler.bulk(_root(schema, query.operation), query.operation.selection_set)
        return CompiledBulk(line, is_denied=bool(context.errors))

    def _execute_line(self, schema: AdminSchema, text: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        try:
            plan = self.plan(Asked(schema.version, text, variables))
        except Refused as refused:
            return {"errors": [problem.shown() for problem in refused.problems]}
        plan.context.in_bulk = True
        return self._data(plan)


@lru_cache(KEPT_DOCUMENTS)
def _parsed(version: str, text: str, removed: frozenset[tuple[str, str]]) -> Document | list[Problem]:
    # For all shops of the process: what a document means does not depend on the shop.
    try:
        parsed = parse(text)
    except GraphQLError as error:
        at = [{"line": one.line, "column": one.column} for one in error.locations or ()]
        message = error.message.removeprefix("Syntax Error: ").rstrip(".")
        return [Problem(f"syntax error, {message[:1].lower()}{message[1:]}", None, at)]
    problems = check(load_schema(version).graphql, parsed, removed)
    if problems:
        return problems
    operations = [one for one in parsed.definitions if isinstance(one, OperationDefinitionNode)]
    fragments = {one.name.value: one for one in parsed.definitions if isinstance(one, FragmentDefinitionNode)}
    return Document(parsed, operations, fragments)


def _chosen(document: Document, name: str | None) -> OperationDefinitionNode:
    if name is None and len(document.operations) == 1:
        return document.operations[0]
    found = next((one for one in document.operations if one.name and one.name.value == name), None)
    if found is None:
        message = "An operation name is required" if name is None else f'No operation named "{name}"'
        raise Refused([bad_request(message)])
    return found


def _root(schema: AdminSchema, operation: OperationDefinitionNode) -> GraphQLObjectType:
    is_mutation = operation.operation is OperationType.MUTATION
    root = schema.graphql.mutation_type if is_mutation else schema.graphql.query_type
    if root is None:
        raise Refused([bad_request(f"Schema is not configured for {operation.operation.value}s")])
    return root


def _is_introspection(operation: OperationDefinitionNode) -> bool:
    names = {one.name.value for one in operation.selection_set.selections if isinstance(one, FieldNode)}
    return bool(names & INTROSPECTION) and names <= INTROSPECTION | {"__typename"}


def _field_node(operation: OperationDefinitionNode, name: str) -> FieldNode | None:
    fields = (one for one in operation.selection_set.selections if isinstance(one, FieldNode))
    return next((one for one in fields if (one.alias or one.name).value == name), None)


def _constant(value: Any) -> Run:
    return lambda _: value


def _too_dear(cost: int) -> dict[str, Any]:
    message = (
        f"Query cost is {cost}, which exceeds the single query max cost limit ({MAX_QUERY_COST}).\n\n"
        "See https://shopify.dev/docs/api/usage/rate-limits for more information on how the\n"
        "cost of a query is calculated.\n\n"
        "To query larger amounts of data with fewer limits, bulk operations should be used instead.\n"
        "See https://shopify.dev/docs/api/usage/bulk-operations/queries for usage details.\n"
    )
    extensions = {
        "code": "MAX_COST_EXCEEDED",
        "cost": cost,
        "maxCost": MAX_QUERY_COST,
        "documentation": LIMITS_PAGE,
    }
    return {"errors": [{"message": message, "extensions": extensions}]}
