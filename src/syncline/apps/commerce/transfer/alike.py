"""The query that finds which products of a question the mirror does not hold as the sheet says.

Of each product and variant the database makes the text that `plain_cells` makes of a cell, so that a value with several
spellings has one here. Products are looked up one by one through their indexes, whatever the planner thinks of a list
whose length it does not know: a sheet of three rows costs three look-ups.
"""

from __future__ import annotations

from collections.abc import Sequence

from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from syncline.apps.commerce.fields import FIELDS, Kind, Owner
from syncline.apps.commerce.metafields import MetafieldName, find_name
from syncline.apps.commerce.transfer.comparing import LINE, PART, RECORD, Shape
from syncline.apps.commerce.transfer.grams import GRAMS as GRAMS_OF
from syncline.apps.commerce.transfer.plain_cells import BLANK, GRAMS, JOINT, TAG_JOINT
from syncline.kernel.money import minor_digits

_NEVER = "\x18"
"""Stands for a value that no cell of a sheet could give."""

_QUERY = SQL("""
SELECT coalesce(array_agg(DISTINCT asked.number), '{{}}')
FROM (
    SELECT a[1]::int AS number, a[2] AS handle, a[3]::int AS bits, a[4] AS marked, a[5] AS names, a[6] AS cells,
        a[7]::int AS line_count, a[8] AS lines, a[9]::int AS level_count, a[10] AS levels
    FROM (
        SELECT string_to_array(record, {part}) AS a
        FROM unnest(string_to_array(%(records)s, {record})) AS record OFFSET 0
    ) AS split OFFSET 0
) AS asked
LEFT JOIN LATERAL (
    SELECT p.id, {same_product} AS same FROM commerce.product AS p
    WHERE p.store_id = %(store)s AND p.tenant_id = %(tenant)s AND p.deleted_at IS NULL AND p.handle = asked.handle
    OFFSET 0
) AS product ON true
LEFT JOIN LATERAL ({variants}) AS variants ON asked.line_count > 0
LEFT JOIN LATERAL ({levels}) AS levels ON asked.level_count > 0
WHERE NOT coalesce(
    product.same
    AND (asked.line_count = 0 OR (variants.named = asked.line_count AND variants.same = asked.line_count))
    AND (asked.level_count = 0 OR (levels.named = asked.level_count AND levels.same = asked.level_count)),
    false)
""")

# A key that two variants have is named twice, and then the rows are read. A value that holds the separator of lines
# could be found across two of them.
_COUNTED = SQL("""
SELECT count(*) FILTER (WHERE strpos({lines}, {line} || key || {joint}) > 0) AS named,
    count(*) FILTER (WHERE strpos({lines}, {line} || key || {joint} || cells || {line}) > 0
        AND strpos(key || cells, {line}) = 0) AS same
FROM (
    SELECT {key} AS key, {cells} AS cells FROM commerce.variant AS v {join}
    WHERE v.store_id = %(store)s AND v.tenant_id = %(tenant)s AND v.deleted_at IS NULL AND v.product_id = product.id
    OFFSET 0
) AS one
""")
_LEVEL = SQL("""JOIN commerce.inventory_level AS l ON l.store_id = v.store_id AND l.tenant_id = v.tenant_id
    AND l.inventory_item_id = v.inventory_item_id AND l.deleted_at IS NULL""")


def unlike_query(shape: Shape, currency: str) -> Composed:
    """Takes `records`, `store`, `tenant`, `place` and `places` (JSON, names of locations by id); gives one list: the
    numbers of the products that are not as the sheet says, or not clearly."""
    join: Composable = SQL("")
    if "available" in shape.variant:
        join = SQL("LEFT {} AND l.location_id = %(place)s").format(_LEVEL)
    cells = [_unless_left_out(shape, place, name, currency) for place, name in enumerate(shape.variant)]
    level = SQL("(%(places)s::jsonb ->> l.location_id::text)"), SQL("coalesce(l.available::text, '')")
    return _QUERY.format(
        part=Literal(PART),
        record=Literal(RECORD),
        same_product=SQL(" AND ").join(_product_conditions(shape, currency)),
        variants=_counted("lines", shape, _joined(cells) if cells else SQL("''"), join),
        levels=_counted("levels", shape, _joined(level), _LEVEL)
        if shape.has_levels
        else SQL("SELECT 0 AS named, 0 AS same"),
    )


def _counted(lines: str, shape: Shape, cells: Composable, join: Composable) -> Composed:
    if shape.values:
        key: Composable = _list(Identifier("v", "selected_options"), "value", shape.values)
    else:
        key = SQL("coalesce(v.sku, '')") if shape.by_sku else SQL("''")
    return _COUNTED.format(
        lines=Identifier("asked", lines), line=Literal(LINE), joint=Literal(JOINT), key=key, cells=cells, join=join
    )


def _product_conditions(shape: Shape, currency: str) -> list[Composable]:
    """An option value that may bear a mark is clear only where no value of the product begins with one itself."""
    conditions: list[Composable] = [SQL("(asked.marked = '' OR strpos(p.options::text, '\"''') = 0)")]
    if shape.names:
        names = _list(Identifier("p", "options"), "name", shape.names)
        conditions.append(SQL("(asked.names = '' OR asked.names = {})").format(names))
    for place, name in enumerate(shape.product, 1):
        cell = SQL("split_part(asked.cells, {}, {})").format(Literal(JOINT), Literal(place))
        conditions.append(SQL("({0} = '' OR {0} = {1})").format(cell, _text(name, currency)))
    return conditions


def _list(column: Composable, name: str, count: int) -> Composed:
    """The texts called `name` of the objects in a list, joined; none that a sheet could give when there are more."""
    texts = [
        SQL("coalesce({} -> {} ->> {}, '')").format(column, Literal(place), Literal(name)) for place in range(count)
    ]
    return SQL("CASE WHEN {} -> {} IS NULL THEN {} ELSE {} END").format(
        column, Literal(count), _joined(texts), Literal(_NEVER)
    )


def _joined(texts: Sequence[Composable]) -> Composed:
    parts = [part for text in texts for part in (Literal(JOINT), text)]
    return SQL(" || ").join(parts[1:])


def _unless_left_out(shape: Shape, place: int, name: str, currency: str) -> Composable:
    text = _text(name, currency)
    if name not in shape.mixed:
        return text
    return SQL("CASE WHEN asked.bits & {} <> 0 THEN {} ELSE {} END").format(
        Literal(1 << place), text, Literal(BLANK.get(name, ""))
    )


_TABLES = {Owner.PRODUCT: "p", Owner.VARIANT: "v", Owner.INVENTORY_LEVEL: "l"}


def _text(name: str, currency: str) -> Composable:
    """The mirror's value as the text of `plain_cells`; empty for null."""
    if name == GRAMS:
        return _grams()
    metafield = find_name(name)
    if metafield is not None:
        return _metafield(metafield)
    field = FIELDS[name]
    column = Identifier(_TABLES[field.owner], field.column)
    match field.kind:
        case Kind.MONEY:
            made = "CASE WHEN {0} = round({0}, {1}) THEN round({0}, {1})::text WHEN {0} IS NULL THEN '' ELSE {2} END"
            return SQL(made).format(column, Literal(minor_digits(currency)), Literal(_NEVER))
        case Kind.DECIMAL:
            return SQL("coalesce(trim_scale({})::text, '')").format(column)
        case Kind.INTEGER:
            return SQL("coalesce({}::text, '')").format(column)
        case Kind.BOOLEAN:
            return SQL("CASE WHEN {} THEN 'true' ELSE 'false' END").format(column)
        case Kind.CHOICE:
            return SQL("coalesce(lower({}), '')").format(column)
        case Kind.TAGS:
            return SQL("array_to_string({}, {})").format(column, Literal(TAG_JOINT))
        case Kind.HTML:
            return SQL("replace({}, E'\\r\\n', E'\\n')").format(column)
        case _:
            return SQL("coalesce({}, '')").format(column)


# As the store keeps it, whatever its type; a cell that says the same in other words is read.
_METAFIELD = SQL("""
coalesce((
    SELECT replace(m.value, E'\\r\\n', E'\\n') FROM commerce.metafield AS m
    WHERE m.store_id = {owner}.store_id AND m.tenant_id = {owner}.tenant_id AND m.deleted_at IS NULL
        AND m.owner_type = {kind} AND m.owner_id = {owner}.id AND m.namespace = {namespace} AND m.key = {key}
    ORDER BY m.id DESC LIMIT 1
), '')
""")


def _metafield(name: MetafieldName) -> Composed:
    owner = Identifier(_TABLES[Owner(name.owner)])
    return _METAFIELD.format(
        owner=owner, kind=Literal(name.owner), namespace=Literal(name.namespace), key=Literal(name.key)
    )


def _grams() -> Composed:
    """With six digits, as exports give them: whoever reads them with fewer knows what they were rounded from, and so
    does `matching`, but here such a row is only looked at."""
    factors = SQL(" ").join(SQL("WHEN {} THEN {}").format(Literal(unit), Literal(of)) for unit, of in GRAMS_OF.items())
    return SQL(
        "coalesce(trim_scale(round(v.weight * CASE coalesce(lower(v.weight_unit), 'grams') {} END, 6))::text, '')"
    ).format(factors)
