"""What the browser comes back with: believed only when Shopify signed it, just now, for a shop."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.connectors.shopify.oauth import NotBelieved, authorize_url, read_callback, signature_of
from syncline.kernel.errors import Fatal

SECRET = "hush"
# The example that Shopify's documents carried, on which two implementations agree.
EXAMPLE = [
    ("code", "0907a61c0c8d55e99db179b68161bc00"),
    ("shop", "some-shop.myshopify.com"),
    ("state", "0.6784241404160823"),
    ("timestamp", "1337178173"),
]
EXAMPLE_HMAC = "700e2dadb827fcc8609e9d5ce208b2e9cdaab9df07390d2cbca10d7c328fc4bf"
NOW = datetime.fromtimestamp(1337178173, UTC)


def signed(**changes: str) -> list[tuple[str, str]]:
    values = {**dict(EXAMPLE), **changes}
    return [*values.items(), ("hmac", signature_of(values.items(), SECRET))]


def test_the_published_example_has_the_published_signature() -> None:
    assert signature_of(EXAMPLE, SECRET) == EXAMPLE_HMAC
    found = read_callback([("hmac", EXAMPLE_HMAC), *reversed(EXAMPLE)], secrets=[SECRET], now=NOW)
    assert (found.shop_domain, found.state) == ("some-shop.myshopify.com", "0.6784241404160823")


def test_the_old_signature_parameter_is_left_out_like_the_hmac() -> None:
    assert signature_of([*EXAMPLE, ("signature", "f00"), ("hmac", "f00")], SECRET) == EXAMPLE_HMAC


def test_two_parameters_cannot_be_passed_off_as_one() -> None:
    values = dict(EXAMPLE)
    joined = {**values, "code": f"{values['code']}&shop={values['shop']}"}
    del joined["shop"]
    assert signature_of(joined.items(), SECRET) != EXAMPLE_HMAC


def test_any_of_the_secrets_may_have_signed() -> None:
    assert read_callback(signed(), secrets=["newer", SECRET], now=NOW).code == EXAMPLE[0][1]
    with pytest.raises(NotBelieved, match="hmac"):
        read_callback(signed(), secrets=["newer", "newest"], now=NOW)


@pytest.mark.parametrize("seconds", [-90, 0, 90])
def test_ninety_seconds_either_way_are_fresh(seconds: int) -> None:
    read_callback(signed(), secrets=[SECRET], now=NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("seconds", [-91, 91, 86_400])
def test_what_is_older_or_from_the_future_is_not_believed(seconds: int) -> None:
    with pytest.raises(NotBelieved, match="too old"):
        read_callback(signed(), secrets=[SECRET], now=NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("timestamp", ["", "soon", "-1", "1e9", "²", "9" * 13])
def test_a_timestamp_that_is_none_is_not_believed(timestamp: str) -> None:
    with pytest.raises(NotBelieved, match="timestamp"):
        read_callback(signed(timestamp=timestamp), secrets=[SECRET], now=NOW)


@pytest.mark.parametrize(
    "shop",
    [
        "evil.com/x.myshopify.com",
        "evil.com",
        "x.myshopify.com.evil.com",
        "x.myshopify.com\n.evil.com",
        "x.myshopify.com@evil.com",
        "-x.myshopify.com",
        ".myshopify.com",
        "",
    ],
)
def test_a_signed_shop_that_is_none_is_not_believed(shop: str) -> None:
    with pytest.raises(NotBelieved, match="shop"):
        read_callback(signed(shop=shop), secrets=[SECRET], now=NOW)


@pytest.mark.parametrize("claimed", ["", "0" * 64, EXAMPLE_HMAC.upper(), EXAMPLE_HMAC + "0", "ü" * 64])
def test_a_forged_signature_is_not_believed(claimed: str) -> None:
    with pytest.raises(NotBelieved, match="hmac"):
        read_callback([*EXAMPLE, ("hmac", claimed)], secrets=[SECRET], now=NOW)


def test_without_a_secret_nothing_is_believed() -> None:
    with pytest.raises(NotBelieved, match="hmac"):
        read_callback(signed(), secrets=[], now=NOW)


def test_another_shop_than_was_asked_for_is_not_believed() -> None:
    read_callback(signed(), secrets=[SECRET], now=NOW, shop_domain="some-shop.myshopify.com")
    with pytest.raises(NotBelieved, match="shop"):
        read_callback(signed(), secrets=[SECRET], now=NOW, shop_domain="other-shop.myshopify.com")


def test_a_parameter_twice_is_not_believed() -> None:
    with pytest.raises(NotBelieved, match="twice"):
        read_callback([*signed(), ("shop", "other.myshopify.com")], secrets=[SECRET], now=NOW)


@given(st.sampled_from([name for name, _ in EXAMPLE]), st.text(min_size=1, max_size=8))
def test_nothing_that_was_signed_can_be_changed(name: str, added: str) -> None:
    changed = [(key, value + added if key == name else value) for key, value in signed()]
    with pytest.raises(NotBelieved):
        read_callback(changed, secrets=[SECRET], now=NOW)


def test_the_consent_page_is_asked_for_what_is_needed() -> None:
    url = authorize_url(
        "Some-Shop.myshopify.com",
        client_id="an id",
        scopes=["read_products", "write_orders"],
        redirect_uri="https://sync.example/api/shopify/oauth/callback?a=b&c",
        state="s&t",
        is_online=True,
    )
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "some-shop.myshopify.com", "/admin/oauth/authorize")
    assert parse_qs(parts.query) == {
        "client_id": ["an id"],
        "scope": ["read_products,write_orders"],
        "redirect_uri": ["https://sync.example/api/shopify/oauth/callback?a=b&c"],
        "state": ["s&t"],
        "grant_options[]": ["per-user"],
    }


def test_nobody_is_sent_to_another_host() -> None:
    with pytest.raises(Fatal, match="not a Shopify store address"):
        authorize_url("evil.com/x.myshopify.com", client_id="a", scopes=[], redirect_uri="https://x.example", state="s")
