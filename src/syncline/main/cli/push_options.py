"""How a push works, as options of every command that starts one."""

from __future__ import annotations

from typing import Annotated

import typer

from syncline.apps.commerce.push_contract import Priority, Strategy

MinWorkers = Annotated[int, typer.Option("--min-workers", help="Never fewer workers, while there is work.")]
MaxWorkers = Annotated[int, typer.Option("--max-workers", help="Never more workers, over all processes.")]
BatchSize = Annotated[
    int | None,
    typer.Option("--batch-size", help="Products compared and written together.", show_default="as many as help"),
]
PriorityOption = Annotated[Priority, typer.Option("--priority", help="Who goes first when several pushes wait.")]
StrategyOption = Annotated[
    Strategy, typer.Option("--strategy", help="Soonest done, fewest points held back from others, or between the two.")
]
