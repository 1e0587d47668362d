"""Media of products: reading and changing them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from syncline.sandbox.shopify.edits import apply_edit
from syncline.sandbox.shopify.engine import Engine
from syncline.sandbox.shopify.state import Store

Ask = Callable[..., dict[str, Any]]
SHIRT, MUG = 7000000000001, 7000000000002
FRONT, FILM, BACK = (
    "gid://shopify/MediaImage/38000000000001",
    "gid://shopify/Video/38000000000002",
    "gid://shopify/MediaImage/38000000000003",
)


@pytest.fixture(autouse=True)
def made(shop: Store) -> None:
    image = {"url": "https://cdn.example/front.jpg?v=1", "alt": "Front", "width": 800, "height": 600}
    film = {
        "content_type": "VIDEO",
        "url": "https://cdn.example/film.mp4",
        "preview_url": "https://cdn.example/film.jpg",
    }
    back = {"url": "https://cdn.example/back.png", "status": "FAILED"}
    for fields in (image, film, back):
        apply_edit(shop, {"action": "create", "kind": "media", "product": SHIRT, "set": fields})


def shown(shop: Store) -> list[int]:
    return [one.id - 38_000_000_000_000 for one in shop.media.shown_by(SHIRT)]


def test_media_of_every_kind_come_in_their_order(ask: Ask) -> None:
    query = (
        "query($id: ID!) { product(id: $id) { mediaCount { count } featuredMedia { id } media(first: 9) { nodes {"
        " __typename id alt mediaContentType status preview { image { url } }"
        " ... on MediaImage { mimeType image { url width height altText } } ... on Video { sources { url } } } } } }"
    )
    product = ask(query, {"id": f"gid://shopify/Product/{SHIRT}"})["data"]["product"]
    assert (product["mediaCount"], product["featuredMedia"]) == ({"count": 3}, {"id": FRONT})
    front = "https://cdn.example/front.jpg?v=1"
    assert product["media"]["nodes"] == [
        {
            "__typename": "MediaImage",
            "id": FRONT,
            "alt": "Front",
            "mediaContentType": "IMAGE",
            "status": "READY",
            "preview": {"image": {"url": front}},
            "mimeType": "image/jpeg",
            "image": {"url": front, "width": 800, "height": 600, "altText": "Front"},
        },
        {
            "__typename": "Video",
            "id": FILM,
            "alt": None,
            "mediaContentType": "VIDEO",
            "status": "READY",
            "preview": {"image": {"url": "https://cdn.example/film.jpg"}},
            "sources": [{"url": "https://cdn.example/film.mp4"}],
        },
        {
            "__typename": "MediaImage",
            "id": BACK,
            "alt": None,
            "mediaContentType": "IMAGE",
            "status": "FAILED",
            "preview": {"image": None},
            "mimeType": "image/png",
            "image": None,
        },
    ]


def test_media_are_found_by_kind_and_id(ask: Ask) -> None:
    query = "query($id: ID!, $q: String) { product(id: $id) { media(first: 9, query: $q) { nodes { id } } } }"
    product = f"gid://shopify/Product/{SHIRT}"
    found = ask(query, {"id": product, "q": "media_type:VIDEO"})["data"]["product"]["media"]["nodes"]
    assert found == [{"id": FILM}]
    nodes = ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": [FILM, FILM.replace("Video", "MediaImage")]})
    assert nodes["data"]["nodes"] == [{"id": FILM}, None]


def test_media_are_made_and_a_bad_one_does_not_stop_the_others(ask: Ask, shop: Store) -> None:
    query = (
        "mutation($id: ID!, $m: [CreateMediaInput!]!) { productCreateMedia(productId: $id, media: $m)"
        " { media { id alt } mediaUserErrors { field code } } }"
    )
    good = {"originalSource": "https://example.com/a.jpg", "mediaContentType": "IMAGE", "alt": "New"}
    bad = good | {"originalSource": "a.jpg"}
    answer = ask(query, {"id": f"gid://shopify/Product/{SHIRT}", "m": [bad, good]})
    assert answer["extensions"]["cost"]["requestedQueryCost"] == 20
    assert answer["data"]["productCreateMedia"] == {
        "media": [{"id": "gid://shopify/MediaImage/38000000000004", "alt": "New"}],
        "mediaUserErrors": [{"field": ["media", "0", "originalSource"], "code": "INVALID"}],
    }
    assert shown(shop) == [1, 2, 3, 4]


def test_file_is_fetched_after_the_answer_and_may_not_be_there(ask: Ask, shop: Store) -> None:
    query = (
        "mutation($id: ID!, $m: [CreateMediaInput!]!) { productCreateMedia(productId: $id, media: $m)"
        " { media { id status ... on MediaImage { image { url } } } } }"
    )
    media = [
        {"originalSource": f"https://{host}/a.jpg", "mediaContentType": "IMAGE"}
        for host in ("example.com", "nowhere.invalid")
    ]
    made = ask(query, {"id": f"gid://shopify/Product/{SHIRT}", "m": media})["data"]["productCreateMedia"]["media"]
    assert [(one["status"], one["image"]) for one in made] == [("UPLOADED", None)] * 2
    look = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on MediaImage { status mediaErrors { code } } } }"
    assert ask(look, {"ids": [one["id"] for one in made]})["data"]["nodes"] == [
        {"status": "READY", "mediaErrors": []},
        {"status": "FAILED", "mediaErrors": [{"code": "IMAGE_DOWNLOAD_FAILURE"}]},
    ]


def test_media_are_moved(ask: Ask, shop: Store) -> None:
    query = (
        "mutation($id: ID!, $m: [MoveInput!]!) { productReorderMedia(id: $id, moves: $m)"
        " { job { id done } mediaUserErrors { code } } }"
    )
    moves = [{"id": BACK, "newPosition": "0"}, {"id": FRONT, "newPosition": "9"}]
    answer = ask(query, {"id": f"gid://shopify/Product/{SHIRT}", "m": moves})["data"]["productReorderMedia"]
    job = answer["job"]
    assert (job["done"], answer["mediaUserErrors"]) == (False, [])
    assert ask("query($id: ID!) { job(id: $id) { done } }", {"id": job["id"]})["data"]["job"] == {"done": True}
    assert shown(shop) == [3, 2, 1]


def test_media_are_taken_away(ask: Ask, shop: Store) -> None:
    query = (
        "mutation($id: ID!, $m: [ID!]!) { productDeleteMedia(productId: $id, mediaIds: $m)"
        " { deletedMediaIds mediaUserErrors { code } } }"
    )
    product = f"gid://shopify/Product/{SHIRT}"
    missing = ask(query, {"id": product, "m": [FILM, FILM + "0"]})["data"]["productDeleteMedia"]
    assert missing["mediaUserErrors"] == [{"code": "MEDIA_DOES_NOT_EXIST"}]
    assert shown(shop) == [1, 2, 3]
    done = ask(query, {"id": product, "m": [FILM]})["data"]["productDeleteMedia"]
    assert (done["deletedMediaIds"], shown(shop), max(shop.media.by_id)) == ([FILM], [1, 3], 38_000_000_000_003)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        (
            (
                "mutation($f: [FileUpdateInput!]!) { fileUpdate(files: $f)"
                " { files { alt ... on MediaImage { id } } userErrors { field code } } }"
            ),
            {"f": [{"id": FRONT, "alt": "Sett forfra"}]},
        ),
        (
            (
                "mutation($id: ID!, $f: [UpdateMediaInput!]!) { productUpdateMedia(productId: $id, media: $f)"
                " { media { alt } mediaUserErrors { field code } } }"
            ),
            {"id": f"gid://shopify/Product/{SHIRT}", "f": [{"id": FRONT, "alt": "Sett forfra"}]},
        ),
    ],
)
def test_the_alt_text_is_written_by_both_mutations(
    ask: Ask, shop: Store, engine: Engine, query: str, wanted: dict[str, Any]
) -> None:
    assert "errors" not in ask(query, wanted)
    assert shop.media.shown_by(SHIRT)[0].alt == "Sett forfra"
    assert engine.world.ledger.times_written() == {"MediaImage/38000000000001": 1}


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ({"id": BACK, "alt": "x"}, "NON_READY_STATE"),
        ({"id": FRONT + "0", "alt": "x"}, "FILE_DOES_NOT_EXIST"),
        ({"id": FRONT, "alt": "x" * 513}, "ALT_VALUE_LIMIT_EXCEEDED"),
        ({"id": FRONT, "referencesToAdd": ["gid://shopify/Product/1"]}, "REFERENCE_TARGET_DOES_NOT_EXIST"),
    ],
)
def test_a_file_that_cannot_be_updated_says_why(ask: Ask, file: dict[str, Any], code: str) -> None:
    query = "mutation($f: [FileUpdateInput!]!) { fileUpdate(files: $f) { files { id } userErrors { code } } }"
    assert ask(query, {"f": [file]})["data"]["fileUpdate"] == {"files": None, "userErrors": [{"code": code}]}


def test_a_file_may_be_shown_by_several_products(ask: Ask, shop: Store) -> None:
    query = "mutation($f: [FileUpdateInput!]!) { fileUpdate(files: $f) { userErrors { code } } }"
    ask(query, {"f": [{"id": FRONT, "referencesToAdd": [f"gid://shopify/Product/{MUG}"]}]})
    assert [one.id for one in shop.media.shown_by(MUG)] == [38_000_000_000_001]
    ask(query, {"f": [{"id": FRONT, "referencesToRemove": [f"gid://shopify/Product/{SHIRT}"]}]})
    assert (shown(shop), 38_000_000_000_001 in shop.media.by_id) == ([2, 3], True)
