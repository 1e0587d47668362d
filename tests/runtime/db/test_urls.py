"""Addresses in the forms people write them."""

from __future__ import annotations

import pytest
from psycopg.conninfo import conninfo_to_dict

from syncline.runtime.db.errors import DatabaseUnavailable
from syncline.runtime.db.urls import normalise, shown, with_options


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "POSTGRES", "postgresql+asyncpg"])
def test_every_scheme_for_postgresql_is_taken(scheme: str) -> None:
    assert normalise(f" {scheme}://me:s@host:5433/shop?sslmode=require ") == (
        "postgresql://me:s@host:5433/shop?sslmode=require"
    )


def test_keyword_string_is_taken() -> None:
    assert normalise("host=/tmp dbname=shop") == "host=/tmp dbname=shop"


@pytest.mark.parametrize("url", ["mysql://me:secret@host/shop", "sqlite:///secret.db"])
def test_other_database_is_refused_without_showing_the_address(url: str) -> None:
    with pytest.raises(DatabaseUnavailable, match="works on PostgreSQL only") as caught:
        normalise(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["", "not an address", "postgresql://host:port:more/x?nonsense=1"])
def test_nonsense_is_refused(url: str) -> None:
    with pytest.raises(DatabaseUnavailable):
        normalise(url)


def test_options_are_added_to_those_of_the_address() -> None:
    joined = with_options("postgresql://host/shop?options=-c%20jit%3Doff", role="syncline_app", search_path="a, b")
    assert conninfo_to_dict(joined)["options"] == r"-c jit=off -c role=syncline_app -c search_path=a,\ b"


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("postgresql://me:pw@host/shop", "postgresql://me:***@host/shop"),
        ("postgresql://me@host/shop", "postgresql://me@host/shop"),
        ("host=h password=pw dbname=x", "dbname=x host=h"),
    ],
)
def test_password_is_never_shown(url: str, seen: str) -> None:
    assert shown(url) == seen
