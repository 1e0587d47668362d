"""Turns what a client sent for variables and arguments into values, or into Shopify's words for what is wrong with it.

Coerced input objects are plain dicts that hold only what was given or has a default, so that "omitted" and "null" stay
different things.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from graphql import (
    BooleanValueNode,
    EnumValueNode,
    FieldNode,
    FloatValueNode,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLSchema,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    StringValueNode,
    ValueNode,
    VariableNode,
    print_ast,
    type_from_ast,
)

from syncline.sandbox.shopify.ids import parse_gid
from syncline.sandbox.shopify.problems import Problem, Refused, locations

MAX_INPUT_ARRAY = 250
Path = tuple[str | int, ...]


class Omitted:
    """Stands for a variable that was not sent."""


OMITTED = Omitted()


@dataclass(slots=True)
class Complaints:
    """What is wrong inside one variable."""

    found: list[dict[str, Any]] = field(default_factory=list)

    def add(self, path: Path, explanation: str, *, repeat: bool = False) -> None:
        complaint: dict[str, Any] = {"path": list(path), "explanation": explanation}
        if repeat:
            complaint["message"] = explanation
        self.found.append(complaint)


def coerce_variables(
    schema: GraphQLSchema, operation: OperationDefinitionNode, sent: Mapping[str, Any]
) -> dict[str, Any]:
    """Values of the declared variables. Raises `Refused` with one INVALID_VARIABLE error per variable that is wrong."""
    values: dict[str, Any] = {}
    refused: list[Problem] = []
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        wanted: Any = type_from_ast(schema, definition.type)
        if name in sent:
            given = sent[name]
        elif definition.default_value is not None:
            given = literal(definition.default_value, {})
        elif isinstance(wanted, GraphQLNonNull):
            given = None
        else:
            continue
        complaints = Complaints()
        values[name] = coerce(given, wanted, (), complaints)
        if complaints.found:
            refused.append(_invalid_variable(definition, name, given, complaints))
    if refused:
        raise Refused(refused)
    return values


def _invalid_variable(definition: Any, name: str, given: Any, complaints: Complaints) -> Problem:
    places = [
        f"{'.'.join(map(str, found['path']))} ({found['explanation']})" for found in complaints.found if found["path"]
    ]
    message = f"Variable ${name} of type {print_ast(definition.type)} was provided invalid value"
    if places:
        message += f" for {', '.join(places)}"
    extensions = {"code": "INVALID_VARIABLE", "value": given, "problems": complaints.found}
    return Problem(message, extensions, locations(definition))


def coerce(value: Any, wanted: Any, path: Path, complaints: Complaints) -> Any:
    """`value` as `wanted` takes it; what does not fit is written to `complaints`."""
    if isinstance(wanted, GraphQLNonNull):
        if value is None:
            complaints.add(path, "Expected value to not be null")
            return None
        return coerce(value, wanted.of_type, path, complaints)
    if value is None:
        return None
    if isinstance(wanted, GraphQLList):
        if not isinstance(value, list):
            return [coerce(value, wanted.of_type, path, complaints)]
        return [coerce(item, wanted.of_type, (*path, index), complaints) for index, item in enumerate(value)]
    if isinstance(wanted, GraphQLInputObjectType):
        return _coerce_object(value, wanted, path, complaints)
    if isinstance(wanted, GraphQLEnumType):
        if not isinstance(value, str) or value not in wanted.values:
            complaints.add(path, f"Expected {_shown(value)} to be one of: {', '.join(wanted.values)}")
        return value
    return _coerce_scalar(value, wanted, path, complaints)


def _coerce_object(value: Any, wanted: GraphQLInputObjectType, path: Path, complaints: Complaints) -> Any:
    if not isinstance(value, Mapping):
        complaints.add(path, f"Expected {_shown(value)} to be a key-value object.")
        return None
    for name in value:
        if name not in wanted.fields:
            complaints.add((*path, name), f"Field is not defined on {wanted.name}")
    result: dict[str, Any] = {}
    for name, known in wanted.fields.items():
        if name in value:
            result[name] = coerce(value[name], known.type, (*path, name), complaints)
        elif has_default(known):
            result[name] = default_of(known)
        elif isinstance(known.type, GraphQLNonNull):
            complaints.add((*path, name), "Expected value to not be null")
    if wanted.is_one_of and (len(result) != 1 or None in result.values()):
        complaints.add(path, f"'{wanted.name}' requires exactly one argument, but {len(result)} were provided.")
    return result


def has_default(known: GraphQLInputField | GraphQLArgument) -> bool:
    return known.default is not None


def default_of(known: GraphQLInputField | GraphQLArgument) -> Any:
    """The schema's default as JSON; OMITTED without one. Schemas built from introspection keep it as a literal."""
    default = known.default
    if default is None:
        return OMITTED
    return literal(default.literal, {}) if default.literal is not None else default.value


def _coerce_scalar(value: Any, wanted: GraphQLScalarType, path: Path, complaints: Complaints) -> Any:
    if wanted.name == "ID":
        if not isinstance(value, str) or parse_gid(value) is None:
            complaints.add(path, f"Invalid global id '{value}'", repeat=True)
        return value
    if not scalar_fits(value, wanted.name):
        complaints.add(path, f"Could not coerce value {_shown(value)} to {wanted.name}")
    return value


def scalar_fits(value: Any, name: str) -> bool:
    """Whether a JSON value is acceptable for the scalar `name`."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match name:
        case "Int":
            return isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31
        case "Float":
            return is_number
        case "Boolean":
            return isinstance(value, bool)
        case "UnsignedInt64":
            return str(value).isascii() and str(value).isdigit()
        case "Money" | "Decimal":
            return (is_number or isinstance(value, str)) and _is_decimal(str(value))
        case "DateTime" | "Date":
            return isinstance(value, str) and _is_time(value)
        case "JSON":
            return True
    return isinstance(value, str)


def _is_decimal(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def literal(node: ValueNode, variables: Mapping[str, Any]) -> Any:
    """The JSON value of a literal; variables inside it are filled in, `OMITTED` when one was not sent."""
    match node:
        case VariableNode():
            return variables.get(node.name.value, OMITTED)
        case NullValueNode():
            return None
        case IntValueNode():
            return int(node.value)
        case FloatValueNode():
            return float(node.value)
        case StringValueNode() | BooleanValueNode() | EnumValueNode():
            return node.value
        case ListValueNode():
            return [None if item is OMITTED else item for item in (literal(one, variables) for one in node.values)]
        case ObjectValueNode():
            pairs = ((one.name.value, literal(one.value, variables)) for one in node.fields)
            return {name: value for name, value in pairs if value is not OMITTED}
    raise TypeError(f"not a literal: {node.kind}")


def argument_values(
    arguments: Mapping[str, GraphQLArgument], node: FieldNode, variables: Mapping[str, Any], path: Sequence[str]
) -> dict[str, Any]:
    """The arguments of one field of a validated document. Raises `Refused` for what only values can show."""
    given = {one.name.value: one for one in node.arguments or ()}
    values: dict[str, Any] = {}
    for name, known in arguments.items():
        value = literal(given[name].value, variables) if name in given else OMITTED
        if value is OMITTED:
            if has_default(known):
                values[name] = default_of(known)
            continue
        complaints = Complaints()
        values[name] = coerce(value, known.type, (), complaints)
        if complaints.found:
            raise Refused([_bad_argument(found, given[name], [*path, name]) for found in complaints.found])
    return values


def _bad_argument(found: Mapping[str, Any], node: Any, path: Sequence[str]) -> Problem:
    extensions = {"code": "argumentLiteralsIncompatible", "typeName": "CoercionError"}
    return Problem(found["explanation"], extensions, locations(node), [*path, *found["path"]])


def oversized_array(value: Any) -> int | None:
    """Length of the first list longer than Shopify takes anywhere in a request's input."""
    if isinstance(value, list):
        if len(value) > MAX_INPUT_ARRAY:
            return len(value)
        return next((size for item in value if (size := oversized_array(item))), None)
    if isinstance(value, Mapping):
        return next((size for item in value.values() if (size := oversized_array(item))), None)
    return None
