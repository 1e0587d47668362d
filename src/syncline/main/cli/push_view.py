"""How pushes, their workers, their cost and their plans look on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from syncline.apps.commerce.contract import ChangeStatus, PushRun
from syncline.apps.commerce.push_contract import PushCost, PushEngine, PushPlan
from syncline.main.cli.console import table
from syncline.main.cli.outcome import counts_text, status_text
from syncline.main.cli.progress import duration_text, rate_text

_NEXT = {
    ChangeStatus.CONFLICT: "What moved in the store meanwhile: syncline review list --store {store} --status conflict",
    ChangeStatus.FAILED: "What the store refused: syncline review list --store {store} --status failed",
}
"""What people do about changes that were not applied."""


def push_view(run: PushRun) -> RenderableType:
    """What became of it, and what it cost."""
    changes = "1 change" if run.total == 1 else f"{run.total:,} changes"
    parts: list[RenderableType] = [Text.assemble(f"{changes} to {run.store}: ", counts_text(run.counts))]
    if run.engine is not None and run.engine.cost.requests:
        parts.append(Text(cost_text(run.engine.cost), style="dim"))
    if run.error:
        parts.append(Text(run.error, style="red"))
    parts += [Text(_NEXT[status].format(store=run.store)) for status in _NEXT if run.counts.get(status)]
    return Group(*parts) if len(parts) > 1 else parts[0]


def cost_text(cost: PushCost) -> str:
    """`12 requests and 840 points; one product a request: 400 and 2,600, so 68 % of the points were saved`"""
    return (
        f"{cost.requests:,} requests and {cost.charged:,.0f} points; one product a request: {cost.naive_requests:,} "
        f"and {cost.naive_points:,.0f}, so {100 * cost.points_saved:.0f} % of the points were saved"
    )


def push_json(run: PushRun) -> dict[str, Any]:
    """Everything that is known of the push, with what is computed of it."""
    shown = asdict(run)
    if run.engine is not None:
        shown["engine"]["cost"]["points_saved"] = run.engine.cost.points_saved
    return shown


def status_view(runs: Sequence[PushRun]) -> RenderableType:
    """A line a push, and the workers of those that are going on."""
    if not runs:
        return Text("No push yet; approve changes and `syncline push STORE`.")
    rows = ((*_line(run),) for run in runs)
    columns = (
        "push",
        "store",
        "state",
        "changes",
        ">left",
        ">requests",
        ">points",
        ">saved",
        ">changes/s",
        ">time left",
    )
    parts: list[RenderableType] = [table(columns, rows)]
    for run in runs:
        if len(runs) == 1 and run.engine is not None and run.engine.cost.requests:
            parts.append(Text(cost_text(run.engine.cost), style="dim"))
        if run.engine is not None and not run.status.is_final:
            parts += _workers(run.engine)
            parts += [Text(run.error, style="yellow")] if run.error else []
    return Group(*parts)


def _line(run: PushRun) -> Sequence[object]:
    engine = run.engine
    if engine is None:
        return (str(run.id), run.store, status_text(run.status), counts_text(run.counts), *[None] * 6)
    saved = f"{100 * engine.cost.points_saved:.0f} %" if engine.cost.naive_points else None
    return (
        str(run.id),
        run.store,
        status_text(run.status),
        counts_text(run.counts),
        engine.products_left,
        engine.cost.requests,
        round(engine.cost.charged),
        saved,
        rate_text(engine.changes_per_second).removesuffix("/s"),
        None if run.status.is_final else duration_text(engine.seconds_left),
    )


def _workers(engine: PushEngine) -> list[RenderableType]:
    present = [worker for worker in engine.workers if worker.ended_at is None]
    if not present:
        return []
    rows = ((one.number, one.process, one.state, one.doing, one.since, one.done, one.failed) for one in present)
    made: Table = table((">worker", "process", "state", "what it does", "since", ">done", ">not applied"), rows)
    return [made, Text(engine.note, style="dim")] if engine.note else [made]


def plan_view(plan: PushPlan) -> RenderableType:
    """What would go, what it would take, and what the store would refuse."""
    if not plan.changes:
        return Text(f"No approved change waits for {plan.store}.")
    rows = ((step.kind.replace("_", " "), step.changes, step.calls, round(step.points)) for step in plan.steps)
    parts: list[RenderableType] = [
        table(("what", ">changes", ">calls", ">points"), rows),
        Text(
            f"{plan.changes:,} changes of {plan.products:,} products: about {plan.requests:,} requests, "
            f"{plan.points:,.0f} points and {duration_text(plan.seconds)} of waiting for points."
        ),
        Text(f"One product a request: {plan.naive_requests:,} requests, {plan.naive_points:,.0f} points.", style="dim"),
        Text(plan.note, style="dim"),
    ]
    for problem in plan.problems:
        named = f" ({', '.join(problem.labels)})" if problem.labels else ""
        style = "red" if problem.is_blocking else "yellow"
        parts.append(Text(f"{problem.code}, {problem.changes:,} changes: {problem.sentence}{named}", style=style))
    if plan.is_blocked:
        parts.append(Text("A push is refused as it is: mend or reject what is red first.", style="red"))
    return Group(*parts)
