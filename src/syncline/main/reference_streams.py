"""The page of docs/reference that tells of every stream: what it brings, how it is read, and what is kept of it."""

from __future__ import annotations

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql

from syncline.apps.commerce.mirror.kind import Kind, Part
from syncline.apps.commerce.mirror.kinds import kinds_of
from syncline.connectors.shopify.sources import SOURCES, bulk_query, page_query
from syncline.connectors.shopify.streams import STREAMS
from syncline.runtime.connect.connector import Stream

HEAD = """# Streams

Made by `python -m syncline.main.reference docs/reference`; change the code, not this page.

A stream is what a pull reads as one: `syncline pull STORE --only orders`. Each goes by one bulk operation, by several
for parts of it, or by pages, whichever is predicted to end first; the records are the same. A store whose token lacks
a stream's scope is pulled without it, and the pull says which scope to grant. Tables are in the schema `commerce`;
every row carries `store_id` and `tenant_id`, and of each record

- `source_updated_at`: Shopify's own time of its last change; an older line never overwrites a newer row. Empty where
  Shopify has none;
- `synced_at`: when it was last written here; `deleted_at`: when it was found to be gone. A gone record stays as a
  tombstone;
- `line_hash`, `content_hash`: what it is compared by, see [ADR 5](../adr/0005-mirror-loads-by-line-hash.md).

Amounts are in the shop's own currency. Words that Shopify writes in capitals are kept in small letters.

| stream | records | scopes |
|---|---|---|
"""


def streams_page() -> str:
    """Every stream with its key, cursor, cost, scopes, and the columns of its tables."""
    rows = "\n".join(
        f"| [{stream.name}](#{stream.name}) | {', '.join(f'`{name}`' for name in stream.kinds)} | {_scopes(stream)} |"
        for stream in STREAMS.values()
    )
    return f"{HEAD}{rows}\n\n" + "\n".join(map(_section, STREAMS.values()))


def _scopes(stream: Stream) -> str:
    return ", ".join(f"`{scope}`" for scope in stream.scopes)


def _section(stream: Stream) -> str:
    source = SOURCES[stream.name]
    counts = [f"`{field}`" for field in source.counts.values()]
    lines = [
        f"## {stream.name}",
        "",
        "| | |",
        "|---|---|",
        f"| key | {'; '.join(f'`{kind}`: {key}' for kind, key in stream.key.items())} |",
        f"| cursor of an incremental pull | {stream.cursor} |",
        f"| pages | {stream.paging} |",
        f"| cost | {stream.cost} |",
        f"| scopes | {_scopes(stream)} |",
        f"| Shopify's own count | {', '.join(counts) or 'none that is exact: compared by key'} |",
        "",
        "Asked for by pages:" if source.is_paged_only else "Asked for in bulk:",
        "",
        "```graphql",
        _wrapped(page_query(stream.name) if source.is_paged_only else bulk_query(stream.name, since=None)),
        "```",
        "",
    ]
    for kind in kinds_of(stream.name):
        lines += _table(kind)
        for part in kind.parts:
            lines += _part(part, kind)
    return "\n".join(lines)


def _wrapped(query: str) -> str:
    lines, line = [], ""
    for word in query.split(" "):
        if len(line) + len(word) > 110:
            lines.append(line)
            line = "  "
        line += word + " "
    return "\n".join([*lines, line]).replace(" \n", "\n").rstrip()


def _table(kind: Kind) -> list[str]:
    if not kind.is_placed:
        return [f"### `{kind.relation}`", "", *_columns(kind.table, kind.columns), ""]
    told = f"`position` is not said by any field: it is the place of the line among those of the same `{kind.key[0]}`."
    return [f"### `{kind.relation}`", "", told, "", *_columns(kind.table, (*kind.columns, "position")), ""]


def _part(part: Part, kind: Kind) -> list[str]:
    told = f"Comes in the line of its `{kind.name}` and is replaced with it."
    return [f"### `commerce.{part.table.name}`", "", told, "", *_columns(part.table, part.columns), ""]


def _columns(table: Table, names: tuple[str, ...]) -> list[str]:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    return [
        "| column | type | |",
        "|---|---|---|",
        *(
            f"| `{name}` | {table.c[name].type.compile(dialect).lower()} "
            f"| {'may be empty' if table.c[name].nullable else ''} |"
            for name in names
        ),
    ]
