"""Database addresses in the one form libpq, psql and SQLAlchemy's psycopg dialect agree on."""

from __future__ import annotations

from urllib.parse import urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from syncline.runtime.db.errors import DatabaseUnavailable

_SCHEMES = {"postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2", "postgresql+asyncpg"}


def normalise(url: str) -> str:
    """`postgres://`, `postgresql+psycopg://` and the like as `postgresql://`; a libpq keyword string stays.

    Raises `DatabaseUnavailable` when it is no address of a PostgreSQL database. The address is not repeated in the
    sentence: it may hold a password.
    """
    text = url.strip()
    if "://" in text:
        scheme, _, rest = text.partition("://")
        if scheme.lower() not in _SCHEMES:
            raise DatabaseUnavailable(
                f"SYNCLINE_DATABASE_URL begins with {scheme}://, but Syncline works on PostgreSQL only; "
                "write postgresql://user:password@host:5432/database.",
            )
        text = f"postgresql://{rest}"
    try:
        parts = conninfo_to_dict(text)
    except ProgrammingError as exc:
        sentence = "SYNCLINE_DATABASE_URL is not an address; write postgresql://user:password@host:5432/database."
        raise DatabaseUnavailable(sentence) from exc
    if not parts:
        raise DatabaseUnavailable("SYNCLINE_DATABASE_URL is empty.")
    return text


def with_options(url: str, **settings: str) -> str:
    """A conninfo that sets server parameters at connect, after those that the address itself sets in `options`."""
    present = conninfo_to_dict(url).get("options") or ""
    added = [f"-c {name}={value}".replace(" ", "\\ ").replace("-c\\ ", "-c ", 1) for name, value in settings.items()]
    return make_conninfo(url, options=" ".join([str(present), *added]).strip())


def shown(url: str) -> str:
    """The address without its password, for messages and logs."""
    if "://" not in url:
        parts = {name: value for name, value in conninfo_to_dict(url).items() if name != "password"}
        return make_conninfo("", **parts)
    password = urlsplit(url).password
    return url.replace(f":{password}@", ":***@", 1) if password else url
