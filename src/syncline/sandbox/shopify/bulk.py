"""Bulk operations: what runs, what has run, and the files they leave.

A query's result is written once for each state of the store and served as a plain file, so that a benchmark measures
its client. Everything happens on the event loop in short turns of some hundred lines, and an object is shown as it is
when its turn comes: the result is of the time the operation ran.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from syncline.kernel import clock
from syncline.sandbox.shopify.bulk_mutation import Execute, find_upload, mutation_refusals, run_lines
from syncline.sandbox.shopify.bulk_query import BulkQuery, BulkQueryRefusedError, read_bulk_query
from syncline.sandbox.shopify.bulk_results import (
    LineFaults,
    Progress,
    Result,
    ResultCache,
    bulk_lines,
    write_faulty,
    write_first,
    write_lines,
)
from syncline.sandbox.shopify.compiler import BulkLine
from syncline.sandbox.shopify.faults import Faults
from syncline.sandbox.shopify.files import LIFETIME, FileServer, StoredFile
from syncline.sandbox.shopify.ids import gid
from syncline.sandbox.shopify.schema import AdminSchema
from syncline.sandbox.shopify.staged_uploads import StagedUploads, Upload, UserError
from syncline.sandbox.shopify.state import Store

FIRST_ID = 5_800_000_000_001
ENDED = frozenset({"COMPLETED", "FAILED", "CANCELED", "EXPIRED"})
ERROR_CODES = ("INTERNAL_SERVER_ERROR", "TIMEOUT", "ACCESS_DENIED")
CANCEL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class CompiledBulk:
    """A compiled bulk query; `is_denied` when a scope is missing for something it asks for."""

    line: BulkLine
    is_denied: bool = False


Compile = Callable[[AdminSchema, BulkQuery], CompiledBulk]
Work = Callable[["BulkOperation"], Awaitable[Result]]


class _FailedError(Exception):
    """The operation ends FAILED with this code and, perhaps, what it had written so far."""

    def __init__(self, code: str, partial: Result | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.partial = partial


@dataclass(slots=True, eq=False)
class BulkOperation:
    id: int
    type: str  # QUERY | MUTATION
    query: str
    created_at: datetime
    state: str = "CREATED"
    completed_at: datetime | None = None
    error_code: str | None = None
    progress: Progress = field(default_factory=Progress)
    result: StoredFile | None = None
    partial: StoredFile | None = None
    shown_share: float = 1.0
    """How much of `progress` is told while a delayed operation runs."""
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def status(self) -> str:
        """CREATED, RUNNING, COMPLETED, FAILED, CANCELING, CANCELED; EXPIRED seven days after completion."""
        is_old = self.completed_at is not None and clock.now() >= self.completed_at + LIFETIME
        return "EXPIRED" if is_old and self.state == "COMPLETED" else self.state

    @property
    def object_count(self) -> int:
        return int(self.progress.objects * self.shown_share)

    @property
    def root_object_count(self) -> int:
        return int(self.progress.roots * self.shown_share)

    @property
    def file_size(self) -> int | None:
        return self.result.size if self.result else None


class BulkOperations:
    """All bulk operations of one shop and app.

    `delay` is how many seconds an operation takes at least; by default it takes as long as its file.
    """

    def __init__(
        self,
        store: Store,
        faults: Faults,
        folder: Path,
        *,
        compile_query: Compile,
        execute: Execute,
        delay: float = 0.0,
    ) -> None:
        self.delay = delay
        self.tell: Callable[[BulkOperation], None] = lambda _: None
        """Hears of each operation that ended."""
        self.operations: dict[int, BulkOperation] = {}
        self.files = FileServer(faults)
        self.uploads = StagedUploads(folder, store.shop.id)
        self._store = store
        self._faults = faults
        self._cache = ResultCache(folder)
        self._compile = compile_query
        self._execute = execute
        self._tasks: set[asyncio.Task[None]] = set()

    def run_query(
        self, schema: AdminSchema, text: str, *, group_objects: bool | None = None
    ) -> tuple[BulkOperation | None, list[UserError]]:
        """`bulkOperationRunQuery`. Without `group_objects` the version's default holds: grouped before 2026-01.

        Raises whatever the compiler raises for what the sandbox does not serve.
        """
        try:
            query = read_bulk_query(schema.graphql, text)
        except BulkQueryRefusedError as refused:
            return None, [UserError(["query"], message, "INVALID") for message in refused.messages]
        if limit := self._limit(schema, "QUERY"):
            return None, [limit]
        compiled = self._compile(schema, query)
        grouped = _is_grouped(schema, group_objects)

        async def work(operation: BulkOperation) -> Result:
            if compiled.is_denied:
                raise _FailedError("ACCESS_DENIED")
            return self._spoiled(await self._written(schema, text, compiled, grouped, operation.progress), text)

        return self._start("QUERY", text, work), []

    def run_mutation(
        self, schema: AdminSchema, text: str, staged_upload_path: str
    ) -> tuple[BulkOperation | None, list[UserError]]:
        """`bulkOperationRunMutation`."""
        if refusals := mutation_refusals(schema, text):
            return None, refusals
        upload = find_upload(self.uploads, staged_upload_path)
        if isinstance(upload, UserError):
            return None, [upload]
        if limit := self._limit(schema, "MUTATION"):
            return None, [limit]
        return self._start("MUTATION", text, self._mutation_work(schema, text, staged_upload_path, upload)), []

    def cancel(self, number: int) -> tuple[BulkOperation | None, list[UserError]]:
        """`bulkOperationCancel`: CANCELING now, CANCELED a moment later."""
        operation = self.operations.get(number)
        if operation is None:
            return None, [UserError(["id"], "Bulk operation does not exist")]
        status = operation.status
        if status in ENDED:
            message = f"A bulk operation cannot be canceled when it is {status.lower()}"
            return operation, [UserError(None, message)]
        operation.state = "CANCELING"
        operation.progress.is_stopped = True
        operation.cancelled.set()
        return operation, []

    def newest(self, kind: str | None = None) -> list[BulkOperation]:
        """All operations, of one type when named, the newest first."""
        return [one for one in reversed(self.operations.values()) if kind in {None, one.type}]

    async def prepare(self, schema: AdminSchema, text: str, *, group_objects: bool | None = None) -> Result:
        """Writes the result of a query for the store as it is now, so that an operation with it ends at once.

        Raises `BulkQueryRefusedError`.
        """
        compiled = self._compile(schema, read_bulk_query(schema.graphql, text))
        return await self._written(schema, text, compiled, _is_grouped(schema, group_objects), Progress())

    async def close(self) -> None:
        """Stops what runs. The folder stays; its owner removes it."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _limit(self, schema: AdminSchema, kind: str) -> UserError | None:
        """One at a time per type before 2026-01, five since (changelog of 15 December 2025)."""
        active = [one for one in self.operations.values() if one.type == kind and one.status not in ENDED]
        if schema.at_least("2026-01"):
            message = "Bulk operations limit reached. Please try again later."
            return UserError(None, message, "LIMIT_REACHED") if len(active) >= 5 else None
        if not active:
            return None
        running = gid("BulkOperation", active[0].id)
        message = f"A bulk {kind.lower()} operation for this app and shop is already in progress: {running}."
        return UserError(None, message, "OPERATION_IN_PROGRESS")

    def _start(self, kind: str, text: str, work: Work) -> BulkOperation:
        number = FIRST_ID + len(self.operations)
        operation = BulkOperation(number, kind, text, clock.now().replace(microsecond=0))
        self.operations[number] = operation
        task = asyncio.get_running_loop().create_task(self._run(operation, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return operation

    async def _run(self, operation: BulkOperation, work: Work) -> None:
        await asyncio.sleep(0)
        started = time.monotonic()
        try:
            if operation.state == "CREATED":
                operation.state = "RUNNING"
            if self._faults.take("bulk_stuck", text=operation.query):
                await operation.cancelled.wait()
            result = None if operation.cancelled.is_set() else await work(operation)
            await self._wait(operation, started)
            self._end(operation, result)
        except _FailedError as failed:
            await self._wait(operation, started)
            self._fail(operation, failed)
        except Exception:
            self._fail(operation, _FailedError(ERROR_CODES[0]))
            raise
        finally:
            operation.shown_share = 1.0
            operation.ended.set()
            self.tell(operation)

    async def _wait(self, operation: BulkOperation, started: float) -> None:
        while not operation.cancelled.is_set() and (passed := time.monotonic() - started) < self.delay:
            operation.shown_share = passed / self.delay
            await asyncio.sleep(min(0.05, self.delay - passed))
        if operation.cancelled.is_set():
            await asyncio.sleep(CANCEL_SECONDS)

    def _end(self, operation: BulkOperation, result: Result | None) -> None:
        if operation.cancelled.is_set() or result is None:
            operation.state = "CANCELED"
            return
        operation.progress = Progress(result.objects, result.roots)
        if result.size:
            operation.result = self._publish(operation, result)
        operation.completed_at = clock.now().replace(microsecond=0)
        operation.state = "COMPLETED"

    def _fail(self, operation: BulkOperation, failed: _FailedError) -> None:
        operation.error_code = failed.code
        partial = failed.partial
        operation.progress = Progress(partial.objects, partial.roots) if partial else Progress()
        if partial and partial.size:
            operation.partial = self._publish(operation, partial)
        operation.completed_at = clock.now().replace(microsecond=0)
        operation.state = "FAILED"

    def _publish(self, operation: BulkOperation, result: Result) -> StoredFile:
        return self.files.publish(StoredFile(result.path, result.size, f"bulk-{operation.id}.jsonl", clock.now()))

    async def _written(
        self, schema: AdminSchema, text: str, compiled: CompiledBulk, grouped: bool, progress: Progress
    ) -> Result:
        revision = self._store.revision
        key = (schema.version, " ".join(text.split()), grouped, revision)
        kept = self._cache.find(key)
        if kept is not None:
            return kept
        lines = bulk_lines(self._store, compiled.line, grouped=grouped)
        result = await write_lines(lines, self._cache.new_path(), progress)
        if self._store.revision == revision and not progress.is_stopped:
            self._cache.keep(key, result)
        return result

    def _mutation_work(self, schema: AdminSchema, text: str, key: str, upload: Upload) -> Work:
        async def work(operation: BulkOperation) -> Result:
            path = self._cache.new_path()
            result = await run_lines(schema, text, upload, path, self._execute, operation.progress)
            if self.uploads.find(key) != upload:  # the file was replaced while it was read
                raise _FailedError("INTERNAL_SERVER_ERROR", result)
            return result

        return work

    def _spoiled(self, result: Result, text: str) -> Result:
        """The result after the faults that are on. A failing operation leaves the first half of its lines;
        `bulk_fail@TIMEOUT` names its error code."""
        if fault := self._faults.take("bulk_fail", text=f"{' '.join(ERROR_CODES)} {text}"):
            code = fault.match if fault.match in ERROR_CODES else ERROR_CODES[0]
            raise _FailedError(code, write_first(result, self._cache.new_path(), result.objects // 2))
        if over := self._faults.take_over(result.objects, text):
            raise _FailedError("TIMEOUT", write_first(result, self._cache.new_path(), over.objects))
        faults = LineFaults(
            reordered=self._faults.take("bulk_reorder", text=text) is not None,
            duplicated=self._faults.take("bulk_duplicate_lines", text=text) is not None,
            missing=self._faults.take("bulk_missing_objects", text=text) is not None,
        )
        return write_faulty(result, self._cache.new_path(), faults) if faults != LineFaults() else result


def _is_grouped(schema: AdminSchema, group_objects: bool | None) -> bool:
    return group_objects if group_objects is not None else not schema.at_least("2026-01")
