"""Profile updates: `$set`, `$set_once`, `$add`, `$union`, `$append`, `$remove`, `$unset`, `$delete`."""

from __future__ import annotations

from typing import Any


def updated(before: dict[str, Any], update: dict[str, Any]) -> dict[str, Any] | None:
    """The profile after one update; None when it is deleted. Values an operation cannot work on are left alone."""
    if "$delete" in update:
        return None
    after = before | update.get("$set", {})
    after = {**update.get("$set_once", {}), **after}
    for name, amount in update.get("$add", {}).items():
        after[name] = after.get(name, 0) + amount
    for name, values in update.get("$union", {}).items():
        present = list(after.get(name, []))
        after[name] = present + [value for value in values if value not in present]
    for name, value in update.get("$append", {}).items():
        after[name] = [*after.get(name, []), value]
    for name, value in update.get("$remove", {}).items():
        after[name] = [one for one in after.get(name, []) if one != value]
    for name in update.get("$unset", []):
        after.pop(name, None)
    return after
