"""Rows of a sheet against the mirror: which record each row means, and which of its fields the sheet would change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal

from syncline.apps.commerce.field_text import shortened
from syncline.apps.commerce.fields import FIELDS, AnyValue, Kind, Owner, Value, decimal_text, get_field
from syncline.apps.commerce.gallery import MOST_MEDIA, file_stem, is_shown_from
from syncline.apps.commerce.nearest import join_or, nearest
from syncline.apps.commerce.staging.diff import FieldChange, changed_fields
from syncline.apps.commerce.staging.gallery_edits import new_image
from syncline.apps.commerce.transfer.cells import unmarked
from syncline.apps.commerce.transfer.creating import Maker
from syncline.apps.commerce.transfer.grams import GRAMS
from syncline.apps.commerce.transfer.metafield_cells import MetafieldTypes
from syncline.apps.commerce.transfer.problems import Problem, Severity
from syncline.apps.commerce.transfer.product_rows import ProductSheet, VariantSheet
from syncline.apps.commerce.whole_product import FIELD as WHOLE
from syncline.apps.commerce.whole_product import draft_number

_WEIGHT_STEP = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class MirrorVariant:
    """A variant as the mirror has it. `options` are its option values by position, `fields` those of the catalogue's
    variant fields that the sheet is about, `available` the quantity by location id for every location that stocks
    it, `metafields` those that it has of the ones the sheet names, by field."""

    id: int
    item_id: int
    options: tuple[str, ...]
    fields: Mapping[str, Value]
    available: Mapping[int, int | None] = field(default_factory=dict)
    metafields: Mapping[str, AnyValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MirrorProduct:
    """A product as the mirror has it, with all its variants; `fields` are those of the catalogue's product fields that
    the sheet is about, and the title."""

    id: int
    handle: str
    option_names: tuple[str, ...]
    fields: Mapping[str, Value]
    variants: tuple[MirrorVariant, ...]
    metafields: Mapping[str, AnyValue] = field(default_factory=dict)
    images: tuple[str, ...] = ()
    """The addresses of all that it shows, blank where there is none, if the sheet is about images."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What one row would change of one record. `id` is the product's, the variant's, or for an inventory level the
    inventory item's, whose other half is `location_id`."""

    owner: Owner
    id: int
    product_id: int
    row: int
    label: str
    changes: tuple[FieldChange, ...]
    location_id: int | None = None


@dataclass(slots=True)
class Matched:
    """`unchanged` counts the records that a row names and that are already as it says; `deletions` are
    products by number."""

    proposals: list[Proposal] = field(default_factory=list)
    deletions: list[int] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unchanged: int = 0


class Matcher:
    """Matches one file. `location_id` is where the sheet's quantities are meant; None when the store has several
    locations and nobody named one, and then quantities stay as they are, but for rows that name one of `locations`, by
    its name. `near_handles` gives handles of the store that look like one it does not have."""

    def __init__(
        self,
        *,
        location_id: int | None,
        near_handles: Callable[[str], Sequence[str]],
        locations: Mapping[str, int] | None = None,
        metafields: MetafieldTypes | None = None,
        creates: bool = False,
    ) -> None:
        self._location_id = location_id
        self._creates = creates
        self._metafields = metafields or MetafieldTypes()
        self._locations = locations or {}
        self._near_handles = near_handles
        self._noted: set[str] = set()

    @property
    def has_told_of_stock(self) -> bool:
        """Whether it was said that nobody knows where the sheet's quantities are meant."""
        return "stock" in self._noted

    def match(self, sheets: Sequence[ProductSheet], mirror: Mapping[str, MirrorProduct]) -> Matched:
        """`mirror` holds the sheets' products by handle, in lower case; one that is missing is not in the store."""
        matched = Matched()
        for sheet in sheets:
            product = mirror.get(sheet.handle)
            if product is None:
                self._match_unknown(sheet, matched)
                continue
            if sheet.command == "new":
                reason = "The store has a product with this handle already; write update, or choose another handle."
                matched.problems.append(Problem(sheet.row, "Command", sheet.command, reason))
                continue
            if sheet.command == "delete":
                matched.deletions.append(product.id)
                continue
            self._match_product(sheet, product, matched)
            self._match_variants(sheet, product, matched)
            _match_images(sheet, product, matched)
        return matched

    def _match_unknown(self, sheet: ProductSheet, matched: Matched) -> None:
        if sheet.command not in {"new", "merge"} and (sheet.command is not None or not self._creates):
            matched.problems.append(self._unknown_handle(sheet))
            return
        made = Maker(self._location_id, self._locations, self._metafields).product(sheet)
        if isinstance(made, list):
            matched.problems += made
            return
        number = draft_number(sheet.handle)
        change = FieldChange(WHOLE, None, made)
        matched.proposals.append(
            Proposal(Owner.WHOLE_PRODUCT, number, number, sheet.row, str(made["title"]), (change,))
        )

    def _unknown_handle(self, sheet: ProductSheet) -> Problem:
        near = list(self._near_handles(sheet.handle))
        hint = f" Did you mean {join_or(near)}?" if near else ""
        reason = (
            "As of the last pull the store has no product with this handle, and an import only changes products that "
            f"exist unless it is asked to make new ones.{hint}"
        )
        return Problem(sheet.row, "Handle", sheet.handle, reason)

    def _match_product(self, sheet: ProductSheet, product: MirrorProduct, matched: Matched) -> None:
        fields = {name: value for name, value in sheet.fields.items() if name in FIELDS}
        label = str(product.fields.get("title") or product.handle)
        if fields:
            changes = changed_fields(product.fields, _meant(fields, product.fields))
            _propose(matched, Proposal(Owner.PRODUCT, product.id, product.id, sheet.row, label, tuple(changes)))
        found = Proposal(Owner.PRODUCT_METAFIELD, product.id, product.id, sheet.row, label, ())
        self._match_metafields(found, sheet.fields, product.metafields, matched)

    def _match_metafields(
        self, record: Proposal, given: Mapping[str, Value], current: Mapping[str, AnyValue], matched: Matched
    ) -> None:
        """Those among `given`, each a change of its own of the record."""
        for found in self._metafields.changes(record.row, given, current):
            if isinstance(found, Problem):
                matched.problems.append(found)
            else:
                _propose(matched, replace(record, changes=() if found is None else (found,)))

    def _match_variants(self, sheet: ProductSheet, product: MirrorProduct, matched: Matched) -> None:
        order = self._option_order(sheet, product, matched)
        taken: dict[tuple[int, str | None], int] = {}
        for row in sheet.variants:
            options = tuple(row.options[index] for index in order) if len(row.options) == len(order) else row.options
            found = _find_variant(row, options, product)
            if isinstance(found, Problem):
                matched.problems.append(found)
                continue
            first = taken.get((found.id, row.location))
            if first is not None:
                reason = f"This is the same variant as in row {first}; keep one of the two rows."
                matched.problems.append(Problem(row.row, "Handle", product.handle, reason))
                continue
            taken[found.id, row.location] = row.row
            self._match_variant(row, found, product, matched)

    def _option_order(self, sheet: ProductSheet, product: MirrorProduct, matched: Matched) -> Sequence[int]:
        """Where in a row each of the product's options stands. Sheets may name the options in another order; other
        names cannot be imported, and then the place decides."""
        given = [name.casefold() for name in sheet.option_names]
        wanted = [name.casefold() for name in product.option_names]
        if given == wanted or not given:
            return range(len(wanted))
        if sorted(given) == sorted(wanted) and len(set(given)) == len(given):
            return [given.index(name) for name in wanted]
        if "options" not in self._noted:
            self._noted.add("options")
            reason = (
                f"The product's options are called {', '.join(product.option_names)}; option names cannot be imported "
                "yet and stay as they are, the values are matched by their place."
            )
            matched.problems.append(
                Problem(sheet.row, "Option1 Name", ", ".join(sheet.option_names), reason, Severity.NOTE)
            )
        return range(len(wanted))

    def _match_variant(
        self, row: VariantSheet, variant: MirrorVariant, product: MirrorProduct, matched: Matched
    ) -> None:
        if row.location is not None:
            if "available" in row.fields:
                self._match_stock(row, variant, product, matched)
            return
        lost = _lost_zeros(row, variant)
        if lost is not None:
            matched.problems.append(lost)
            return
        label = _label(product, variant)
        asked = {name: value for name, value in row.fields.items() if get_field(name).owner is Owner.VARIANT}
        asked |= _weight(row, variant.fields)
        if asked:
            changes = changed_fields(variant.fields, _meant(asked, variant.fields))
            _propose(matched, Proposal(Owner.VARIANT, variant.id, product.id, row.row, label, tuple(changes)))
        found = Proposal(Owner.VARIANT_METAFIELD, variant.id, product.id, row.row, label, ())
        self._match_metafields(found, row.fields, variant.metafields, matched)
        if "available" in row.fields:
            self._match_stock(row, variant, product, matched)

    def _match_stock(self, row: VariantSheet, variant: MirrorVariant, product: MirrorProduct, matched: Matched) -> None:
        quantity, place = row.fields["available"], self._place_of(row, matched)
        if place is None and row.location is not None:
            return
        if place is None:
            if "stock" not in self._noted:
                self._noted.add("stock")
                reason = (
                    "The store has several locations and the sheet does not say which one its quantities are for; they "
                    "stay as they are. Name the location to import them."
                )
                matched.problems.append(Problem(row.row, "Variant Inventory Qty", str(quantity), reason, Severity.NOTE))
            return
        if place not in variant.available:
            if quantity != 0:
                reason = "The variant is not stocked at this location; stock it there in the shop's admin first."
                matched.problems.append(Problem(row.row, "Variant Inventory Qty", str(quantity), reason))
            return
        changes = changed_fields({"available": variant.available[place]}, {"available": quantity})
        label = _label(product, variant)
        _propose(
            matched,
            Proposal(Owner.INVENTORY_LEVEL, variant.item_id, product.id, row.row, label, tuple(changes), place),
        )

    def _place_of(self, row: VariantSheet, matched: Matched) -> int | None:
        if row.location is None:
            return self._location_id
        place = self._locations.get(row.location)
        if place is None:
            folded = row.location.casefold()
            alike = [number for name, number in self._locations.items() if name.casefold() == folded]
            place = alike[0] if len(alike) == 1 else None
        if place is None:
            near = nearest(row.location, list(self._locations), 3)
            hint = f" Did you mean {join_or(near)}?" if near else ""
            reason = f"The store has no active location of this name.{hint}"
            matched.problems.append(Problem(row.row, "Location", row.location, reason))
        return place


def _match_images(sheet: ProductSheet, product: MirrorProduct, matched: Matched) -> None:
    """Those that it does not show are added behind the others; none is taken away or moved."""
    title = str(product.fields.get("title") or product.handle)
    shown = list(product.images)
    for url, alt in sheet.images:
        if is_shown_from(url, shown):
            continue
        try:
            image = new_image(url, alt or "")
        except ValueError as error:
            matched.problems.append(Problem(sheet.row, "Product image URL", url, f"{error}."))
            continue
        if len(shown) >= MOST_MEDIA:
            reason = f"The product would show more than the {MOST_MEDIA} images that Shopify allows; leave some out."
            matched.problems.append(Problem(sheet.row, "Product image URL", url, reason))
            return
        shown.append(url)
        change = FieldChange("images", None, {"url": image.url, "alt": image.alt, "type": "image"})
        label = f"{title}, new image {file_stem(url)}"
        matched.proposals.append(Proposal(Owner.PRODUCT_IMAGE, 0, product.id, sheet.row, label, (change,)))


def _propose(matched: Matched, proposal: Proposal) -> None:
    if proposal.changes:
        matched.proposals.append(proposal)
    else:
        matched.unchanged += 1


def _label(product: MirrorProduct, variant: MirrorVariant) -> str:
    title = str(product.fields.get("title") or product.handle)
    return title if _is_default(variant.options) else f"{title} · {' / '.join(variant.options)}"


def _is_default(options: Sequence[str]) -> bool:
    """Shopify gives a product without options one variant of this name."""
    return not options or tuple(options) == ("Default Title",)


def _find_variant(row: VariantSheet, options: tuple[str, ...], product: MirrorProduct) -> MirrorVariant | Problem:
    if not options:
        return _only_variant(row, product)
    bare = tuple(map(unmarked, options))
    exact = [variant for variant in product.variants if variant.options == options] or [
        variant for variant in product.variants if variant.options == bare
    ]
    options = bare
    folded = [value.strip().casefold() for value in options]
    found = exact or [
        variant for variant in product.variants if [value.strip().casefold() for value in variant.options] == folded
    ]
    if len(found) == 1:
        return found[0]
    named = {" / ".join(variant.options): variant for variant in product.variants}
    wanted = " / ".join(options)
    if found:
        reason = f"{len(found)} variants differ from this only in upper and lower case; write it exactly."
    else:
        near = nearest(wanted, named, 3)
        reason = "The product has no variant with these options, and an import only changes variants that exist."
        reason += f" Did you mean {join_or(near)}?" if near else f" It has {join_or(list(named)[:3])}."
    return Problem(row.row, "Option1 Value", wanted, reason)


def _only_variant(row: VariantSheet, product: MirrorProduct) -> MirrorVariant | Problem:
    """A row without options means a product's only variant, or the one that has its SKU."""
    if len(product.variants) == 1:
        return product.variants[0]
    sku = row.fields.get("sku")
    found = (
        []
        if sku is None
        else [variant for variant in product.variants if _without_mark(variant.fields.get("sku")) == _without_mark(sku)]
    )
    if len(found) == 1:
        return found[0]
    count = len(product.variants)
    reason = f"The product has {count} variants and the row does not say which one; fill in its option values."
    return Problem(row.row, "Option1 Value", str(sku or ""), reason)


def _meant(given: Mapping[str, Value], current: Mapping[str, Value]) -> dict[str, Value]:
    """The given values without what a spreadsheet added: the apostrophe that keeps a text what it is (see `cells`; for
    codes Shopify's own export writes it too) and line ends of its own kind. A value that differs in nothing else is
    the current one."""
    return {name: _cleaned(name, value, current.get(name)) for name, value in given.items()}


def _cleaned(name: str, value: Value, current: Value) -> Value:
    if not isinstance(value, str) or value == current:
        return value
    if name in {"sku", "barcode"} and value.startswith("'"):
        return _without_mark(value)
    if FIELDS[name].kind not in {Kind.TEXT, Kind.HTML}:
        return value
    alike = current.replace("\r\n", "\n") if isinstance(current, str) else None
    if value.replace("\r\n", "\n") == alike:
        return current
    bare = unmarked(value)
    return current if bare.replace("\r\n", "\n") == alike else bare


def _lost_zeros(row: VariantSheet, variant: MirrorVariant) -> Problem | None:
    """A code that is the store's without the zeros before it: spreadsheets do that to numbers, people hardly ever."""
    for name in ("sku", "barcode"):
        given, current = row.fields.get(name), variant.fields.get(name)
        if not (isinstance(given, str) and isinstance(current, str) and current.startswith("0")):
            continue
        if given.isdigit() and current.isdigit() and given != current and given == current.lstrip("0"):
            reason = (
                f"The store has {shortened(current)}; a spreadsheet drops the zeros before a number. Format the column "
                "as text and fill it in again, or empty the cell."
            )
            return Problem(row.row, FIELDS[name].label, given, reason)
    return None


def _without_mark(value: Value) -> Value:
    return value.removeprefix("'") if isinstance(value, str) else value


def _weight(row: VariantSheet, current: Mapping[str, Value]) -> dict[str, Value]:
    """Sheets give grams and the unit to show them in; the store keeps a number in that unit. Grams that are the
    store's weight with fewer digits, or without its fraction, change nothing. Our own tables give the number itself."""
    if "weight" in row.fields:
        return {}
    unit = str(row.fields.get("weight_unit") or current.get("weight_unit") or "grams")
    old_unit = str(current.get("weight_unit") or unit)
    old = Decimal(str(current.get("weight") or 0)) * GRAMS[old_unit]
    given = old if row.grams is None else Decimal(row.grams)
    if given in {old, old // 1, old.quantize(_last_digit(given), ROUND_HALF_UP)}:
        given = old
    if (given == old and unit == old_unit) or (given == 0 and current.get("weight") is None):
        return {}
    return {"weight": decimal_text((given / GRAMS[unit]).quantize(_WEIGHT_STEP))}


def _last_digit(number: Decimal) -> Decimal:
    """1 where the last digit of `number` stands: 0.01 for 2.75, and 1 for 20."""
    exponent = number.as_tuple().exponent
    return Decimal(1).scaleb(min(exponent, 0) if isinstance(exponent, int) else 0)
