"""Cuts a search into words: `-name:operand,operand`, quotes and escapes resolved, each with its position."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Only the names of metafields may have hyphens: `t-shirt:` is more probably a text.
_NAME = re.compile(r"((?:variant_)?metafield\.[A-Za-z0-9_.-]+|[A-Za-z_][A-Za-z0-9_.]*)(?::|(?=[<>]))")


@dataclass(frozen=True, slots=True)
class Operand:
    """One value of a word. `parts` is its text cut at the unescaped `*`; `is_quoted` when it began with a quote."""

    parts: tuple[str, ...]
    is_quoted: bool

    @property
    def text(self) -> str:
        return "*".join(self.parts)


@dataclass(frozen=True, slots=True)
class Word:
    """One term as written. `name` is None for free text, which has exactly one operand. `position` counts from 1."""

    name: str | None
    operands: tuple[Operand, ...]
    negated: bool
    position: int


def scan(text: str) -> list[Word]:
    """Raises `ValueError(sentence, position)`."""
    words: list[Word] = []
    index = 0
    while index < len(text):
        if text[index].isspace():
            index += 1
            continue
        word, index = _word(text, index)
        words.append(word)
    return words


def _word(text: str, start: int) -> tuple[Word, int]:
    index = start
    negated = text[index] == "-"
    if negated:
        index += 1
    found = _NAME.match(text, index)
    if found is not None:
        operands, index = _operands(text, found.end(), start)
        return Word(found[1], operands, negated, start + 1), index
    operand, index = _operand(text, index, stops="")
    _refuse_operators(operand, start)
    if not operand.text and not operand.is_quoted:
        msg = "A minus stands alone; write it right before what shall not be, like -vendor:Acme"
        raise ValueError(msg, start + 1)
    return Word(None, (operand,), negated, start + 1), index


def _refuse_operators(operand: Operand, start: int) -> None:
    """Other tools' searches know these words; taken as free text they would find nothing and nobody would know why."""
    if operand.is_quoted:
        return
    advice = {
        "AND": "All terms must hold anyway: leave AND out",
        "OR": "There is no OR: write the values as a list, like vendor:Acme,Globex",
        "NOT": "There is no NOT: write a minus before the term, like -vendor:Acme",
    }.get(operand.text)
    if operand.text.startswith(("<", ">")):
        advice = f"Write {operand.text[0]} right after a field, without blanks, like price{operand.text[0]}20"
    if operand.text.startswith("("):
        advice = "There are no brackets: put a text that begins with one in quotes"
    if advice is not None:
        raise ValueError(advice, start + 1)


def _operands(text: str, index: int, start: int) -> tuple[tuple[Operand, ...], int]:
    operands: list[Operand] = []
    while True:
        operand, index = _operand(text, index, stops=",")
        operands.append(operand)
        if index >= len(text) or text[index] != ",":
            break
        index += 1
    if len(operands) > 1 and not all(operand.text or operand.is_quoted for operand in operands):
        msg = "A list has an empty place; write no blanks around its commas, and a text with a comma in quotes"
        raise ValueError(msg, start + 1)
    return tuple(operands), index


def _operand(text: str, index: int, *, stops: str) -> tuple[Operand, int]:
    """One operand up to a blank or one of `stops`, both outside quotes."""
    parts: list[str] = [""]
    begin = index
    in_quotes = False
    opened = index
    while index < len(text):
        character = text[index]
        if not in_quotes and (character.isspace() or character in stops):
            break
        if character == "\\" and index + 1 < len(text):
            index += 1
            parts[-1] += text[index]
        elif character == '"':
            in_quotes, opened = not in_quotes, index
        elif character == "*":
            parts.append("")
        else:
            parts[-1] += character
        index += 1
    if in_quotes:
        msg = 'A quote is opened and not closed; add "'
        raise ValueError(msg, opened + 1)
    return Operand(tuple(parts), is_quoted=text[begin : begin + 1] == '"'), index
