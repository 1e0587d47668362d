"""Words for columns: which of ours there are, and which one a title that nobody knows probably means. Pure.

The guesses are what suppliers and other shop systems call things, in the languages that their sheets come in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from syncline.apps.commerce.field_text import shortened
from syncline.apps.commerce.fields import CATALOGUE
from syncline.apps.commerce.nearest import did_you_mean
from syncline.apps.commerce.transfer.metafield_columns import find_title
from syncline.apps.commerce.transfer.sheet_columns import KNOWN, UNREAD, plain

LEFT_OUT = "-"
"""What is written for a column that is not to be read."""
_BESIDES = ("grams", "location", "command", "image_url", "image_alt")
_OPTIONS = tuple(f"option{place}_{part}" for place in (1, 2, 3) for part in ("name", "value"))
WORDS: Sequence[str] = (*(field.name for field in CATALOGUE), *_OPTIONS, *_BESIDES)
_TITLES: Mapping[str, str] = {
    "grams": "Variant Grams",
    "image_url": "Image Src",
    "image_alt": "Image Alt Text",
}
"""Those of our words that are no titles themselves."""

_SPOKEN: Mapping[str, tuple[str, ...]] = {
    "handle": ("slug", "url key", "permalink", "url alias", "seo url"),
    "title": ("name", "product name", "item name", "product", "artikelname", "bezeichnung", "titel", "nom", "nombre"),
    "description_html": ("long description", "body", "beschreibung", "descripcion", "descrizione"),
    "vendor": ("brand", "manufacturer", "supplier", "marke", "hersteller", "marque", "marca", "merk"),
    "product_type": ("category", "kategorie", "produkttyp", "categorie", "categoria"),
    "tags": ("keywords", "labels", "schlagworte", "stichworte", "etiquettes", "etiquetas"),
    "sku": ("item number", "article number", "part number", "artikelnummer", "artikelnr", "reference", "referencia"),
    "barcode": ("ean", "gtin", "upc", "ean13", "ean code", "isbn", "strichcode", "code barre"),
    "price": ("retail price", "sales price", "unit price", "preis", "verkaufspreis", "vk", "prix", "precio", "prezzo"),
    "compare_at_price": ("rrp", "msrp", "list price", "old price", "regular price", "uvp", "prix barre"),
    "cost": ("cost", "purchase price", "wholesale price", "einkaufspreis", "ek", "costo", "cout"),
    "available": ("qty", "quantity", "stock", "on stock", "in stock", "menge", "bestand", "quantite", "cantidad"),
    "weight": ("gewicht", "poids", "peso"),
    "location": ("warehouse", "lager", "standort", "entrepot", "almacen"),
    "image_url": ("image", "image url", "picture", "photo", "bild", "bild url", "image link", "main image"),
    "image_alt": ("alt text", "image alt", "bildtext"),
    "option1_value": ("size", "color", "colour", "variant", "groesse", "größe", "farbe", "taille", "couleur", "talla"),
}  # fmt: skip
_GUESSES: Mapping[str, str] = {spoken: word for word, said in _SPOKEN.items() for spoken in said}
_ALIKE = 0.84
"""How much of a title has to be a known word, so that a slip of the pen is one and another word is not."""
_SHORT = 3
_PUNCTUATION = re.compile(r"[\W_]+")


def title_of_word(word: str) -> str:
    """The title that a reader of sheets knows for one of our words. Raises `ValueError` naming the nearest."""
    bare = word.strip()
    if find_title(bare) is not None:
        return bare
    title = _TITLES.get(plain(bare), bare)
    found = KNOWN.get(plain(title))
    if found is None or found[0] in UNREAD:
        hint = did_you_mean(bare, WORDS)
        msg = f"{shortened(bare)!r} is no field.{hint} Write one of ours, like sku, or - to leave it out"
        raise ValueError(msg)
    return title


def is_known(title: str) -> bool:
    return plain(title) in KNOWN or find_title(" ".join(title.split())) is not None


def guess(title: str) -> str | None:
    """Our word for a title that is not known; None rather than a wild guess."""
    bare = _PUNCTUATION.sub(" ", title.lower()).strip()
    if bare in _GUESSES:
        return _GUESSES[bare]
    known = {**{word.replace("_", " "): word for word in WORDS}, **_GUESSES}
    near = get_close_matches(bare, known, 1, _ALIKE)
    return known[near[0]] if near and len(bare) > _SHORT else None


def checked(columns: Mapping[str, str]) -> dict[str, str]:
    """Raises `ValueError` with the first thing that is wrong."""
    made: dict[str, str] = {}
    for title, word in columns.items():
        name = " ".join(title.split())
        if not name:
            msg = "a column has no title; leave it out"
            raise ValueError(msg)
        if word.strip() != LEFT_OUT:
            title_of_word(word)
        made[name] = word.strip()
    words = [plain(word) for word in made.values() if word != LEFT_OUT]
    twice = sorted({word for word in words if words.count(word) > 1})
    if twice:
        msg = f"two columns mean {twice[0]}; keep one and write - for the other"
        raise ValueError(msg)
    return made


def renamed(titles: Sequence[str], columns: Mapping[str, str]) -> list[str | None]:
    """For each title the one it is read as; None for a column that is left out."""
    by_title = {plain(title): word for title, word in columns.items()}
    return [_read_as(title, by_title.get(plain(title))) for title in titles]


def _read_as(title: str, word: str | None) -> str | None:
    if word is None:
        return title
    return None if word == LEFT_OUT else title_of_word(word)
