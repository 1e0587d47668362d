"""Whether a product belongs to a smart collection."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation

from syncline.sandbox.shopify.entities_content import Rule, RuleFacts, RuleSet

TEXT = {"TITLE", "TYPE", "VENDOR", "TAG", "VARIANT_TITLE"}
NUMBERS = {"VARIANT_PRICE", "VARIANT_COMPARE_AT_PRICE", "VARIANT_WEIGHT", "VARIANT_INVENTORY"}
SERVED_COLUMNS = frozenset(TEXT | NUMBERS | {"IS_PRICE_REDUCED"})
"""Columns about taxonomy and metafield definitions are left out."""

_TEXTS: dict[str, Callable[[RuleFacts], Iterable[str]]] = {
    "TITLE": lambda facts: (facts.title,),
    "TYPE": lambda facts: (facts.type,),
    "VENDOR": lambda facts: (facts.vendor,),
    "TAG": lambda facts: facts.tags,
    "VARIANT_TITLE": lambda facts: facts.variant_titles,
}
_NUMBERS: dict[str, Callable[[RuleFacts], Iterable[str | int | None]]] = {
    "VARIANT_PRICE": lambda facts: facts.prices,
    "VARIANT_COMPARE_AT_PRICE": lambda facts: facts.compare_at_prices,
    "VARIANT_WEIGHT": lambda facts: facts.weights,
    "VARIANT_INVENTORY": lambda facts: facts.stocks,
}
_COMPARE_TEXT: dict[str, Callable[[str, str], bool]] = {
    "EQUALS": lambda value, wanted: value == wanted,
    "CONTAINS": lambda value, wanted: wanted in value,
    "STARTS_WITH": lambda value, wanted: value.startswith(wanted),
    "ENDS_WITH": lambda value, wanted: value.endswith(wanted),
}
_COMPARE_NUMBER: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "EQUALS": lambda value, wanted: value == wanted,
    "NOT_EQUALS": lambda value, wanted: value != wanted,
    "GREATER_THAN": lambda value, wanted: value > wanted,
    "LESS_THAN": lambda value, wanted: value < wanted,
}
_NEGATED = {"NOT_EQUALS": "EQUALS", "NOT_CONTAINS": "CONTAINS"}


def belongs(rules: RuleSet, facts: RuleFacts) -> bool:
    """Upper and lower case are alike, as in Shopify's admin."""
    how = any if rules.disjunctive else all
    return how(_holds(rule, facts) for rule in rules.rules)


def complaint(rule: Rule) -> str | None:
    """Why the rule cannot be kept; None when it can."""
    if rule.column not in SERVED_COLUMNS:
        return f"Rules on {rule.column} are not served by the sandbox."
    if rule.column in NUMBERS and rule.relation in _COMPARE_NUMBER:
        return None if _decimal(rule.condition) is not None else "Condition must be a number"
    fits = rule.relation in {"IS_SET", "IS_NOT_SET"} or (
        rule.column in TEXT and rule.relation in _COMPARE_TEXT.keys() | _NEGATED.keys()
    )
    return None if fits else f"{rule.relation} does not go with {rule.column}"


def _holds(rule: Rule, facts: RuleFacts) -> bool:
    if rule.column == "IS_PRICE_REDUCED":
        return _is_reduced(facts) is (rule.relation == "IS_SET")
    if rule.column in TEXT:
        return _text_holds(rule, [value.casefold() for value in _TEXTS[rule.column](facts)])
    numbers = [Decimal(str(value)) for value in _NUMBERS[rule.column](facts) if value is not None]
    if rule.relation in {"IS_SET", "IS_NOT_SET"}:
        return bool(numbers) is (rule.relation == "IS_SET")
    wanted = _decimal(rule.condition) or Decimal(0)
    return any(_COMPARE_NUMBER[rule.relation](number, wanted) for number in numbers)


def _text_holds(rule: Rule, values: list[str]) -> bool:
    if rule.relation in {"IS_SET", "IS_NOT_SET"}:
        return any(values) is (rule.relation == "IS_SET")
    wanted = rule.condition.casefold()
    compare = _COMPARE_TEXT[_NEGATED.get(rule.relation, rule.relation)]
    return any(compare(value, wanted) for value in values) is (rule.relation not in _NEGATED)


def _is_reduced(facts: RuleFacts) -> bool:
    pairs = zip(facts.compare_at_prices, facts.prices, strict=True)
    return any(compare is not None and Decimal(compare) > Decimal(price) for compare, price in pairs)


def _decimal(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
