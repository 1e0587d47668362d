"""A document of one root field, ready to stand beside others: its variables and its alias carry a number."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from graphql import FieldNode, NameNode, OperationDefinitionNode, VariableNode, Visitor, parse, print_ast, visit

_PLACE: Final = "__N"
"""Stands for the number in a template; no variable of ours has it in its name."""
_BLANKS: Final = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Template:
    """`root` is the name that the root field has in the answer to the document alone."""

    kind: str
    name: str
    root: str
    variables: tuple[tuple[str, str], ...]
    field: str

    def alias(self, index: int) -> str:
        return f"a_{index}"

    def placed(self, index: int) -> str:
        return self.field.replace(_PLACE, f"_{index}")

    def declared(self, index: int) -> str:
        return ", ".join(f"${name}_{index}: {type_}" for name, type_ in self.variables)

    def given(self, index: int, variables: Mapping[str, Any]) -> dict[str, Any]:
        return {f"{name}_{index}": variables[name] for name, _ in self.variables if name in variables}


class _Numbered(Visitor):
    def enter_variable(self, node: VariableNode, *_: Any) -> VariableNode:
        return VariableNode(name=NameNode(value=f"{node.name.value}{_PLACE}"))


@lru_cache(maxsize=1024)
def template_of(query: str) -> Template | None:
    """None for a document that has several root fields: it goes alone."""
    definitions = parse(query, no_location=True).definitions
    if len(definitions) != 1 or not isinstance(operation := definitions[0], OperationDefinitionNode):
        return None
    roots = operation.selection_set.selections
    if len(roots) != 1 or not isinstance(root := roots[0], FieldNode):
        return None
    inner = visit(root, _Numbered())
    numbered = FieldNode(
        alias=NameNode(value=f"a{_PLACE}"),
        name=inner.name,
        arguments=inner.arguments,
        directives=inner.directives,
        selection_set=inner.selection_set,
    )
    return Template(
        kind=operation.operation.value,
        name=operation.name.value if operation.name else "Unnamed",
        root=(root.alias or root.name).value,
        variables=tuple((one.variable.name.value, print_ast(one.type)) for one in operation.variable_definitions or ()),
        field=_BLANKS.sub(" ", print_ast(numbered)),
    )


def combined(parts: Sequence[tuple[Template, Mapping[str, Any]]]) -> tuple[str, dict[str, Any]]:
    """One document and its variables. It is named after what is in it: `UpdateProduct_UpdateVariants`."""
    names = "_".join(dict.fromkeys(template.name for template, _ in parts))
    declared = ", ".join(filter(None, (template.declared(index) for index, (template, _) in enumerate(parts))))
    fields = "\n".join(template.placed(index) for index, (template, _) in enumerate(parts))
    head = f"{parts[0][0].kind} {names}" + (f"({declared})" if declared else "")
    given: dict[str, Any] = {}
    for index, (template, variables) in enumerate(parts):
        given |= template.given(index, variables)
    return f"{head} {{\n{fields}\n}}", given
