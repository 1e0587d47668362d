"""Collections, media and metafields of a store, and the only functions that change them.

The products of a smart collection are kept up with every change of a product; that moves no `updated_at` of the
collection, while adding to and removing from a manual one does. A change of a product's media or metafields bumps the
product, of any other owner's metafields that owner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import Any

from syncline.sandbox.shopify.entities import Product
from syncline.sandbox.shopify.entities_content import Collection, Media, Metafield, RuleFacts
from syncline.sandbox.shopify.journal import Journal
from syncline.sandbox.shopify.ordering import added, orderings, removed, rewrite
from syncline.sandbox.shopify.rules import belongs


class Collections:
    def __init__(
        self, journal: Journal, products: Callable[[], Iterable[Product]], facts: Callable[[Product], RuleFacts]
    ) -> None:
        self.journal = journal
        self.by_id: dict[int, Collection] = {}
        self.by_handle: dict[str, int] = {}
        self.members: dict[int, dict[int, int]] = {}
        """collection id -> product id -> its place; places ascend in the order of adding."""
        self.of_product: dict[int, list[int]] = {}
        """product id -> ids of the collections it is in"""
        self.orderings = orderings(
            self.by_id.values,
            ID=lambda collection: collection.id,
            TITLE=lambda collection: collection.title.casefold(),
            UPDATED_AT=lambda collection: collection.updated_at,
        )
        self._products = products
        self._facts = facts
        self._smart: list[Collection] = []
        self._places = count(1)

    def insert(self, collection: Collection, product_ids: Iterable[int] = ()) -> None:
        """Adds a collection made elsewhere, without a line in the event log. A smart one finds its products itself; a
        product that is named twice is in it once."""
        if collection.handle in self.by_handle:
            raise ValueError(f"The handle {collection.handle!r} is taken.")
        self.by_id[collection.id] = collection
        self.by_handle[collection.handle] = collection.id
        self.members[collection.id] = {}
        if collection.rules is not None:
            self._smart.append(collection)
            product_ids = self._matching(collection)
        for number in dict.fromkeys(product_ids):
            self._join(collection.id, number)
        added(self.orderings, collection)
        self.journal.revision += 1

    def create(self, *, title: str, handle: str, product_ids: Iterable[int] = (), **fields: Any) -> Collection:
        """Raises `ValueError` when the handle is taken (see `free_handle`)."""
        collection = Collection(self.journal.next_id("collection"), title, handle, self.journal.now(), **fields)
        self.insert(collection, product_ids)
        self.journal.log("create", "COLLECTION", collection.id, f"Collection was created: {title}.")
        self.journal.tell("collections/create", collection)
        return collection

    def free_handle(self, wanted: str) -> str:
        handle, number = wanted, 0
        while handle in self.by_handle:
            number += 1
            handle = f"{wanted}-{number}"
        return handle

    def update(self, collection: Collection, **fields: Any) -> None:
        """Sets `fields` and bumps `updated_at`; new `rules` choose the products anew."""
        if (handle := fields.get("handle", collection.handle)) != collection.handle:
            if handle in self.by_handle:
                raise ValueError(f"The handle {handle!r} is taken.")
            del self.by_handle[collection.handle]
            self.by_handle[handle] = collection.id
        rewrite(self.orderings, collection, {**fields, "updated_at": self.journal.now()})
        if fields.get("rules") is not None:
            self._choose_again(collection)
        self.journal.revision += 1
        self.journal.tell("collections/update", collection)

    def delete(self, collection: Collection) -> None:
        removed(self.orderings, collection)
        for number in list(self.members[collection.id]):
            self._leave(collection.id, number)
        del self.members[collection.id], self.by_id[collection.id], self.by_handle[collection.handle]
        self._smart = [one for one in self._smart if one is not collection]
        self.journal.revision += 1
        self.journal.log("destroy", "COLLECTION", collection.id, f"Collection was deleted: {collection.title}.")
        self.journal.tell("collections/delete", collection)

    def add_products(self, collection: Collection, product_ids: Iterable[int]) -> None:
        """Of a manual collection. Products already in it keep their place."""
        for number in product_ids:
            if number not in self.members[collection.id]:
                self._join(collection.id, number)
        self.update(collection)

    def remove_products(self, collection: Collection, product_ids: Iterable[int]) -> None:
        for number in product_ids:
            if number in self.members[collection.id]:
                self._leave(collection.id, number)
        self.update(collection)

    def refresh(self, product: Product) -> None:
        """Puts a product that changed into the smart collections it belongs to now, and out of the others."""
        if not self._smart:
            return
        facts = self._facts(product)
        for collection in self._smart:
            is_in, rules = product.id in self.members[collection.id], collection.rules
            if rules is not None and belongs(rules, facts) is not is_in:
                (self._leave if is_in else self._join)(collection.id, product.id)

    def forget(self, product_id: int) -> None:
        """A deleted product is in no collection; that moves none of their `updated_at`."""
        for number in list(self.of_product.get(product_id, ())):
            self._leave(number, product_id)

    def memberships(self) -> Iterable[dict[str, int]]:
        """Rows of {collection_id, product_id, place}."""
        for number, products in self.members.items():
            for product_id, place in products.items():
                yield {"collection_id": number, "product_id": product_id, "place": place}

    def _choose_again(self, collection: Collection) -> None:
        if all(one is not collection for one in self._smart):
            self._smart.append(collection)
        wanted = dict.fromkeys(self._matching(collection))
        for number in [one for one in self.members[collection.id] if one not in wanted]:
            self._leave(collection.id, number)
        for number in wanted:
            if number not in self.members[collection.id]:
                self._join(collection.id, number)

    def _matching(self, collection: Collection) -> list[int]:
        rules = collection.rules
        if rules is None:
            return []
        return [product.id for product in self._products() if belongs(rules, self._facts(product))]

    def _join(self, collection_id: int, product_id: int) -> None:
        self.members[collection_id][product_id] = next(self._places)
        self.of_product.setdefault(product_id, []).append(collection_id)

    def _leave(self, collection_id: int, product_id: int) -> None:
        del self.members[collection_id][product_id]
        self.of_product[product_id].remove(collection_id)


class MediaLibrary:
    def __init__(self, journal: Journal, touch: Callable[[str, int], None]) -> None:
        self.journal = journal
        self.by_id: dict[int, Media] = {}
        self.of_product: dict[int, list[int]] = {}
        """product id -> ids of its media in the order of position"""
        self._touch = touch

    def shown_by(self, product_id: int) -> list[Media]:
        return [self.by_id[number] for number in self.of_product.get(product_id, ())]

    def insert(self, media: Media, product_ids: Iterable[int]) -> None:
        """Adds a file made elsewhere, last on each of the products, without bumping them."""
        self.by_id[media.id] = media
        for number in product_ids:
            self.of_product.setdefault(number, []).append(media.id)
        self.journal.revision += 1

    def add(self, product_id: int, *, content_type: str, url: str, **fields: Any) -> Media:
        now = self.journal.now()
        media = Media(self.journal.next_id("media"), content_type, now, now, url, **fields)
        self.insert(media, [product_id])
        self._touch("Product", product_id)
        return media

    def update(self, media: Media, **fields: Any) -> None:
        """Sets `fields` and bumps the file and every product that shows it."""
        for name, value in fields.items():
            setattr(media, name, value)
        media.updated_at = self.journal.now()
        self.journal.revision += 1
        for product_id, shown in self.of_product.items():
            if media.id in shown:
                self._touch("Product", product_id)

    def arrange(self, product_id: int, media_ids: Sequence[int]) -> None:
        """The product shows exactly these, in this order; a file that no product shows any more is deleted."""
        dropped = set(self.of_product.get(product_id, ())) - set(media_ids)
        self.of_product[product_id] = list(media_ids)
        self._delete_unshown(dropped)
        self.journal.revision += 1
        self._touch("Product", product_id)

    def detach(self, product_id: int, media_id: int) -> None:
        """The product shows it no more; the file stays."""
        shown = self.of_product.get(product_id, [])
        if media_id in shown:
            shown.remove(media_id)
            self.journal.revision += 1
            self._touch("Product", product_id)

    def forget(self, product_id: int) -> None:
        """The product was deleted."""
        self._delete_unshown(set(self.of_product.pop(product_id, ())))

    def shown(self) -> Iterable[dict[str, int]]:
        """Rows of {product_id, media_id, position}."""
        for product_id, media_ids in self.of_product.items():
            for position, number in enumerate(media_ids, start=1):
                yield {"product_id": product_id, "media_id": number, "position": position}

    def _delete_unshown(self, media_ids: set[int]) -> None:
        if not media_ids:
            return
        still = {number for shown in self.of_product.values() for number in shown if number in media_ids}
        for number in media_ids - still:
            del self.by_id[number]


class Metafields:
    def __init__(self, journal: Journal, touch: Callable[[str, int], None]) -> None:
        self.journal = journal
        self.by_id: dict[int, Metafield] = {}
        self.of_owner: dict[tuple[str, int], list[int]] = {}
        self._touch = touch

    def of(self, owner_type: str, owner_id: int) -> list[Metafield]:
        return [self.by_id[number] for number in self.of_owner.get((owner_type, owner_id), ())]

    def find(self, owner_type: str, owner_id: int, namespace: str, key: str) -> Metafield | None:
        wanted = (namespace, key)
        return next((one for one in self.of(owner_type, owner_id) if (one.namespace, one.key) == wanted), None)

    def insert(self, metafield: Metafield) -> None:
        """Adds a metafield made elsewhere, without bumping its owner."""
        self.by_id[metafield.id] = metafield
        self.of_owner.setdefault((metafield.owner_type, metafield.owner_id), []).append(metafield.id)
        self.journal.revision += 1

    def set(self, owner_type: str, owner_id: int, namespace: str, key: str, kind: str, value: str) -> Metafield:
        """Makes or changes it. The same type and value again change nothing and bump nobody."""
        found = self.find(owner_type, owner_id, namespace, key)
        now = self.journal.now()
        if found is None:
            number = self.journal.next_id("metafield")
            found = Metafield(number, owner_type, owner_id, namespace, key, kind, value, now, now)
            self.insert(found)
        elif (found.type, found.value) == (kind, value):
            return found
        else:
            found.type, found.value, found.updated_at = kind, value, now
            self.journal.revision += 1
        self._touch(owner_type, owner_id)
        return found

    def delete(self, metafield: Metafield) -> None:
        del self.by_id[metafield.id]
        self.of_owner[metafield.owner_type, metafield.owner_id].remove(metafield.id)
        self.journal.revision += 1
        self._touch(metafield.owner_type, metafield.owner_id)

    def forget(self, owner_type: str, owner_id: int) -> None:
        """The owner was deleted."""
        for number in self.of_owner.pop((owner_type, owner_id), ()):
            del self.by_id[number]
