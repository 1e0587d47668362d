"""Mutations of a product's media, and `fileUpdate`, which takes the place of some of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from syncline.sandbox.shopify.compiler import Call, Resolver, entries
from syncline.sandbox.shopify.entities_content import MEDIA_TYPES, Media
from syncline.sandbox.shopify.ids import number_of, parse_gid
from syncline.sandbox.shopify.mutations import Payload, UserError, mutation, refuse_unserved, user_error
from syncline.sandbox.shopify.mutations_collections import job
from syncline.sandbox.shopify.resolvers_media import media_gid
from syncline.sandbox.shopify.state import Product

MOST_MEDIA = 250
LONGEST_ALT = 512
MISSING_PRODUCT = user_error(["productId"], "Product does not exist", "PRODUCT_DOES_NOT_EXIST")
UPDATE_FIELDS = frozenset({"id", "alt"})
FILE_FIELDS = UPDATE_FIELDS | {"referencesToAdd", "referencesToRemove"}


def _answer(errors: list[UserError], **fields: Any) -> Payload:
    """The media mutations tell their errors twice, in the older field without the code."""
    return {**fields, "mediaUserErrors": errors, "userErrors": errors}


def _create(call: Call) -> Payload:
    """The good ones are made even when others are refused (mediaUserErrors names those). Shopify fetches a file after
    it has answered: here it is there at the next look, unless its host is one that no name server knows (`.invalid`,
    RFC 2606)."""
    product = _product(call, call.args["productId"])
    if product is None:
        return _answer([MISSING_PRODUCT], media=None, product=None)
    library = call.context.store.media
    made: list[Media] = []
    errors: list[UserError] = []
    for number, given in enumerate(call.args["media"]):
        wrong = _complaint(given, len(library.shown_by(product.id)), number)
        if wrong is not None:
            errors.append(wrong)
            continue
        is_there = not (urlsplit(given["originalSource"]).hostname or "").endswith(".invalid")
        media = library.add(
            product.id,
            content_type=given["mediaContentType"],
            url=given["originalSource"],
            alt=given.get("alt") or None,
            status="READY" if is_there else "FAILED",
            failure=None if is_there else "IMAGE_DOWNLOAD_FAILURE",
        )
        call.context.record(media.type_name, media.id, productId=call.args["productId"], **given)
        made.append(replace(media, status="UPLOADED", failure=None))
    return _answer(errors, media=made, product=product)


def _complaint(given: Mapping[str, Any], held: int, number: int) -> UserError | None:
    at = ["media", str(number)]
    if held >= MOST_MEDIA:
        message = f"Exceeded the limit of {MOST_MEDIA} media per product"
        return user_error(at, message, "PRODUCT_MEDIA_LIMIT_EXCEEDED")
    if not given["originalSource"].startswith(("https://", "http://")):
        return user_error([*at, "originalSource"], "Image URL is invalid", "INVALID")
    return _alt_complaint(at, given)


def _alt_complaint(at: list[str], given: Mapping[str, Any], code: str = "INVALID") -> UserError | None:
    if len(given.get("alt") or "") <= LONGEST_ALT:
        return None
    return user_error([*at, "alt"], f"The alt value exceeds the maximum limit of {LONGEST_ALT} characters.", code)


def _update(call: Call) -> Payload:
    """All or nothing."""
    product = _product(call, call.args["productId"])
    if product is None:
        return _answer([MISSING_PRODUCT], media=None, product=None)
    shown = {media_gid(one): one for one in call.context.store.media.shown_by(product.id)}
    errors = _missing(shown, [one["id"] for one in call.args["media"]], ["media"])
    for number, given in enumerate(call.args["media"]):
        if (wrong := _alt_complaint(["media", str(number)], given)) is not None:
            errors.append(wrong)
    if errors:
        return _answer(errors, media=None, product=product)
    for given in call.args["media"]:
        _write_alt(call, shown[given["id"]], given)
    return _answer([], media=[shown[given["id"]] for given in call.args["media"]], product=product)


def _write_alt(call: Call, media: Media, given: Mapping[str, Any]) -> None:
    if "alt" in given and (given["alt"] or None) != media.alt:
        call.context.store.media.update(media, alt=given["alt"] or None)
    call.context.record(media.type_name, media.id, **{name: given[name] for name in given if name != "id"})


def _check_update(call: Call) -> None:
    for given in call.args["media"]:
        refuse_unserved(call, "UpdateMediaInput", given, UPDATE_FIELDS)


def _delete(call: Call) -> Payload:
    product = _product(call, call.args["productId"])
    if product is None:
        return _answer([MISSING_PRODUCT], deletedMediaIds=None, deletedProductImageIds=None, product=None)
    library = call.context.store.media
    shown = {media_gid(one): one for one in library.shown_by(product.id)}
    wanted = call.args["mediaIds"]
    errors = _missing(shown, wanted, ["mediaIds"])
    if errors:
        return _answer(errors, deletedMediaIds=None, deletedProductImageIds=None, product=product)
    library.arrange(product.id, [one.id for text, one in shown.items() if text not in wanted])
    for text in wanted:
        call.context.record(shown[text].type_name, shown[text].id, deleted=True)
    return _answer([], deletedMediaIds=wanted, deletedProductImageIds=[], product=product)


def _reorder(call: Call) -> Payload:
    """Moves happen one after the other; positions count from 0 and end at the last place. The job that does it is over
    when it is asked for."""
    product = _product(call, call.args["id"])
    if product is None:
        return _answer([user_error(["id"], MISSING_PRODUCT["message"], MISSING_PRODUCT["code"])], job=None)
    library = call.context.store.media
    shown = {media_gid(one): one.id for one in library.shown_by(product.id)}
    moves = call.args["moves"]
    errors = _missing(shown, [move["id"] for move in moves], ["moves"])
    if errors:
        return _answer(errors, job=None)
    order = list(shown.values())
    for move in moves:
        order.remove(shown[move["id"]])
        order.insert(int(move["newPosition"]), shown[move["id"]])
    library.arrange(product.id, order)
    call.context.record("Product", product.id, media=[move["id"] for move in moves])
    return _answer([], job=job() | {"done": False})


def _missing(shown: Mapping[str, Any], texts: Iterable[str], at: list[str]) -> list[UserError]:
    return [
        user_error([*at, str(number)], f"Media id {text} does not exist", "MEDIA_DOES_NOT_EXIST")
        for number, text in enumerate(texts)
        if text not in shown
    ]


def _product(call: Call, text: str) -> Product | None:
    return call.context.store.products.get(number_of(text, "Product") or 0)


def _update_files(call: Call) -> Payload:
    """All or nothing. `referencesToAdd` and `referencesToRemove` name the products that show the file."""
    files = [_file(call, given["id"]) for given in call.args["files"]]
    errors = [
        error
        for number, (given, file) in enumerate(zip(call.args["files"], files, strict=True))
        for error in _file_complaints(call, number, given, file)
    ]
    if errors:
        return {"files": None, "userErrors": errors}
    for given, file in zip(call.args["files"], files, strict=True):
        if file is not None:
            _refer(call, file, given)
            _write_alt(call, file, given)
    return {"files": files, "userErrors": []}


def _file_complaints(call: Call, number: int, given: Mapping[str, Any], file: Media | None) -> list[UserError]:
    at = ["files", str(number)]
    if file is None:
        return [user_error([*at, "id"], f"File id {given['id']} does not exist.", "FILE_DOES_NOT_EXIST")]
    if file.status != "READY":
        return [user_error(at, "Non-ready files cannot be updated.", "NON_READY_STATE")]
    alt = _alt_complaint(at, given, "ALT_VALUE_LIMIT_EXCEEDED")
    targets = [*(given.get("referencesToAdd") or ()), *(given.get("referencesToRemove") or ())]
    missing = [
        user_error(at, "The reference target does not exist", "REFERENCE_TARGET_DOES_NOT_EXIST")
        for text in targets
        if _product(call, text) is None
    ]
    return [*([alt] if alt else []), *missing]


def _refer(call: Call, file: Media, given: Mapping[str, Any]) -> None:
    library = call.context.store.media
    for text in given.get("referencesToAdd") or ():
        number = number_of(text, "Product") or 0
        shown = library.of_product.get(number, [])
        if file.id not in shown:
            library.arrange(number, [*shown, file.id])
    for text in given.get("referencesToRemove") or ():
        number = number_of(text, "Product") or 0
        library.detach(number, file.id)


def _file(call: Call, text: str) -> Media | None:
    wanted = parse_gid(text)
    found = call.context.store.media.by_id.get(wanted.number) if wanted else None
    return found if wanted and found and found.type_name == wanted.kind in MEDIA_TYPES.values() else None


def _check_files(call: Call) -> None:
    for given in call.args["files"]:
        refuse_unserved(call, "FileUpdateInput", given, FILE_FIELDS)


MUTATIONS: dict[str, Resolver] = {
    "productCreateMedia": mutation(_create),
    "productUpdateMedia": mutation(_update, _check_update),
    "productDeleteMedia": mutation(_delete),
    "productReorderMedia": mutation(_reorder),
    "fileUpdate": mutation(_update_files, _check_files),
}

TYPES: dict[str, dict[str, Resolver]] = {
    "ProductCreateMediaPayload": entries("media", "mediaUserErrors", "product", "userErrors"),
    "ProductUpdateMediaPayload": entries("media", "mediaUserErrors", "product", "userErrors"),
    "ProductDeleteMediaPayload": entries(
        "deletedMediaIds", "deletedProductImageIds", "mediaUserErrors", "product", "userErrors"
    ),
    "ProductReorderMediaPayload": entries("job", "mediaUserErrors", "userErrors"),
    "FileUpdatePayload": entries("files", "userErrors"),
    "MediaUserError": entries("field", "message", "code"),
    "FilesUserError": entries("field", "message", "code"),
}
