"""Checks a query against the schema and says what is wrong in the words and codes of Shopify's server (graphql-ruby).

Rules that mean the same in graphql-core and graphql-ruby and carry no code of their own are graphql-core's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphql import (
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    EnumValueNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    InlineFragmentNode,
    ListValueNode,
    NamedTypeNode,
    Node,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    StringValueNode,
    Undefined,
    ValidationContext,
    ValidationRule,
    VariableNode,
    get_named_type,
    is_composite_type,
    is_leaf_type,
    print_ast,
    type_from_ast,
    validate,
)
from graphql.validation import specified_rules
from graphql.validation.rules.fields_on_correct_type import FieldsOnCorrectTypeRule
from graphql.validation.rules.known_argument_names import KnownArgumentNamesRule
from graphql.validation.rules.known_directives import KnownDirectivesRule
from graphql.validation.rules.known_type_names import KnownTypeNamesRule
from graphql.validation.rules.no_undefined_variables import NoUndefinedVariablesRule
from graphql.validation.rules.no_unused_variables import NoUnusedVariablesRule
from graphql.validation.rules.provided_required_arguments import ProvidedRequiredArgumentsRule
from graphql.validation.rules.scalar_leafs import ScalarLeafsRule
from graphql.validation.rules.values_of_correct_type import ValuesOfCorrectTypeRule
from graphql.validation.rules.variables_in_allowed_position import VariablesInAllowedPositionRule

from syncline.sandbox.shopify.coercion import has_default, literal, scalar_fits
from syncline.sandbox.shopify.ids import parse_gid
from syncline.sandbox.shopify.problems import Problem, locations

REPLACED = (
    FieldsOnCorrectTypeRule,
    KnownArgumentNamesRule,
    KnownDirectivesRule,
    KnownTypeNamesRule,
    NoUndefinedVariablesRule,
    NoUnusedVariablesRule,
    ProvidedRequiredArgumentsRule,
    ScalarLeafsRule,
    ValuesOfCorrectTypeRule,
    VariablesInAllowedPositionRule,
)
KEPT = tuple(rule for rule in specified_rules if rule not in REPLACED)


def check(
    schema: GraphQLSchema, document: DocumentNode, removed: frozenset[tuple[str, str]] = frozenset()
) -> list[Problem]:
    """What is wrong with the document; `removed` are fields treated as if the schema did not have them."""
    found: list[Problem] = []

    class Rule(ShopifyRule):
        problems = found
        gone = removed

    errors = validate(schema, document, (Rule, *KEPT))
    found.extend(_translated(error, document) for error in errors)
    return found


def _translated(error: GraphQLError, document: DocumentNode) -> Problem:
    first = document.definitions[0]
    path = [_definition(first)] if isinstance(first, OperationDefinitionNode | FragmentDefinitionNode) else None
    return Problem(error.message, None, locations(*error.nodes or ()), path)


class ShopifyRule(ValidationRule):
    problems: list[Problem]
    gone: frozenset[tuple[str, str]]

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self.path: list[str] = []
        self.used_by: dict[int, tuple[str, list[str]]] = {}

    def _add(self, message: str, code: str, nodes: Node | list[Node], path: list[str], **more: Any) -> None:
        at = nodes if isinstance(nodes, list) else [nodes]
        self.problems.append(Problem(message, {"code": code, **more}, locations(*at), path))

    # -- where we are

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
        self.path = [_definition(node)]

    def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: Any) -> None:
        self.path = [_definition(node)]

    def enter_inline_fragment(self, node: InlineFragmentNode, *_: Any) -> None:
        self.path.append(f"... on {node.type_condition.name.value}" if node.type_condition else "...")

    def leave_inline_fragment(self, *_: Any) -> None:
        self.path.pop()

    def leave_field(self, *_: Any) -> None:
        self.path.pop()

    # -- fields and their arguments

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        self.path.append(node.alias.value if node.alias else node.name.value)
        parent = self.context.get_parent_type()
        if parent is None:
            return
        name = node.name.value
        known = self.context.get_field_def()
        if known is None or (parent.name, name) in self.gone:
            message = f"Field '{name}' doesn't exist on type '{parent.name}'"
            self._add(message, "undefinedField", node, [*self.path], typeName=parent.name, fieldName=name)
            return
        self._check_leaf(node, known)
        given = {one.name.value for one in node.arguments or ()}
        self._check_required(node, known.args, given, "Field", name)
        for argument in node.arguments or ():
            self._check_argument(argument, known.args, node, "Field", name)

    def _check_leaf(self, node: FieldNode, known: Any) -> None:
        named = get_named_type(known.type)
        name = node.name.value
        if is_leaf_type(named) and node.selection_set:
            chosen = [one.name.value for one in node.selection_set.selections if isinstance(one, FieldNode)]
            shown = ", ".join(f'"{one}"' for one in chosen)
            said = f"field '{name}' returns {named.name} but has selections [{shown}]"
            message = f"Selections can't be made on scalars ({said})"
            self._add(message, "selectionMismatch", node, [*self.path], nodeName=f"field '{name}'", typeName=named.name)
        if is_composite_type(named) and not node.selection_set:
            message = (
                f"Field must have selections (field '{name}' returns {named.name} but has no selections. "
                f"Did you mean '{name} {{ ... }}'?)"
            )
            self._add(message, "selectionMismatch", node, [*self.path], nodeName=f"field '{name}'", typeName=named.name)

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        name = node.name.value
        known = self.context.get_directive()
        if known is None:
            path = [*self.path]
            self._add(f"Directive @{name} is not defined", "undefinedDirective", node, path, directiveName=name)
            return
        given = {one.name.value for one in node.arguments or ()}
        self._check_required(node, known.args, given, "Directive", name)
        for argument in node.arguments or ():
            self._check_argument(argument, known.args, node, "Directive", name)

    def _check_required(self, node: Node, arguments: Any, given: set[str], kind: str, name: str) -> None:
        missing = [
            one
            for one, known in arguments.items()
            if isinstance(known.type, GraphQLNonNull) and not has_default(known) and one not in given
        ]
        if missing:
            listed = ", ".join(missing)
            message = f"{kind} '{name}' is missing required arguments: {listed}"
            code = "missingRequiredArguments"
            self._add(message, code, node, [*self.path], className=kind, name=name, arguments=listed)

    def _check_argument(self, argument: ArgumentNode, arguments: Any, parent: Node, kind: str, name: str) -> None:
        one = argument.name.value
        path = [*self.path, one]
        if one not in arguments:
            message = f"{kind} '{name}' doesn't accept argument '{one}'"
            code = "argumentNotAccepted"
            self._add(message, code, argument, path, name=name, typeName=kind, argumentName=one)
            return
        self._check_value(argument.value, arguments[one].type, one, path, (kind, name, parent))

    # -- literals

    def _check_value(self, node: Any, wanted: Any, one: str, path: list[str], owner: tuple[str, str, Node]) -> None:
        if isinstance(node, VariableNode):
            self.used_by[id(node)] = (one, path)
            return
        inner = wanted.of_type if isinstance(wanted, GraphQLNonNull) else wanted
        if isinstance(inner, GraphQLList) and isinstance(node, ListValueNode):
            for item in node.values:
                self._check_value(item, inner.of_type, one, path, owner)
            return
        if isinstance(inner, GraphQLList) and not isinstance(node, NullValueNode):
            self._check_value(node, inner.of_type, one, path, owner)
            return
        if isinstance(inner, GraphQLInputObjectType) and isinstance(node, ObjectValueNode):
            self._check_object(node, inner, path)
            return
        if _literal_fits(node, wanted):
            return
        if inner_name(inner) == "ID" and isinstance(node, StringValueNode):
            message, more = f"Invalid global id '{node.value}'", {"typeName": "CoercionError"}
        else:
            kind, name, _ = owner
            said = f"has an invalid value ({print_ast(node)}). Expected type '{wanted}'."
            message = f"Argument '{one}' on {kind} '{name}' {said}"
            more = {"typeName": kind, "argumentName": one}
        self._add(message, "argumentLiteralsIncompatible", owner[2], path, **more)

    def _check_object(self, node: ObjectValueNode, wanted: GraphQLInputObjectType, path: list[str]) -> None:
        given = {one.name.value: one for one in node.fields}
        for name, known in wanted.fields.items():
            if isinstance(known.type, GraphQLNonNull) and not has_default(known) and name not in given:
                message = f"Argument '{name}' on InputObject '{wanted.name}' is required. Expected type {known.type}"
                more = {"argumentName": name, "argumentType": str(known.type), "inputObjectType": wanted.name}
                self._add(message, "missingRequiredInputObjectAttribute", node, [*path, name], **more)
        for name, one in given.items():
            if name not in wanted.fields:
                message = f"InputObject '{wanted.name}' doesn't accept argument '{name}'"
                more = {"name": wanted.name, "typeName": "InputObject", "argumentName": name}
                self._add(message, "argumentNotAccepted", one, [*path, name], **more)
                continue
            owner = ("InputObject", wanted.name, node)
            self._check_value(one.value, wanted.fields[name].type, name, [*path, name], owner)

    # -- types and variables

    def enter_named_type(self, node: NamedTypeNode, _key: Any, parent: Any, *_: Any) -> None:
        name = node.name.value
        if name in self.context.schema.type_map:
            return
        if isinstance(parent, InlineFragmentNode | FragmentDefinitionNode):
            message = f"No such type {name}, so it can't be a fragment condition"
            self._add(message, "undefinedType", node, [*self.path], typeName=name)
            return
        self._add(f"{name} isn't a defined input type", "variableRequiresValidType", node, [*self.path], typeName=name)

    def leave_document(self, node: DocumentNode, *_: Any) -> None:
        for definition in node.definitions:
            if isinstance(definition, OperationDefinitionNode):
                self._check_variables(definition)

    def _check_variables(self, operation: OperationDefinitionNode) -> None:
        declared = {one.variable.name.value: one for one in operation.variable_definitions or ()}
        title = operation.name.value if operation.name else f"anonymous {operation.operation.value}"
        path = [_definition(operation)]
        used = set()
        for usage in self.context.get_recursive_variable_usages(operation):
            name = usage.node.name.value
            used.add(name)
            definition = declared.get(name)
            if definition is None:
                message = f"Variable ${name} is used by {title} but not declared"
                self._add(message, "variableNotDefined", usage.node, path, variableName=name)
                continue
            wrong = _mismatch(self.context.schema, definition, usage)
            if wrong:
                one, where = self.used_by.get(id(usage.node), ("", path))
                shown = print_ast(definition.type)
                message = f"{wrong} on variable ${name} and argument {one} ({shown} / {usage.type})"
                more = {"variableName": name, "typeName": shown, "argumentName": one, "errorMessage": wrong}
                self._add(message, "variableMismatch", usage.node, where[:-1] or path, **more)
        for name, definition in declared.items():
            if name not in used:
                message = f"Variable ${name} is declared by {title} but not used"
                self._add(message, "variableNotUsed", definition, path, variableName=name)


def inner_name(wanted: Any) -> str:
    return str(get_named_type(wanted).name)


def _definition(node: OperationDefinitionNode | FragmentDefinitionNode) -> str:
    if isinstance(node, FragmentDefinitionNode):
        return f"fragment {node.name.value}"
    return f"{node.operation.value} {node.name.value}" if node.name else node.operation.value


def _literal_fits(node: Any, wanted: Any) -> bool:
    if isinstance(node, NullValueNode):
        return not isinstance(wanted, GraphQLNonNull)
    inner = wanted.of_type if isinstance(wanted, GraphQLNonNull) else wanted
    if isinstance(inner, GraphQLEnumType):
        return isinstance(node, EnumValueNode) and node.value in inner.values
    if isinstance(inner, GraphQLInputObjectType | GraphQLList):
        return False
    if inner.name == "ID":
        return isinstance(node, StringValueNode) and parse_gid(node.value) is not None
    if isinstance(node, EnumValueNode):
        return False
    return scalar_fits(literal(node, {}), inner.name)


def _mismatch(schema: GraphQLSchema, definition: Any, usage: Any) -> str | None:
    """graphql-ruby's word for why a variable does not fit where it is used; None when it does."""
    declared: Any = type_from_ast(schema, definition.type)
    wanted: Any = usage.type
    if declared is None or wanted is None:
        return None
    if get_named_type(declared) is not get_named_type(wanted):
        return "Type mismatch"
    has_value = (definition.default_value is not None and not isinstance(definition.default_value, NullValueNode)) or (
        usage.default_value is not Undefined and usage.default_value is not None
    )
    for outer, inner in zip(_layers(wanted), _layers(declared), strict=False):
        if outer[0] != inner[0]:
            return "List dimension mismatch"
    if len(list(_layers(wanted))) != len(list(_layers(declared))):
        return "List dimension mismatch"
    for depth, (outer, inner) in enumerate(zip(_layers(wanted), _layers(declared), strict=True)):
        if outer[1] and not inner[1] and not (depth == 0 and has_value):
            return "Nullability mismatch"
    return None


def _layers(kind: Any) -> Iterator[tuple[bool, bool]]:
    """(is a list, may not be null) from outside in."""
    while True:
        required = isinstance(kind, GraphQLNonNull)
        kind = kind.of_type if required else kind
        is_list = isinstance(kind, GraphQLList)
        yield is_list, required
        if not is_list:
            return
        kind = kind.of_type
