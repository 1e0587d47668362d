"""Which preferences are accepted. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from syncline.kernel.errors import FieldError, InvalidInput

# Language, script, region: what software is translated into. BCP 47 has more, which nobody chooses in a menu.
_LOCALE = re.compile(r"([A-Za-z]{2,3})(?:-([A-Za-z]{4}))?(?:-([A-Za-z]{2}|[0-9]{3}))?")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_MOST_GOALS, _MOST_REMINDERS, _GOAL_CHARACTERS = 10, 10, 200


def checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """What of a profile is given, in the form it is kept. Raises `InvalidInput` naming the field."""
    rules = {
        "locale": _checked_locale,
        "time_zone": _checked_zone,
        "goals": _checked_goals,
        "reminder_times": _checked_times,
    }
    return {
        name: rules[name](value) if name in rules and value is not None else value for name, value in values.items()
    }


def _checked_locale(text: str) -> str:
    found = _LOCALE.fullmatch(text.replace("_", "-"))
    if found is None:
        raise _wrong("locale", "This is not a language. Give one like en, de-AT or zh-Hant-TW.", "must be like de-AT")
    language, script, region = found.groups()
    parts = (language.lower(), script and script.capitalize(), region and region.upper())
    return "-".join(part for part in parts if part)


def _checked_zone(text: str) -> str:
    found = _zones().get(text.strip().casefold())
    if found is None:
        raise _wrong(
            "time_zone", "This time zone is not known. Give one like Europe/Vienna.", "must be like Europe/Vienna"
        )
    return found


@cache
def _zones() -> dict[str, str]:
    return {zone.casefold(): zone for zone in available_timezones() if zone != "localtime"}


def _checked_goals(goals: Sequence[str]) -> list[str]:
    kept = list(dict.fromkeys(" ".join(goal.split()) for goal in goals))
    if len(kept) > _MOST_GOALS or any(not 1 <= len(goal) <= _GOAL_CHARACTERS for goal in kept):
        sentence = f"Give at most {_MOST_GOALS} goals of 1 to {_GOAL_CHARACTERS} characters."
        raise _wrong("learning.goals", sentence, f"must be at most {_MOST_GOALS}, each up to {_GOAL_CHARACTERS} long")
    return kept


def _checked_times(times: Sequence[str]) -> list[str]:
    if len(times) > _MOST_REMINDERS or any(not _TIME.fullmatch(time) for time in times):
        sentence = f"Give at most {_MOST_REMINDERS} times like 07:30, in your own time zone."
        raise _wrong("learning.reminder_times", sentence, "must be times like 07:30")
    return sorted(set(times))


def _wrong(field: str, sentence: str, message: str) -> InvalidInput:
    return InvalidInput(sentence, fields=[FieldError(field, message)])
