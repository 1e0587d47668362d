"""The routines there are: each feature's own, listed here."""

from __future__ import annotations

from syncline.apps.outreach.routines import full_sync
from syncline.apps.outreach.routines.declaration import Routine

ROUTINES: tuple[Routine, ...] = (*full_sync.ROUTINES,)
