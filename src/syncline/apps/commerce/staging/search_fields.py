"""The names a search may use, for the mirror and for the review list."""

from __future__ import annotations

from collections.abc import Sequence

from syncline.apps.commerce.fields import CATALOGUE, FIELDS, Kind, Owner
from syncline.apps.commerce.staging.amounts import AMOUNT_FIELDS
from syncline.apps.commerce.staging.search import SearchField, SearchKind

_KINDS = {
    Kind.TEXT: SearchKind.TEXT,
    Kind.HTML: SearchKind.TEXT,
    Kind.MONEY: SearchKind.NUMBER,
    Kind.DECIMAL: SearchKind.NUMBER,
    Kind.INTEGER: SearchKind.NUMBER,
    Kind.BOOLEAN: SearchKind.BOOLEAN,
    Kind.CHOICE: SearchKind.ENUM,
    Kind.TAGS: SearchKind.TAG,
}
_ALIASES = {
    "product_type": ("type",),
    "tags": ("tag",),
    "available": ("inventory", "stock", "quantity"),
    "description_html": ("description", "body"),
}
FREE_TEXT: tuple[str, ...] = ("title", "sku", "handle", "vendor")
"""The catalogue fields that free text is looked for in."""

MIRROR_FIELDS: tuple[SearchField, ...] = (
    *(
        SearchField(
            *(field.name, _KINDS[field.kind], field.owner.value),
            choices=field.choices,
            aliases=_ALIASES.get(field.name, ()),
            nullable=field.nullable or field.kind in {Kind.TAGS, Kind.TEXT, Kind.HTML},
        )
        for field in CATALOGUE
    ),
    SearchField("id", SearchKind.NUMBER, "product"),
    SearchField("variant_id", SearchKind.NUMBER, "variant"),
    SearchField("gift_card", SearchKind.BOOLEAN, "product", aliases=("is_gift_card",)),
    SearchField("location", SearchKind.TEXT, "inventory_level"),
    SearchField("created_at", SearchKind.DATE, "product", aliases=("created",)),
    SearchField("updated_at", SearchKind.DATE, "product", aliases=("updated",)),
    SearchField(
        "collection", SearchKind.TEXT, "collection", aliases=("collections", "collection_handle"), nullable=True
    ),
    SearchField("collection_title", SearchKind.TEXT, "collection"),
    SearchField("collection_id", SearchKind.NUMBER, "collection"),
    SearchField("image_alt", SearchKind.TEXT, "product_media", aliases=("alt",), nullable=True),
    SearchField("published_at", SearchKind.DATE, "product", aliases=("published",), nullable=True),
)
"""What chooses products and variants. For a text `none` also finds the empty text: nobody can see the difference."""


def change_fields(statuses: Sequence[str], kinds: Sequence[str] = tuple(Owner)) -> tuple[SearchField, ...]:
    """What chooses staged changes. Amounts speak of what the change makes of what; `field` and `batch` of the change;
    `vendor`, `title`, `handle` and `tag` of its product and `sku` of its variant, as the mirror has them."""
    of_the_record = {"vendor", "product_type", "title", "handle", "tags", "sku"}
    return (
        SearchField("status", SearchKind.ENUM, "change", choices=tuple(statuses)),
        SearchField("kind", SearchKind.ENUM, "change", choices=tuple(kinds)),
        SearchField("field", SearchKind.FIELD, "change", choices=tuple(FIELDS)),
        SearchField("batch", SearchKind.TEXT, "change"),
        SearchField("label", SearchKind.TEXT, "change"),
        SearchField("author", SearchKind.TEXT, "change"),
        SearchField("reviewer", SearchKind.TEXT, "change", nullable=True),
        SearchField("note", SearchKind.TEXT, "change", nullable=True),
        SearchField("assignee", SearchKind.TEXT, "change", nullable=True),
        SearchField("expires_at", SearchKind.DATE, "change", aliases=("expires",), nullable=True),
        SearchField("direction", SearchKind.ENUM, "change", choices=("outbound", "inbound")),
        SearchField("id", SearchKind.TEXT, "change"),
        *AMOUNT_FIELDS,
        SearchField("product_id", SearchKind.NUMBER, "change"),
        SearchField("created_at", SearchKind.DATE, "change", aliases=("created",)),
        SearchField("reviewed_at", SearchKind.DATE, "change", aliases=("reviewed",), nullable=True),
        *(field for field in MIRROR_FIELDS if field.name in of_the_record),
    )
