import pytest

from syncline.runtime.connect.redact import MASK, Redactor, bare_url


def test_given_secrets_are_masked_wherever_they_stand() -> None:
    redact = Redactor(["hush", "hush-hush"])
    assert redact("a hush-hush b hush c") == f"a {MASK} b {MASK} c"


@pytest.mark.parametrize(
    "text",
    [
        "token shpat_0123456789abcdef",
        "shpss_0123456789abcdef",
        "Authorization: Bearer eyJhbGciOi.abc.def",
        "https://files/x?signature=abc%2Bdef&x=1",
    ],
)
def test_what_looks_like_a_credential_is_masked(text: str) -> None:
    assert MASK in Redactor()(text)


def test_plain_text_is_left_alone() -> None:
    text = "product 123 was refused: price can't be blank"
    assert Redactor(["s3cret"])(text) == text


def test_repr_does_not_show_the_secrets() -> None:
    assert "s3cret" not in repr(Redactor(["s3cret"]))


def test_bare_url_has_neither_query_nor_user() -> None:
    assert bare_url("https://user:pass@host/path?signature=x#y") == "https://host/path"
