"""The local `Outreach`: opens a transaction, asks a service, closes it."""

from __future__ import annotations

from dataclasses import dataclass

from syncline.apps.outreach.events.desk import KeyDesk
from syncline.apps.outreach.events.facade import LocalEventKeys
from syncline.apps.outreach.namespaces.facade import LocalNamespaces
from syncline.apps.outreach.routines.facade import LocalRoutines
from syncline.runtime.app import Runtime


@dataclass(frozen=True)
class LocalOutreach(LocalEventKeys, LocalNamespaces, LocalRoutines):
    """Each part is its feature's own."""


def build(runtime: Runtime) -> LocalOutreach:
    return LocalOutreach(runtime=runtime, desk=KeyDesk(runtime.database))
