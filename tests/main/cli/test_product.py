"""`syncline product`: products made and deleted, staged and pushed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

Run = Callable[..., Result]
Said = Callable[[Result], Any]
CAP = {"title": "Cap", "variants": [{"sku": "CAP", "price": "12"}]}


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], str]:
    def write(content: str) -> str:
        path = tmp_path / "made.json"
        path.write_text(content, encoding="utf-8")
        return str(path)

    return write


def test_a_product_is_staged_pushed_and_deleted(pulled: Run, said: Said, written: Callable[[str], str]) -> None:
    made = said(pulled("product", "create", "demo", written(json.dumps(CAP)), "--note", "autumn", "--json"))
    assert (made["kind"], made["counts"]) == ("creation", {"pending": 1})
    assert pulled("review", "approve", "--batch", made["id"]).exit_code == 0
    assert pulled("push", "demo", "--json").exit_code == 0
    gone = pulled("product", "delete", "demo", "--where", "handle:cap")
    assert gone.exit_code == 0
    for words in ("Delete 1 product where handle:cap", "deleted for good: Cap: draft, 1 variant", "review approve"):
        assert words in gone.stdout


def test_what_is_made_is_shown_with_what_to_do_next(pulled: Run, written: Callable[[str], str]) -> None:
    done = pulled("product", "create", "demo", written(json.dumps([CAP, {"title": "Belt"}])))
    assert done.exit_code == 0
    for words in ("Make 2 products: Cap, Belt", "made anew: Cap", "syncline review approve --batch "):
        assert words in done.stdout


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "is not JSON"),
        ("[1]", "A product is an object"),
        ("[]", "Give 1 to 1,000 products"),
        ('{"title": ""}', "The title cannot be empty"),
        ('[{"title": "Cap"}, {"title": "Cap"}]', "is given twice"),
        ('{"title": "Cap", "colour": "red"}', "there is no 'colour' here"),
        ('{"title": "a\\u0000b"}', "zero byte"),
    ],
)
def test_what_cannot_be_made_stages_nothing(
    pulled: Run, said: Said, written: Callable[[str], str], content: str, sentence: str
) -> None:
    done = pulled("product", "create", "demo", written(content))
    assert (done.exit_code, done.stdout) == (2, "")
    assert sentence in " ".join(done.stderr.split())
    assert said(pulled("review", "list", "--json"))["changes"] == []


def test_a_deletion_that_finds_nothing_says_so(pulled: Run) -> None:
    missed = pulled("product", "delete", "demo", "--where", "handle:boat")
    assert (missed.exit_code, missed.stdout) == (3, "")
    assert "No product of demo matches" in " ".join(missed.stderr.split())
    blank = pulled("product", "delete", "demo", "--where", " ")
    assert blank.exit_code == 2
    assert "Say which products to delete" in " ".join(blank.stderr.split())
