"""The OpenAPI document as a list of requests: each operation, what its addresses and bodies name, and an example of
each. New routes are covered by whoever walks over it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_PLACE = re.compile(r"([^/]+)/\{(\w+)\}")
# A client id is what we are called at a sign-in provider: no row of ours.
_NAMES_A_ROW = re.compile(r"(?!client_id$)(ids?|.+_ids?|store|tenant)")


class NotFillable(LookupError):
    """The document asks for something that the caller has no value for."""


@dataclass(frozen=True, slots=True)
class Operation:
    method: str
    path: str
    spec: Mapping[str, Any]
    schemas: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def permission(self) -> str | None:
        permission: str | None = self.spec.get("x-permission")
        return permission

    @property
    def is_stream(self) -> bool:
        """Whether its answer has no end."""
        return "text/event-stream" in self.spec["responses"].get("200", {}).get("content", {})

    @property
    def places(self) -> list[str]:
        """`stores/{name}`: what stands in the address, with the word before it, which says of what."""
        return [f"{word}/{{{name}}}" for word, name in _PLACE.findall(self.path)]

    @property
    def references(self) -> list[str]:
        """Parameters of the query and fields of the body that name a row."""
        asked = [one["name"] for one in self.spec.get("parameters", ()) if one["in"] == "query"]
        return [name for name in [*asked, *self._fields()] if _NAMES_A_ROW.fullmatch(name)]

    def address(self, known: Mapping[str, Any]) -> str:
        """The path with what `known` has for its places. Raises `NotFillable`."""
        path = self.path
        for place in self.places:
            word = place.partition("/")[0]
            path = path.replace(place, f"{word}/{_value(known, place, self)}")
        return path

    def query(self, known: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters that must be given, and those that name a row. Raises `NotFillable`."""
        listed = [one for one in self.spec.get("parameters", ()) if one["in"] == "query"]
        return {
            one["name"]: self._example(one["name"], one["schema"], known)
            for one in listed
            if one.get("required") or one["name"] in self.references
        }

    def body(self, known: Mapping[str, Any]) -> Any:
        """What must be given, what names a row, and what is known, as JSON; None where none is taken. Raises
        `NotFillable`."""
        schema = self._body_schema()
        if schema is None:
            return None
        fields, needed = schema.get("properties", {}), schema.get("required", ())
        return {
            name: self._example(name, one, known)
            for name, one in fields.items()
            if name in needed or name in self.references or name in known
        }

    def _body_schema(self) -> Mapping[str, Any] | None:
        content = self.spec.get("requestBody", {}).get("content", {})
        return self._resolved(content["application/json"]["schema"]) if "application/json" in content else None

    def _fields(self) -> list[str]:
        schema = self._body_schema()
        return [] if schema is None else list(schema.get("properties", ()))

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """Behind references, and the first of several forms."""
        if "$ref" in schema:
            found: Mapping[str, Any] = self.schemas[schema["$ref"].rpartition("/")[2]]
            return self._resolved(found)
        forms = schema.get("anyOf") or schema.get("allOf")
        return {**schema, **self._resolved(forms[0])} if forms else schema

    def _example(self, name: str, schema: Mapping[str, Any], known: Mapping[str, Any]) -> Any:
        whole = self._resolved(schema)
        if name in known:
            return [known[name]] if whole.get("type") == "array" else known[name]
        if _NAMES_A_ROW.fullmatch(name):
            raise NotFillable(f"{self} names a row by “{name}”, and there is no value for that")
        if whole.get("examples"):
            return whole["examples"][0]
        if whole.get("enum"):
            return whole["enum"][0]
        made = {"string": "x" * max(1, whole.get("minLength", 1)), "integer": whole.get("minimum", 1), "boolean": True}
        if whole.get("type") not in made:
            raise NotFillable(f"{self} needs “{name}”; give the field an example in its schema")
        return made[whole["type"]]


def _value(known: Mapping[str, Any], place: str, operation: Operation) -> Any:
    if place not in known:
        raise NotFillable(f"{operation} has {place} in its address, and there is no value for that")
    return known[place]


def operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    """Every operation of an OpenAPI document, in its order."""
    for path, methods in document["paths"].items():
        for method, spec in methods.items():
            yield Operation(method.upper(), path, spec, document["components"]["schemas"])
