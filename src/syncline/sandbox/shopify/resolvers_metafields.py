"""Metafields and the connection of them that their owners have."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from syncline.sandbox.shopify.amounts import moment
from syncline.sandbox.shopify.compiler import Call, Items, Resolver, Run, leaf, single
from syncline.sandbox.shopify.connections import listed
from syncline.sandbox.shopify.context import Context
from syncline.sandbox.shopify.entities_content import OWNER_TYPES, Metafield
from syncline.sandbox.shopify.ids import gid

APP_NAMESPACE = "app--1"
"""The namespace meant when none is named: the one reserved for the app."""
JSON_TYPES = frozenset({
    "boolean", "dimension", "json", "link", "money", "number_integer", "rating", "rich_text_field", "volume", "weight",
})  # fmt: skip
"""Types whose `jsonValue` is the value read as JSON, besides all lists; of the others it is the text."""


def metafields_of(owner_type: str) -> dict[str, Resolver]:
    """The fields `metafields` and `metafield` of a type that has them."""
    return {
        "metafields": listed(_chosen(owner_type), {None: lambda metafield: metafield.id}),
        "metafield": _one(owner_type),
    }


def _chosen(owner_type: str) -> Callable[[Context, dict[str, Any]], Items]:
    """With `keys` the key is told as it was asked for, `namespace.key` (schema text of the argument)."""

    def items(context: Context, args: dict[str, Any]) -> Items:
        of = context.store.metafields.of
        namespace, keys = args.get("namespace"), args.get("keys")

        def run(owner: Any) -> list[Metafield]:
            found = [one for one in of(owner_type, owner.id) if namespace in {None, one.namespace}]
            if keys is None:
                return found
            named = ((f"{one.namespace}.{one.key}", one) for one in found)
            return [replace(one, key=name) for name, one in named if name in keys]

        return run

    return items


def _one(owner_type: str) -> Resolver:
    def resolver(call: Call) -> Run:
        namespace = call.args.get("namespace") or APP_NAMESPACE
        key = call.args["key"]
        find = call.context.store.metafields.find
        child = call.child()

        def run(owner: Any) -> Any:
            found = find(owner_type, owner.id, namespace, key)
            return None if found is None else child(found)

        return run

    return resolver


def json_value(kind: str, value: str) -> Any:
    return json.loads(value) if kind in JSON_TYPES or kind.startswith("list.") else value


def _owner(context: Context) -> Run:
    find = context.store.find
    return lambda metafield: find(metafield.owner_type, metafield.owner_id)


def _nothing(_: Context) -> Run:
    return lambda _entity: None


TYPES: dict[str, dict[str, Resolver]] = {
    "Metafield": {
        "id": leaf(lambda metafield: gid("Metafield", metafield.id)),
        "legacyResourceId": leaf(lambda metafield: str(metafield.id)),
        "namespace": leaf(lambda metafield: metafield.namespace),
        "key": leaf(lambda metafield: metafield.key),
        "type": leaf(lambda metafield: metafield.type),
        "value": leaf(lambda metafield: metafield.value),
        "jsonValue": leaf(lambda metafield: json_value(metafield.type, metafield.value)),
        "sizeInBytes": leaf(lambda metafield: len(metafield.value.encode())),
        "compareDigest": leaf(lambda metafield: metafield.compare_digest),
        "description": leaf(lambda _: None),
        "createdAt": leaf(lambda metafield: moment(metafield.created_at)),
        "updatedAt": leaf(lambda metafield: moment(metafield.updated_at)),
        "ownerType": leaf(lambda metafield: OWNER_TYPES[metafield.owner_type]),
        "owner": single(_owner),
        "definition": single(_nothing),
    },
}
