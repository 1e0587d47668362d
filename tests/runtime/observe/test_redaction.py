from __future__ import annotations

from typing import Any

import pytest

from syncline.runtime.observe.redaction import HIDDEN, redact, redact_event, redact_text

TENANT = "019a2b3c4d5e7f608123456789abcdef"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"key sl_{TENANT}_AbC-dEf_123456789012345678901234567890", "AbC-dEf"),
        ("token shpat_0123456789abcdef", "0123456789abcdef"),
        ("header Authorization: Bearer abcdef123456", "abcdef123456"),
        ("dial postgresql://syncline:hunter2@db:5432/x", "hunter2"),
        ("GET /x?access_token=s3cr3t&page=2", "s3cr3t"),
        ("jwt eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0xx.c2lnbmF0dXJl", "c2lnbmF0dXJl"),
    ],
)
def test_a_credential_in_a_sentence_is_hidden(text: str, secret: str) -> None:
    shown = redact_text(text)
    assert secret not in shown
    assert HIDDEN in shown


def test_what_is_no_secret_stays_to_the_character() -> None:
    text = "pulled 2,000 products from demo.myshopify.com at 12:30, cursor=eyJ, sku=shp_at"
    assert redact_text(text) == text


@pytest.mark.parametrize(
    "name", ["token", "access_token", "password", "Authorization", "api_key", "secret", "client_secret", "apikey"]
)
def test_a_field_with_a_secret_name_is_hidden_whatever_its_value(name: str) -> None:
    assert redact({name: "x"}) == {name: HIDDEN}


@pytest.mark.parametrize("name", ["tokens_left", "key", "monkey", "secretary", "passport"])
def test_a_field_that_only_sounds_secret_is_shown(name: str) -> None:
    assert redact({name: "x"}) == {name: "x"}


def test_nested_values_are_reached_and_the_original_is_left_alone() -> None:
    event: dict[str, Any] = {"stores": [{"name": "demo", "access_token": "abc"}], "rows": 3}
    assert redact(event) == {"stores": [{"name": "demo", "access_token": HIDDEN}], "rows": 3}
    assert event["stores"][0]["access_token"] == "abc"


def test_a_structure_that_contains_itself_does_not_hang() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert "too deep" in str(redact(loop))


def test_the_processor_hides_top_level_fields_and_rendered_tracebacks() -> None:
    event = redact_event(None, "info", {"event": "x", "password": "p", "exception": "at shpat_abcdef"})
    assert event == {"event": "x", "password": HIDDEN, "exception": f"at shpat_{HIDDEN}"}
