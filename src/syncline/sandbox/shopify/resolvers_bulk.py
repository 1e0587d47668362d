"""Queries and mutations of bulk operations and staged uploads."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLError, parse

from syncline.sandbox.shopify.amounts import moment
from syncline.sandbox.shopify.bulk import BulkOperation, BulkOperations
from syncline.sandbox.shopify.compiler import Call, Resolver, Run, entries, leaf, stored
from syncline.sandbox.shopify.connections import listed
from syncline.sandbox.shopify.context import Context
from syncline.sandbox.shopify.ids import gid, number_of
from syncline.sandbox.shopify.mutations import Payload, UserError, mutation, refuse_unserved, user_error
from syncline.sandbox.shopify.problems import FieldFailed, Problem, Refused
from syncline.sandbox.shopify.search import SearchNotServedError, compile_search
from syncline.sandbox.shopify.staged_uploads import UserError as UploadError
from syncline.sandbox.shopify.validation import check


def bulk_operations(context: Context) -> BulkOperations:
    found = context.world.bulk
    assert isinstance(found, BulkOperations)
    return found


def _errors(found: list[UploadError]) -> list[UserError]:
    return [user_error(one.field, one.message, one.code) for one in found]


def _run_query(call: Call) -> Payload:
    context = call.context
    gone = _removed(context, call.args["query"])
    if gone:
        return {"bulkOperation": None, "userErrors": gone}
    group = call.args.get("groupObjects")
    try:
        operation, errors = bulk_operations(context).run_query(context.schema, call.args["query"], group_objects=group)
    except Refused as refused:
        first = refused.problems[0]
        raise FieldFailed(first.message, first.extensions) from refused
    return {"bulkOperation": operation, "userErrors": _errors(errors)}


def _removed(context: Context, text: str) -> list[UserError]:
    """What the schema refuses because a fault took a field away; all else is the bulk operations' own to check."""
    removed = context.world.faults.removed_fields(None, text)
    if not removed:
        return []
    try:
        document = parse(text)
    except GraphQLError:
        return []
    found = check(context.schema.graphql, document, removed)
    return [user_error(["query"], f"Invalid bulk query: {problem.message}", "INVALID") for problem in found]


def _run_mutation(call: Call) -> Payload:
    context = call.context
    operation, errors = bulk_operations(context).run_mutation(
        context.schema, call.args["mutation"], call.args["stagedUploadPath"]
    )
    return {"bulkOperation": operation, "userErrors": _errors(errors)}


def _check_run_mutation(call: Call) -> None:
    refuse_unserved(call, call.name, {"groupObjects": call.args.get("groupObjects")}, frozenset({"groupObjects"}))


def _cancel(call: Call) -> Payload:
    operation, errors = bulk_operations(call.context).cancel(number_of(call.args["id"], "BulkOperation") or 0)
    return {"bulkOperation": operation, "userErrors": _errors(errors)}


def _create_uploads(call: Call) -> Payload:
    context = call.context
    targets, errors = bulk_operations(context).uploads.create(call.args["input"], context.base_url)
    return {"stagedTargets": targets, "userErrors": _errors(errors)}


def _by_id(call: Call) -> Run:
    number = number_of(call.args["id"], "BulkOperation")
    child = call.child()
    operations = bulk_operations(call.context).operations

    def run(_: Any) -> Any:
        if number is None:
            raise FieldFailed("Invalid id", {"code": "RESOURCE_NOT_FOUND"})
        found = operations.get(number)
        return None if found is None else child(found)

    return run


def _current(call: Call) -> Run:
    """The newest operation of a type, running or ended; queries unless `type` says otherwise."""
    kind = call.args.get("type") or "QUERY"
    child = call.child()
    bulk = bulk_operations(call.context)

    def run(_: Any) -> Any:
        found = bulk.newest(kind)
        return child(found[0]) if found else None

    return run


def _listed(context: Context, args: dict[str, Any]) -> Any:
    from_search = args.get("query")
    operations = bulk_operations(context).operations
    if not from_search:
        return lambda _: list(operations.values())
    matches = _search(context, from_search)
    return lambda _: [one for one in operations.values() if matches(one)]


def _search(context: Context, text: str) -> Any:
    try:
        return compile_search(context.store, "bulk_operations", text).matches
    except SearchNotServedError as error:
        raise Refused([Problem(str(error), {"code": "NOT_SERVED"})]) from error


def _file_url(name: str) -> Resolver:
    def read(context: Context) -> Run:
        files = bulk_operations(context).files
        base_url = context.base_url

        def run(operation: BulkOperation) -> str | None:
            file = getattr(operation, name)
            is_expired = operation.status == "EXPIRED"
            return None if file is None or is_expired else files.url(base_url, file)

        return run

    return stored(read)


def _count(value: int | None) -> str | None:
    """UnsignedInt64 travels as a string."""
    return None if value is None else str(value)


QUERY: dict[str, Resolver] = {
    "bulkOperation": _by_id,
    "bulkOperations": listed(
        _listed,
        {"CREATED_AT": lambda operation: operation.created_at, "ID": lambda operation: operation.id},
    ),
    "currentBulkOperation": _current,
}

MUTATIONS: dict[str, Resolver] = {
    "bulkOperationRunQuery": mutation(_run_query),
    "bulkOperationRunMutation": mutation(_run_mutation, _check_run_mutation),
    "bulkOperationCancel": mutation(_cancel),
    "stagedUploadsCreate": mutation(_create_uploads),
}

TYPES: dict[str, dict[str, Resolver]] = {
    "BulkOperation": {
        "id": leaf(lambda operation: gid("BulkOperation", operation.id)),
        "status": leaf(lambda operation: operation.status),
        "type": leaf(lambda operation: operation.type),
        "query": leaf(lambda operation: operation.query),
        "errorCode": leaf(lambda operation: operation.error_code),
        "createdAt": leaf(lambda operation: moment(operation.created_at)),
        "completedAt": leaf(lambda operation: moment(operation.completed_at)),
        "objectCount": leaf(lambda operation: _count(operation.object_count)),
        "rootObjectCount": leaf(lambda operation: _count(operation.root_object_count)),
        "fileSize": leaf(lambda operation: _count(operation.file_size)),
        "url": _file_url("result"),
        "partialDataUrl": _file_url("partial"),
    },
    "BulkOperationRunQueryPayload": entries("bulkOperation", "userErrors"),
    "BulkOperationRunMutationPayload": entries("bulkOperation", "userErrors"),
    "BulkOperationCancelPayload": entries("bulkOperation", "userErrors"),
    "BulkOperationUserError": entries("field", "message", "code"),
    "BulkMutationUserError": entries("field", "message", "code"),
    "StagedUploadsCreatePayload": entries("stagedTargets", "userErrors"),
    "StagedMediaUploadTarget": entries("url", "resourceUrl", "parameters"),
    "StagedUploadParameter": entries("name", "value"),
}
