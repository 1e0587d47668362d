"""The demo's steps: what a merchandiser does in a day, each checked against the store's own view of itself."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from rich.table import Table
from rich.text import Text

from syncline.apps.commerce.contract import (
    ChangeBatch,
    ChangeQuery,
    ChangeStatus,
    Commerce,
    ImportResult,
    PullMode,
    PullRun,
    PushRun,
    Reconciliation,
    Resolution,
    RunStatus,
    StagedChange,
)
from syncline.apps.commerce.schedule_contract import ScheduledAction
from syncline.apps.commerce.staging.diff import FieldChange, render_change
from syncline.kernel.errors import SynclineError
from syncline.kernel.paging import PageRequest
from syncline.main.cli.console import table
from syncline.main.cli.demo_screen import Screen
from syncline.main.cli.outcome import problem_table, reconciliation_view
from syncline.main.cli.pull import follow_pull
from syncline.main.cli.pull_view import pull_view, streams_view
from syncline.main.cli.push import follow_push
from syncline.main.cli.push_view import push_view
from syncline.main.cli.schedule import schedule_table
from syncline.main.cli.verify import verification_view
from syncline.main.cli.workspace import Workspace
from syncline.main.demo.checks import Check
from syncline.main.demo.sheet import SLIP, Catalogue, Sheet, make_sheet
from syncline.main.demo.shop import Contents, Shop
from syncline.main.sandbox_process import RunningSandbox
from syncline.main.verification.finding import Verdict
from syncline.main.verification.verify import verify_here

STORE = "demo"
WHERE = "status:active price:100..400"
EDIT = "price=+10%~.99"
SHEET = "autumn.csv"
SUNDAYS, ZONE = "0 3 * * 0", "Europe/Berlin"
_SHOWN = 4
_PAGE = 1000
_PATIENCE = timedelta(minutes=1)
_PLURALS = {
    "product": "products",
    "variant": "variants",
    "location": "locations",
    "inventory_level": "stock levels",
    "collection": "collections",
    "collection_membership": "collection places",
    "product_media": "pictures",
    "metafield": "metafields",
    "order": "orders",
    "order_line": "order lines",
    "customer": "customers",
    "refund_line": "lines of refunds",
    "collection_metafield": "metafields of collections",
    "order_metafield": "metafields of orders",
    "customer_metafield": "metafields of customers",
}
_MARKED_DOWN = Decimal("0.95")


class DemoFailed(SynclineError):
    """A step did not end as it has to, so that the next has nothing to stand on."""


@dataclass(frozen=True, slots=True)
class Timing:
    what: str
    records: int
    seconds: float


@dataclass(slots=True)
class Demo:
    """One demo under way, and what came of it."""

    here: Workspace
    sandbox: RunningSandbox
    folder: Path
    screen: Screen
    checks: list[Check] = field(default_factory=list)
    timings: list[Timing] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)
    mirrored: dict[str, int] = field(default_factory=dict)

    @property
    def shop(self) -> Shop:
        return Shop(self.sandbox.url)

    @property
    def commerce(self) -> Commerce:
        return self.here.contract(Commerce)

    async def run(self) -> None:
        """Raises `DemoFailed`; what merely does not agree is in `checks`."""
        await self._pull()
        before = await self.shop.contents()
        prices = await self._stage_prices()
        sheet = await self._stage_sheet()
        moved = await self._edit_in_the_admin(prices)
        await self._push(prices, sheet)
        await self._settle_conflict()
        await self._check_writes(prices, sheet)
        await self._undo(prices)
        await self._pull_changes()
        await self._prove(before.changed(sheet.meant).changed(moved))
        await self._schedule()
        await self._verify()

    def expect(self, what: str, expected: int, found: int) -> None:
        self.checks.append(Check(what, expected, found))

    @contextmanager
    def timed(self, what: str) -> Iterator[list[int]]:
        """The block puts the number of records into the list it is given."""
        records: list[int] = []
        started = time.perf_counter()
        yield records
        self.timings.append(Timing(what, sum(records), time.perf_counter() - started))

    async def _pull(self) -> None:
        self.screen.step(
            "Pull the store", "everything it has, then a count of both sides", f"syncline pull {STORE} --full"
        )
        await self.commerce.add_store(
            actor=self.here.actor,
            name=STORE,
            shop_domain=self.sandbox.shop_domain,
            token=self.sandbox.token,
            base_url=self.sandbox.url,
        )
        self.screen.show(pull_view(await self._read("pull", PullMode.FULL)))
        self.sizes = await self.shop.sizes()
        self.mirrored = dict((await self.commerce.overview(actor=self.here.actor, store=STORE)).records)
        for kind, size in self.sizes.items():
            self.expect(f"{_PLURALS[kind]} mirrored", size, self.mirrored.get(kind, 0))

    async def _read(self, what: str, mode: PullMode) -> PullRun:
        with self.timed(what) as records, self.screen.bars() as bars:
            started = await self.commerce.start_pull(actor=self.here.actor, store=STORE, mode=mode)
            run = await follow_pull(self.here, started.id, bars)
            records.append(sum(stream.read for stream in run.streams))
        if run.status is not RunStatus.COMPLETED or run.reconciliation is None:
            raise DemoFailed(f"The pull ended as {run.status}: {run.error}")
        self.expect(f"kinds that differ, {what}", 0, sum(not kind.agrees for kind in run.reconciliation.kinds))
        return run

    async def _stage_prices(self) -> ChangeBatch:
        self.screen.step(
            "Stage a price change",
            "nothing is written before it is approved",
            f'syncline change {STORE} --where "{WHERE}" --set {EDIT}',
        )
        with self.timed("stage prices") as records:
            batch = await self.commerce.stage_edit(
                actor=self.here.actor, store=STORE, where=WHERE, edits=[EDIT], note="autumn prices"
            )
            records.append(sum(batch.counts.values()))
        await self._show_differences(batch)
        return batch

    async def _stage_sheet(self) -> Sheet:
        sheet = make_sheet(await self._catalogue())
        place = await self._main_place()
        self.screen.step(
            "Stage a spreadsheet",
            "what differs from the store, and what is wrong with the sheet",
            f'syncline import {STORE} {SHEET} --keep-good --location "{place}"',
        )
        path = self.folder / SHEET
        path.write_text(sheet.text, encoding="utf-8")
        with self.timed("stage a sheet") as records:
            result = await self.commerce.import_sheet(
                actor=self.here.actor, store=STORE, path=str(path), keep_good=True, location=place
            )
            records.append(result.rows)
        if result.batch is None:
            raise DemoFailed("The sheet changed nothing.")
        self._show_import(result)
        await self._show_differences(result.batch)
        self.expect("changes in the sheet", sheet.changes, result.staged)
        self.expect(f"cells refused ({SLIP})", 1, result.errors)
        return sheet

    async def _edit_in_the_admin(self, batch: ChangeBatch) -> Contents:
        """Somebody marks one product down in the shop's own admin, while its change waits for approval."""
        change = (await self._page(ChangeQuery(batch_id=batch.id), 1))[0]
        price = f"{Decimal(str(change.before['price'])) * _MARKED_DOWN:.2f}"
        await self.shop.set_price(change.resource_id, price)
        return Contents({change.resource_id: price}, {}, {})

    async def _push(self, prices: ChangeBatch, sheet: Sheet) -> None:
        self.screen.step(
            "Approve and push",
            "every value is read again before it is written",
            f"syncline review approve --store {STORE}",
            f"syncline push {STORE}",
        )
        approved = (await self.commerce.approve(actor=self.here.actor, query=ChangeQuery(store=STORE))).changed
        with self.timed("push") as records:
            run = await self._send()
            records.append(run.total)
        self.screen.show(push_view(run))
        self.expect("changes approved", sum(prices.counts.values()) + sheet.changes, approved)
        self.expect("conflicts met", 1, run.counts.get(ChangeStatus.CONFLICT, 0))
        self.expect("changes applied", approved - 1, run.counts.get(ChangeStatus.APPLIED, 0))

    async def _settle_conflict(self) -> None:
        self.screen.step(
            "Settle the conflict",
            "somebody changed a price in the shop's admin meanwhile",
            f"syncline review resolve --store {STORE} --using overwrite",
            f"syncline push {STORE}",
        )
        query = ChangeQuery(store=STORE, statuses=(ChangeStatus.CONFLICT,))
        for change in await self._page(query, 1):
            self.screen.show(_conflict_text(change))
        await self.commerce.resolve(actor=self.here.actor, query=query, resolution=Resolution.OVERWRITE)
        run = await self._send()
        self.expect("conflicts settled", 1, run.counts.get(ChangeStatus.APPLIED, 0))

    async def _check_writes(self, prices: ChangeBatch, sheet: Sheet) -> None:
        """What the store received and holds now, against what was approved."""
        approved = sum(prices.counts.values()) + sheet.changes
        times = Counter((await self.shop.times_written()).values())
        self.expect("records written once", approved, times[1])
        self.expect("records written twice", 0, sum(times.values()) - times[1])
        in_store = (await self.shop.contents()).prices
        wanted = {
            change.resource_id: change.after["price"] async for change in self._changes(ChangeQuery(batch_id=prices.id))
        }
        self.expect("approved prices in the store", len(wanted), len(wanted.items() & in_store.items()))

    async def _undo(self, prices: ChangeBatch) -> None:
        self.screen.step(
            "Change your mind",
            "the way back is reviewed and pushed like any other change",
            f"syncline rollback {prices.id}",
        )
        undo = await self.commerce.stage_rollback(actor=self.here.actor, batch_id=prices.id, note="too early")
        await self._show_differences(undo)
        await self.commerce.approve(actor=self.here.actor, query=ChangeQuery(batch_id=undo.id))
        with self.timed("undo the prices") as records:
            run = await self._send(undo.id)
            records.append(run.total)
        self.screen.show(push_view(run))
        self.expect("prices undone", sum(prices.counts.values()), run.counts.get(ChangeStatus.APPLIED, 0))

    async def _pull_changes(self) -> None:
        """Prices decide what is in which collection, so the store changed by itself too."""
        self.screen.step("Pull what changed", "what the store made of our changes", f"syncline pull {STORE}")
        self.screen.show(streams_view(await self._read("second pull", PullMode.INCREMENTAL)))

    async def _prove(self, meant: Contents) -> None:
        self.screen.step(
            "Prove it", "every value read anew and compared", f"syncline reconcile {STORE} --depth content"
        )
        with self.timed("compare content") as records:
            found = await self.commerce.reconcile(actor=self.here.actor, store=STORE, depth="content", repair=False)
            records.append(sum(kind.in_mirror for kind in found.kinds))
        self.screen.show(reconciliation_view(found))
        self.expect("values that differ", 0, _differences(found))
        self.expect("records as they should be", len(meant), meant.count_same(await self.shop.contents()))

    async def _schedule(self) -> None:
        self.screen.step(
            "Have it run by itself",
            "what changed every hour, everything on Sundays",
            f"syncline schedule add {STORE} --every 1h",
            f'syncline schedule add {STORE} --cron "{SUNDAYS}" --full --zone {ZONE}',
        )
        await self.commerce.add_schedule(
            actor=self.here.actor, store=STORE, action=ScheduledAction.PULL, timing="every 1h"
        )
        weekly = await self.commerce.add_schedule(
            actor=self.here.actor, store=STORE, action=ScheduledAction.PULL_FULL, timing=SUNDAYS, zone=ZONE
        )
        self.screen.show(schedule_table(await self.commerce.list_schedules(actor=self.here.actor, store=STORE)))
        self.expect("weekly pulls on Sunday", 1, int(_is_sunday_at_three(weekly.next_run_at)))

    async def _verify(self) -> None:
        self.screen.step("Check the installation", "from end to end, as after an upgrade", "syncline verify")
        findings = await verify_here(
            self.here.runtime, self.here.settings, self.here.actor, url=None, reconcile=None, patience=_PATIENCE
        )
        self.screen.show(verification_view(findings))
        self.expect("checks that failed", 0, sum(one.verdict is Verdict.FAIL for one in findings))

    async def _send(self, batch: UUID | None = None) -> PushRun:
        with self.screen.bars() as bars:
            started = await self.commerce.start_push(actor=self.here.actor, store=STORE, batch_id=batch)
            run = await follow_push(self.here, started.id, bars)
        if run.status is not RunStatus.COMPLETED:
            raise DemoFailed(f"The push ended as {run.status}: {run.error}")
        return run

    async def _catalogue(self) -> Catalogue:
        return Catalogue.of(
            products=await self.shop.rows("products"),
            variants=await self.shop.rows("variants"),
            items=await self.shop.rows("items"),
            levels=await self.shop.rows("levels"),
            place=(await self.shop.rows("locations"))[0],
        )

    async def _main_place(self) -> str:
        return str((await self.shop.rows("locations"))[0]["name"])

    async def _page(self, query: ChangeQuery, page: int) -> Sequence[StagedChange]:
        request = PageRequest(page=page, limit=_PAGE)
        return (await self.commerce.list_changes(actor=self.here.actor, query=query, page=request)).items

    async def _changes(self, query: ChangeQuery) -> AsyncIterator[StagedChange]:
        page = 1
        while changes := await self._page(query, page):
            for change in changes:
                yield change
            page += 1

    def _show_import(self, result: ImportResult) -> None:
        errors = [problem for problem in result.problems if problem.severity == "error"]
        self.screen.show(problem_table(errors, most=_SHOWN))

    async def _show_differences(self, batch: ChangeBatch) -> None:
        shown = _varied(await self._page(ChangeQuery(batch_id=batch.id), 1))
        more = sum(batch.counts.values()) - len(shown)
        self.screen.show(_difference_table(shown), Text(f"and {more:,} more", style="dim"))


def _varied(changes: Sequence[StagedChange]) -> list[StagedChange]:
    """A few, of different products and of each kind of record."""
    kinds: dict[str, dict[int, StagedChange]] = {}
    for change in changes:
        kinds.setdefault(change.kind, {}).setdefault(change.product_id, change)
    ranked = [(place, change) for group in kinds.values() for place, change in enumerate(group.values())]
    return [change for _, change in sorted(ranked, key=lambda one: one[0])[:_SHOWN]]


def _difference_table(changes: Sequence[StagedChange]) -> Table:
    rows = (
        (change.label, name, render_change(FieldChange(name, change.before.get(name), after)))
        for change in changes
        for name, after in change.after.items()
    )
    return table(("record", "field", "before → after"), rows)


def _conflict_text(change: StagedChange) -> Text:
    return Text.assemble(
        (change.label, "bold"),
        f": staged {change.before['price']} → {change.after['price']}, but the store says ",
        (str((change.theirs or {}).get("price")), "yellow"),
        " by now. Ours is written all the same.",
    )


def _is_sunday_at_three(moment: datetime | None) -> bool:
    local = None if moment is None else moment.astimezone(ZoneInfo(ZONE))
    return local is not None and (local.isoweekday(), local.hour, local.minute) == (7, 3, 0)


def _differences(found: Reconciliation) -> int:
    return sum(kind.missing_count + kind.extra_count + kind.stale_count for kind in found.kinds)
