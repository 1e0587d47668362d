"""A database in which handlers leave something behind."""

from __future__ import annotations

import psycopg
import pytest

from syncline.runtime.db.engine import Database


@pytest.fixture
def bus(database: Database) -> Database:
    """A database with a table for what handlers do."""
    with psycopg.connect(database.operator_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE public.seen (n int)")
        connection.execute("GRANT ALL ON public.seen TO syncline_app")
    return database
