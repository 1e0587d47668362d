"""Which namespace a campaign belongs to, by its name; and how namespaces are called."""

from __future__ import annotations

import re
from collections.abc import Sequence

from syncline.apps.outreach.contract import DEFAULT_NAMESPACE, BadNamespace, MatchedNamespace, Namespace
from syncline.kernel.errors import FieldError

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_KEYWORD_MOST = 100
_KEYWORDS_MOST = 50
NAME_RULE = "must begin with a letter and hold only a-z, 0-9, _ and -, at most 63 of them"


def is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None


def checked_name(text: str, *, field: str = "name") -> str:
    """Raises `BadNamespace`."""
    if not is_name(text):
        raise BadNamespace(
            f"“{text[:80]}” cannot name a namespace: it {NAME_RULE}.", fields=[FieldError(field, NAME_RULE)]
        )
    return text


def checked_keywords(keywords: Sequence[str]) -> list[str]:
    """Without surrounding blanks, each once. Raises `BadNamespace`."""
    found = list(dict.fromkeys(keyword.strip() for keyword in keywords))
    if len(found) > _KEYWORDS_MOST:
        raise BadNamespace(f"A namespace has at most {_KEYWORDS_MOST} keywords; these are {len(found)}.")
    for keyword in found:
        if not keyword or len(keyword) > _KEYWORD_MOST or not keyword.isprintable():
            rule = f"must be 1 to {_KEYWORD_MOST} printable characters"
            raise BadNamespace(f"“{keyword[:80]}” is no keyword: it {rule}.", fields=[FieldError("keywords", rule)])
    return found


def match(campaign: str, namespaces: Sequence[Namespace]) -> MatchedNamespace:
    """The first that is active and has a keyword in the campaign's name, whatever its case; else the default one."""
    name = campaign.casefold()
    for one in namespaces:
        keyword = next((keyword for keyword in one.keywords if keyword.casefold() in name), None)
        if one.is_active and keyword is not None:
            return MatchedNamespace(campaign, one.name, keyword)
    return MatchedNamespace(campaign, DEFAULT_NAMESPACE, None)
