"""The one interface of the app, out of one for each feature."""

from __future__ import annotations

from typing import Protocol

from syncline.apps.outreach.contract.keys import EventKeys
from syncline.apps.outreach.contract.namespaces import Namespaces
from syncline.apps.outreach.contract.routines import Routines


class Outreach(EventKeys, Namespaces, Routines, Protocol):
    """Every call acts for `actor` and inside his tenant."""
