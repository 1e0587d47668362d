"""Errors of outreach, each the sentence it stands for."""

from __future__ import annotations

from syncline.kernel.errors import Conflict, DomainError, InvalidInput, NotFound


class BadEventKey(InvalidInput):
    code = "KEY_001"
    title = "The event cannot have a key"


class EventKeyFailed(DomainError):
    code = "KEY_002"
    status = 500
    title = "The event key could not be recorded"


class NamespaceNotFound(NotFound):
    code = "SPACE_001"
    title = "No such namespace"


class NamespaceExists(Conflict):
    code = "SPACE_002"
    title = "There is a namespace of this name already"


class BadNamespace(InvalidInput):
    code = "SPACE_003"
    title = "The namespace is not valid"


class RoutineNotFound(NotFound):
    code = "JOB_001"
    title = "No such routine"
