"""Against the vector that the libraries of Standard Webhooks agree on."""

from __future__ import annotations

import pytest

from syncline.runtime.connect.standard_webhooks import NotSigned, make_secret, signed_headers, verify

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, AT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'


def test_the_signature_is_the_published_one() -> None:
    made = signed_headers(SECRET, ID, AT, BODY)
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert (made["webhook-id"], made["webhook-timestamp"]) == (ID, str(AT))
    verify(SECRET, made, BODY, now=AT + 299)
    rotated = {**made, "webhook-signature": f"v1,bm90IGl0 {made['webhook-signature']}"}
    verify(SECRET, rotated, BODY, now=AT)


@pytest.mark.parametrize(
    ("change", "body", "now"),
    [
        ({}, BODY + b" ", AT),
        ({"webhook-id": "msg_other"}, BODY, AT),
        ({"webhook-timestamp": str(AT + 1)}, BODY, AT),
        ({"webhook-timestamp": "soon"}, BODY, AT),
        ({"webhook-signature": ""}, BODY, AT),
        ({"webhook-signature": "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}, BODY, AT),
        ({}, BODY, AT + 301),
        ({}, BODY, AT - 301),
    ],
)
def test_whatever_was_changed_does_not_fit(change: dict[str, str], body: bytes, now: int) -> None:
    with pytest.raises(NotSigned):
        verify(SECRET, {**signed_headers(SECRET, ID, AT, BODY), **change}, body, now=now)


def test_secrets_are_long_and_never_the_same() -> None:
    first, second = make_secret(), make_secret()
    assert first != second
    assert len(first) == len("whsec_") + 44
    with pytest.raises(ValueError, match="base64"):
        signed_headers("whsec_not base64!", ID, AT, BODY)
