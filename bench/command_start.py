"""How long a command of `syncline` takes until it begins to work, and what two decisions save of it.

Routes are made only by a process that serves, and nothing is collected while modules are loaded; what was loaded is
left out of collections until the process's end. Each is taken back in turn, side by side with the command as it is.

Load model: one process after the other, which loads the command group and ends; no database. The variants take turns,
so that a busy machine meets all of them; the median of the rounds counts.

    python -m bench.command_start
    python -m bench.command_start --rounds 20 --command pull
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

from bench.harness import machine, print_table

_COLLECTED = "import importlib; importlib.import_module(COMMANDS[{command!r}].module)"
_LEFT_OUT = "load({command!r}); leave_loaded_out()"
_ROUTES = "; from syncline.main.targets import APPS; [one.load_web() for one in APPS]"
_IMPORTS = "from syncline.main.cli.lazy import COMMANDS, load; from syncline.main.collecting import leave_loaded_out; "
VARIANTS = {
    "as it is": _LEFT_OUT,
    "collections as Python has them": _COLLECTED,
    "routes are made too": _LEFT_OUT + _ROUTES,
    "both": _COLLECTED + _ROUTES,
}


def measure(command: str, rounds: int) -> dict[str, list[float]]:
    """Seconds of each round by variant. One more goes before, so that all is compiled and read."""
    seconds: dict[str, list[float]] = {name: [] for name in VARIANTS}
    for number in range(rounds + 1):
        for name, code in VARIANTS.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", _IMPORTS + code.format(command=command)], check=True)
            if number:
                seconds[name].append(time.perf_counter() - began)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", default="outreach")
    parser.add_argument("--rounds", type=int, default=8)
    options = parser.parse_args()
    found = measure(options.command, options.rounds)
    whole = statistics.median(found["both"])
    rows = [
        (name, f"{statistics.median(each):.2f}", f"{min(each):.2f}", f"{statistics.median(each) / whole:.2f}")
        for name, each in found.items()
    ]
    print_table(f"Start of `syncline {options.command}`, {machine()}", ("variant", "s", "least s", "of both"), rows)


if __name__ == "__main__":
    main()
