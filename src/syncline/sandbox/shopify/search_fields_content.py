"""Search filters of collections and media."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from syncline.sandbox.shopify.entities_content import Collection
from syncline.sandbox.shopify.search_resource import ID, UPDATED_AT, Filter, Resource
from syncline.sandbox.shopify.state import Store


def _collection_texts(_: Store, collection: Collection) -> Iterable[str]:
    return (collection.title, collection.handle)


CONTENT: Mapping[str, Resource] = {
    "collections": Resource(
        {
            "id": ID,
            "updated_at": UPDATED_AT,
            "title": Filter("text", lambda _, collection: collection.title),
            "handle": Filter("keyword", lambda _, collection: collection.handle),
            "collection_type": Filter("keyword", lambda _, collection: "smart" if collection.rules else "custom"),
            "product_id": Filter("id", lambda s, collection: s.collections.members[collection.id], many=True),
        },
        frozenset({"product_publication_status", "publishable_status", "published_at", "published_status"}),
        _collection_texts,
    ),
    "media": Resource({"id": ID, "media_type": Filter("keyword", lambda _, media: media.content_type)}),
}
