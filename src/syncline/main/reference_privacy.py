"""The page of docs/reference that tells what is held of people, what an erasure leaves, and how long it is kept."""

from __future__ import annotations

from syncline.main.compose import personal_data_of
from syncline.main.targets import APPS


def personal_data_page() -> str:
    """Every kind of personal data of every app, and every retention rule."""
    apps = personal_data_of(APPS)
    lines = [
        "# Personal data",
        "",
        "Made by `python -m syncline.main.reference docs/reference`; change the code, not this page.",
        "",
        "What Syncline holds of people, what is left of it after an erasure, and how long it is kept. How to export",
        "and erase: [Answer what people ask about their data](../how-to/privacy.md).",
        "",
        "## What is held, and what an erasure does with it",
    ]
    for name, app in apps.items():
        lines += ["", f"### {name.capitalize()}", "", "| what | holds | after an erasure |", "|---|---|---|"]
        lines += [f"| `{one.name}` | {one.holds} | {one.erasure} |" for one in app.holdings]
    lines += ["", "## How long it is kept", "", "| rule | what | days, unless set | least |", "|---|---|---|---|"]
    rules = [rule for app in apps.values() for rule in app.rules]
    lines += [
        f"| `{rule.name}` | {rule.about} | {rule.days or 'for ever'} | {rule.least_days} |"
        for rule in sorted(rules, key=lambda one: one.name)
    ]
    return "\n".join([*lines, ""])
