"""The app's one MetaData; every feature's `models.py` adds its tables to it."""

from __future__ import annotations

from syncline.runtime.db.base import app_metadata

METADATA = app_metadata("operations")
