"""What others may know of outreach: frozen types, one interface, errors. Rows never leave the app."""

from __future__ import annotations

from syncline.apps.outreach.contract.errors import (
    BadEventKey,
    BadNamespace,
    EventKeyFailed,
    NamespaceExists,
    NamespaceNotFound,
    RoutineNotFound,
)
from syncline.apps.outreach.contract.events import EventKeysCollided, RoutineRecovered, RoutineWentStale
from syncline.apps.outreach.contract.keys import (
    DEFAULT_NAMESPACE,
    EventIdentity,
    EventKeys,
    KeyStats,
    RecordedKey,
)
from syncline.apps.outreach.contract.namespaces import (
    MatchedNamespace,
    Namespace,
    Namespaces,
    NamespaceStats,
)
from syncline.apps.outreach.contract.routines import Routines, RoutineState, RoutineStatus
from syncline.apps.outreach.contract.service import Outreach

__all__ = [
    "DEFAULT_NAMESPACE",
    "BadEventKey",
    "BadNamespace",
    "EventIdentity",
    "EventKeyFailed",
    "EventKeys",
    "EventKeysCollided",
    "KeyStats",
    "MatchedNamespace",
    "Namespace",
    "NamespaceExists",
    "NamespaceNotFound",
    "NamespaceStats",
    "Namespaces",
    "Outreach",
    "RecordedKey",
    "RoutineNotFound",
    "RoutineRecovered",
    "RoutineState",
    "RoutineStatus",
    "RoutineWentStale",
    "Routines",
]
