"""Bulk mutations: one mutation run with each line of an uploaded file as its variables."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

import msgspec
from graphql import FieldNode, GraphQLError, OperationDefinitionNode, OperationType, parse

from syncline.sandbox.shopify.bulk_query import syntax_error
from syncline.sandbox.shopify.bulk_results import Progress, Result
from syncline.sandbox.shopify.schema import AdminSchema
from syncline.sandbox.shopify.staged_uploads import StagedUploads, Upload, UserError
from syncline.sandbox.shopify.validation import check

Execute = Callable[[AdminSchema, str, Mapping[str, Any]], dict[str, Any]]
"""Runs one mutation with its variables and gives the response: `data`, `errors`."""

BATCH_LINES = 20
NOT_ALLOWED = frozenset({"bulkOperationRunMutation", "bulkOperationRunQuery", "bulkOperationCancel"})
NO_SUCH_FILE = (
    "The JSONL file could not be found. Try uploading the file again, and check that you've entered the URL correctly "
    "for the stagedUploadPath mutation argument."
)


def mutation_refusals(schema: AdminSchema, text: str) -> list[UserError]:
    """What is wrong with the mutation, in the words live stores used (API 2026-04)."""
    try:
        document = parse(text)
    except GraphQLError as error:
        message = f"Failed to parse the mutation - {syntax_error(error)}"
        return [UserError(None, message, "INVALID_MUTATION")]
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    if len(operations) != 1 or operations[0].operation is not OperationType.MUTATION:
        message = "Invalid operation type. Only `mutation` operations are supported."
        return [UserError(None, message, "INVALID_MUTATION")]
    roots = [one for one in operations[0].selection_set.selections if isinstance(one, FieldNode)]
    if len(roots) != 1:
        return [UserError(["mutation"], "You must specify a single top level mutation.")]
    if roots[0].name.value in NOT_ALLOWED:
        return [UserError(["mutation"], "You must use an allowed mutation name.")]
    return [
        UserError(None, f"Failed to validate the mutation - {problem.message}", "INVALID_MUTATION")
        for problem in check(schema.graphql, document)
    ]


def find_upload(uploads: StagedUploads, path: str) -> Upload | UserError:
    upload = uploads.find(path)
    if upload is None:
        return UserError(None, NO_SUCH_FILE, "NO_SUCH_FILE")
    if upload.size == 0:
        message = (
            "The JSONL file submitted via the `stagedUploadsCreate` mutation is invalid. Update the file and try again."
        )
        return UserError(None, message, "INVALID_STAGED_UPLOAD_FILE")
    return upload


async def run_lines(
    schema: AdminSchema, text: str, upload: Upload, into: Path, execute: Execute, progress: Progress
) -> Result:
    """Runs every line and writes the responses with `__lineNumber`, counted from 0; blank lines count and do nothing.

    Lines of one batch are answered in another order than they stand in, as Shopify does not promise theirs.
    """
    shuffle = Random(upload.size).shuffle
    with into.open("wb") as file:
        waiting: list[bytes] = []
        for number, line in enumerate(upload.path.read_bytes().split(b"\n")):
            if line.strip():
                waiting.append(msgspec.json.encode({**_answer(schema, text, line, execute), "__lineNumber": number}))
                progress.objects += 1
                progress.roots += 1
            if progress.is_stopped:
                break
            if len(waiting) >= BATCH_LINES:
                shuffle(waiting)
                file.write(b"\n".join(waiting) + b"\n")
                waiting.clear()
                await asyncio.sleep(0)
        if waiting:
            shuffle(waiting)
            file.write(b"\n".join(waiting) + b"\n")
        return Result(into, file.tell(), progress.objects, progress.roots)


def _answer(schema: AdminSchema, text: str, line: bytes, execute: Execute) -> dict[str, Any]:
    try:
        variables = msgspec.json.decode(line)
    except msgspec.DecodeError as error:
        return {"errors": [{"message": f"Failed to parse the line as JSON: {error}"}]}
    if not isinstance(variables, dict):
        return {"errors": [{"message": "Failed to read the line: it must be a JSON object of variables."}]}
    return execute(schema, text, variables)
