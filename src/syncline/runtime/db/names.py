"""Names that the server, the sessions and the migrations share."""

from __future__ import annotations

DATABASE = "syncline"
OPERATOR = "syncline"
"""Owner of the embedded server; migrates, and sees every tenant's rows."""
APP_ROLE = "syncline_app"
"""The role that works: neither superuser nor BYPASSRLS, so row-level security always binds it."""
HOUSE_SCHEMA = "syncline"
"""Holds the version table of the migrations."""
TENANT_SETTING = "syncline.tenant"
"""Set for each transaction; the policies of tenant tables read it."""
