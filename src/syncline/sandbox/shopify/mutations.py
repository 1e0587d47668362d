"""What all mutations share: the directive for idempotency, the ledger, user errors, the refusal of unserved input."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from graphql import FieldNode

from syncline.sandbox.shopify.coercion import literal, oversized_array
from syncline.sandbox.shopify.compiler import Call, Resolver, Run
from syncline.sandbox.shopify.idempotency import MESSAGES, Attempt
from syncline.sandbox.shopify.problems import FieldFailed, Problem, Refused, bad_request, locations

UserError = dict[str, Any]
Payload = dict[str, Any]
Apply = Callable[[Call], Payload]
Check = Callable[[Call], None]

KEY_REQUIRED_SINCE = "2026-04"
SERVED_LISTS_OVER_LIMIT = frozenset({"productSet"})
"""Its documents give its lists limits of their own: 2,048 variants, 50,000 quantities."""


def user_error(field: list[str] | None, message: str, code: str | None = None) -> UserError:
    return {"field": field, "message": message, "code": code}


def mutation(apply: Apply, check: Check | None = None, *, takes_key: bool = False) -> Resolver:
    """A mutation field. `check` runs before anything does; `apply` changes the store and gives the payload, whose
    `userErrors` tell whether it failed. `takes_key`: it supports `@idempotent`, and wants it since 2026-04."""

    def resolver(call: Call) -> Run:
        size = None if call.name in SERVED_LISTS_OVER_LIMIT else oversized_array(call.args)
        if size is not None:
            message = f"The input array size of {size} is greater than the maximum allowed of 250."
            extensions = {"code": "MAX_INPUT_SIZE_EXCEEDED"}
            raise Refused([Problem(message, extensions, locations(call.nodes[0]), call.path)])
        if check is not None:
            check(call)
        key = _key(call, takes_key=takes_key)
        fingerprint = _fingerprint(call)
        if key is not None:
            call.context.keys.append((key, fingerprint))
        child = call.child()

        def run(_: Any) -> Any:
            if takes_key and key is None and call.context.schema.at_least(KEY_REQUIRED_SINCE):
                raise FieldFailed(
                    "The @idempotent directive is required for this mutation but was not provided.",
                    {"code": "BAD_REQUEST"},
                )
            return child(_applied(call, apply, key, fingerprint))

        return run

    return resolver


def _applied(call: Call, apply: Apply, key: str | None, fingerprint: str) -> Payload:
    context = call.context
    context.changes = []
    if key is None:
        payload = apply(call)
        _note(call, payload, None)
        return payload
    keys = context.world.idempotency
    begun = context.reserved.pop(key, None) or keys.begin(key, fingerprint)
    if isinstance(begun, Attempt):
        try:
            payload = apply(call)
        except FieldFailed:
            keys.forget(key)  # what is refused outright was never attempted
            raise
        keys.finish(begun, None if payload["userErrors"] else payload)
        _note(call, payload, key)
        return payload
    payload = begun if isinstance(begun, dict) else {"userErrors": [user_error(None, MESSAGES[begun], begun)]}
    _note(call, payload, key, replayed=isinstance(begun, dict))
    return payload


def _note(call: Call, payload: Payload, key: str | None, *, replayed: bool = False) -> None:
    context = call.context
    context.world.webhooks.acted()
    context.world.counters.mutations += 1
    context.world.ledger.add(
        at=context.store.now(),
        mutation=call.name,
        operation=context.operation,
        api_version=context.schema.version,
        request_id=context.request_id,
        in_bulk=context.in_bulk,
        idempotency_key=key,
        replayed=replayed,
        changes=context.changes,
        user_errors=payload["userErrors"],
    )


def _key(call: Call, *, takes_key: bool) -> str | None:
    directive = next((one for one in call.nodes[0].directives or () if one.name.value == "idempotent"), None)
    if directive is None:
        return None
    node: FieldNode = call.nodes[0]
    if not takes_key:
        message = f"The @idempotent directive is not supported by {call.name}."
        raise Refused([bad_request(message, node, call.path)])
    arguments = directive.arguments or ()
    key = literal(arguments[0].value, call.context.variables)
    if not isinstance(key, str) or not key.strip():
        message = "The idempotency key cannot be an empty string or whitespace only."
        raise Refused([bad_request(message, node, call.path)])
    return key


def _fingerprint(call: Call) -> str:
    raw = json.dumps([call.name, call.args], sort_keys=True, default=str)
    return hashlib.sha256(raw.encode()).hexdigest()


def refuse_unserved(call: Call, kind: str, given: Mapping[str, Any] | None, served: frozenset[str]) -> None:
    """Refuses input fields the sandbox would have to ignore. Empty lists and nulls of such fields change nothing."""
    unserved = [name for name, value in (given or {}).items() if name not in served and value not in (None, [], False)]
    if unserved:
        raise Refused(
            [
                Problem(
                    f"{kind}.{name} is not served by the sandbox.",
                    {"code": "NOT_SERVED", "typeName": kind, "fieldName": name},
                    locations(call.nodes[0]),
                    call.path,
                )
                for name in unserved
            ]
        )
