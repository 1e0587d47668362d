"""metafieldsSet and metafieldsDelete."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from syncline.sandbox.shopify.compiler import Call, Resolver, entries
from syncline.sandbox.shopify.entities_content import OWNER_TYPES, Metafield
from syncline.sandbox.shopify.ids import GlobalId, parse_gid
from syncline.sandbox.shopify.metafield_values import is_type, suits
from syncline.sandbox.shopify.mutations import Payload, UserError, mutation
from syncline.sandbox.shopify.problems import ACCESS_SCOPES_PAGE, FieldFailed
from syncline.sandbox.shopify.resolvers_metafields import APP_NAMESPACE

MOST_AT_ONCE = 25
LENGTHS = {"namespace": (3, 255), "key": (2, 64)}
"""Schema text of MetafieldsSetInput."""
WRITE_SCOPES = {
    "Product": "write_products",
    "ProductVariant": "write_products",
    "Collection": "write_products",
    "Customer": "write_customers",
    "Order": "write_orders",
}
STALE = "The resource has been updated since it was loaded. Try again with an updated `compareDigest` value."

_NAME = re.compile(r"[\w-]+", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}")


def _set(call: Call) -> Payload:
    """All or nothing. A digest is compared with what is stored now; null demands that nothing is."""
    given = call.args["metafields"]
    if len(given) > MOST_AT_ONCE:
        message = f"Exceeded the maximum metafields input limit of {MOST_AT_ONCE}."
        return {"metafields": [], "userErrors": [_error(["metafields"], message, "LESS_THAN_OR_EQUAL_TO", None)]}
    owners = [_owner(call, one["ownerId"]) for one in given]
    errors = [
        error
        for number, (one, owner) in enumerate(zip(given, owners, strict=True))
        for error in _complaints(call, number, one, owner)
    ]
    if errors:
        return {"metafields": [], "userErrors": errors}
    written = [_write(call, one, owner) for one, owner in zip(given, owners, strict=True) if owner is not None]
    return {"metafields": written, "userErrors": []}


def _write(call: Call, given: Mapping[str, Any], owner: GlobalId) -> Metafield:
    namespace, key = given.get("namespace") or APP_NAMESPACE, given["key"]
    store = call.context.store
    kind = given.get("type") or _stored_type(call, given, owner) or ""
    made = store.metafields.set(owner.kind, owner.number, namespace, key, kind, given["value"])
    call.context.record(
        "Metafield",
        made.id,
        ownerId=given["ownerId"],
        namespace=namespace,
        key=key,
        type=kind,
        value=given["value"],
    )
    return made


def _complaints(call: Call, number: int, given: Mapping[str, Any], owner: GlobalId | None) -> list[UserError]:
    at = ["metafields", str(number)]
    if owner is None:
        return [_error([*at, "ownerId"], "Owner does not exist.", "INVALID", number)]
    errors = [error for name in LENGTHS for error in _name_complaints(at, number, name, given.get(name))]
    kind = given.get("type") or _stored_type(call, given, owner)
    if not kind:
        errors.append(_error([*at, "type"], "Type can't be blank", "BLANK", number))
    elif not is_type(kind):
        message = f"Type must be one of the supported types; {kind!r} is none of them."
        errors.append(_error([*at, "type"], message, "INVALID_TYPE", number))
    elif not given["value"]:
        errors.append(_error([*at, "value"], "Value can't be blank.", "BLANK", number))
    elif not suits(kind, given["value"]):
        errors.append(_error([*at, "value"], f"Value does not suit the type {kind}.", "INVALID_VALUE", number))
    if "compareDigest" in given:
        errors.extend(_digest_complaints(call, at, number, given, owner))
    return errors


def _name_complaints(at: list[str], number: int, name: str, value: str | None) -> list[UserError]:
    if value is None:
        return []
    shortest, longest = LENGTHS[name]
    words = name.capitalize()
    if len(value) < shortest:
        message = f"{words} is too short (minimum is {shortest} characters)"
        return [_error([*at, name], message, "TOO_SHORT", number)]
    if len(value) > longest:
        return [_error([*at, name], f"{words} is too long (maximum is {longest} characters)", "TOO_LONG", number)]
    if not _NAME.fullmatch(value):
        message = f"{words} contains one or more invalid characters."
        return [_error([*at, name], message, "INVALID", number)]
    return []


def _digest_complaints(
    call: Call, at: list[str], number: int, given: Mapping[str, Any], owner: GlobalId
) -> list[UserError]:
    digest = given["compareDigest"]
    if digest is not None and not _DIGEST.fullmatch(digest):
        return [_error([*at, "compareDigest"], "The compareDigest is invalid.", "INVALID_COMPARE_DIGEST", number)]
    stored = _find(call, given, owner)
    return [] if digest == (stored.compare_digest if stored else None) else [_error(at, STALE, "STALE_OBJECT", number)]


def _find(call: Call, given: Mapping[str, Any], owner: GlobalId) -> Metafield | None:
    namespace = given.get("namespace") or APP_NAMESPACE
    return call.context.store.metafields.find(owner.kind, owner.number, namespace, given["key"])


def _stored_type(call: Call, given: Mapping[str, Any], owner: GlobalId) -> str | None:
    """Without a definition the type has to be given; a metafield that is there keeps its own."""
    stored = _find(call, given, owner)
    return stored.type if stored else None


def _owner(call: Call, text: str) -> GlobalId | None:
    """None when there is no such thing. Raises `FieldFailed` for what the token may not write, and for owners that the
    sandbox has no metafields of."""
    wanted = parse_gid(text)
    if wanted is None:
        return None
    if wanted.kind not in OWNER_TYPES:
        raise FieldFailed(f"Metafields of {wanted.kind} are not served by the sandbox.", {"code": "NOT_SERVED"})
    scope = WRITE_SCOPES[wanted.kind]
    if scope not in call.context.scopes:
        access = f"`{scope}` access scope."
        extensions = {"code": "ACCESS_DENIED", "documentation": ACCESS_SCOPES_PAGE, "requiredAccess": access}
        raise FieldFailed(f"Access denied for {call.name} field. Required access: {access}", extensions)
    return wanted if call.context.store.find(wanted.kind, wanted.number) is not None else None


def _error(field: list[str], message: str, code: str, number: int | None) -> UserError:
    return {"field": field, "message": message, "code": code, "elementIndex": number}


def _delete(call: Call) -> Payload:
    """What is not there is told as null and is no error."""
    deleted: list[Mapping[str, Any] | None] = []
    for one in call.args["metafields"]:
        owner = _owner(call, one["ownerId"])
        found = None if owner is None else _find(call, one, owner)
        if found is not None:
            call.context.store.metafields.delete(found)
            call.context.record("Metafield", found.id, deleted=True)
        deleted.append(None if found is None else one)
    return {"deletedMetafields": deleted, "userErrors": []}


MUTATIONS: dict[str, Resolver] = {"metafieldsSet": mutation(_set), "metafieldsDelete": mutation(_delete)}


def _maybe(call: Call) -> Any:
    """A list that may hold nulls."""
    child = call.child()
    name = call.name
    return lambda payload: [None if one is None else child(one) for one in payload[name]]


TYPES: dict[str, dict[str, Resolver]] = {
    "MetafieldsSetPayload": entries("metafields", "userErrors"),
    "MetafieldsSetUserError": entries("field", "message", "code", "elementIndex"),
    "MetafieldsDeletePayload": {"deletedMetafields": _maybe, **entries("userErrors")},
    "MetafieldIdentifier": entries("ownerId", "namespace", "key"),
}
