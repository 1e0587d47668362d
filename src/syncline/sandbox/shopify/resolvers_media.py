"""Images, videos and models that products show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from syncline.sandbox.shopify.amounts import moment
from syncline.sandbox.shopify.compiler import Call, Resolver, Run, entries, leaf, many, single
from syncline.sandbox.shopify.connections import keyed, refuse_argument, search_argument
from syncline.sandbox.shopify.context import Context
from syncline.sandbox.shopify.entities_content import Media
from syncline.sandbox.shopify.ids import gid
from syncline.sandbox.shopify.ordering import Key

MIME_TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp", "gif": "image/gif"}


def media_gid(media: Media) -> str:
    return gid(media.type_name, media.id)


def _featured(context: Context) -> Run:
    shown_by = context.store.media.shown_by
    return lambda product: next(iter(shown_by(product.id)), None)


def _keys(call: Call) -> Callable[[Any], list[Key]]:
    """By the product's positions, or by id."""
    by_id = call.args.get("sortKey") == "ID"
    search = search_argument(call, "media") if "query" in call.known.args else None
    library = call.context.store.media

    def keys(product: Any) -> list[Key]:
        shown = library.of_product.get(product.id, ())
        found = [(number if by_id else at, number) for at, number in enumerate(shown, start=1)]
        if search is not None:
            found = [key for key in found if search.matches(library.by_id[key[1]])]
        return sorted(found)

    return keys


def _image(media: Media) -> dict[str, Any]:
    return {
        "id": gid("ImageSource", media.id),
        "url": media.url if media.content_type == "IMAGE" else media.preview_url,
        "altText": media.alt,
        "width": media.width,
        "height": media.height,
    }


def _is_image(media: Media) -> bool:
    return media.content_type == "IMAGE" and media.status == "READY"


def _product_image(media: Media) -> dict[str, Any]:
    """The image by its older id."""
    return _image(media) | {"id": gid("ProductImage", media.id)}


def _image_keys(call: Call) -> Callable[[Any], list[Key]]:
    keys = _keys(call)
    by_id = call.context.store.media.by_id
    return lambda product: [key for key in keys(product) if _is_image(by_id[key[1]])]


def _featured_image(context: Context) -> Run:
    shown_by = context.store.media.shown_by
    return lambda product: next(map(_product_image, filter(_is_image, shown_by(product.id))), None)


def _own_image(media: Media) -> dict[str, Any] | None:
    return _image(media) if media.status == "READY" else None


def _preview(media: Media) -> dict[str, Any]:
    is_shown = media.status == "READY" and (media.content_type == "IMAGE" or media.preview_url is not None)
    return {"image": _image(media) if is_shown else None, "status": media.status}


def _url(call: Call) -> Run:
    refuse_argument(call, "transform")
    return lambda image: image["url"]


def _source(media: Media) -> list[dict[str, Any]]:
    """The one rendition the sandbox knows."""
    kind = media.url.rsplit(".", 1)[-1]
    return [
        {
            "url": media.url,
            "format": kind,
            "mimeType": "video/mp4" if media.content_type == "VIDEO" else "model/gltf-binary",
            "width": media.width or 0,
            "height": media.height or 0,
            "filesize": 0,
            "fileSize": 0,
        }
    ]


def _file_name(media: Media) -> str:
    return media.url.rsplit("/", 1)[-1].partition("?")[0]


def _no_list(_: Call) -> Run:
    return lambda _media: []


def _errors(media: Media) -> list[dict[str, Any]]:
    if media.failure is None:
        return []
    return [{"code": media.failure, "message": f"The file at {media.url} could not be fetched.", "details": None}]


_COMMON: dict[str, Resolver] = {
    "id": leaf(media_gid),
    "alt": leaf(lambda media: media.alt),
    "mediaContentType": leaf(lambda media: media.content_type),
    "status": leaf(lambda media: media.status),
    "fileStatus": leaf(lambda media: media.status),
    "createdAt": leaf(lambda media: moment(media.created_at)),
    "updatedAt": leaf(lambda media: moment(media.updated_at)),
    "preview": single(lambda _: _preview),
    "mediaErrors": many(lambda _: _errors),
    "mediaWarnings": _no_list,
    "fileErrors": _no_list,
}

PRODUCT: dict[str, Resolver] = {
    "media": keyed(_keys, lambda context: context.store.media.by_id.__getitem__),
    "mediaCount": single(
        lambda context: (
            lambda product: {
                "count": len(context.store.media.of_product.get(product.id, ())),
                "precision": "EXACT",
            }
        )
    ),
    "featuredMedia": single(_featured),
    "featuredImage": single(_featured_image),
    "images": keyed(_image_keys, lambda context: lambda number: _product_image(context.store.media.by_id[number])),
}

TYPES: dict[str, dict[str, Resolver]] = {
    "MediaImage": {
        **_COMMON,
        "image": single(lambda _: _own_image),
        "mimeType": leaf(lambda media: MIME_TYPES.get(_file_name(media).rsplit(".", 1)[-1])),
    },
    "Video": {
        **_COMMON,
        "filename": leaf(_file_name),
        "duration": leaf(lambda _: None),
        "sources": many(lambda _: _source),
    },
    "ExternalVideo": {
        **_COMMON,
        "embedUrl": leaf(lambda media: media.url),
        "originUrl": leaf(lambda media: media.url),
        "host": leaf(lambda media: "VIMEO" if "vimeo.com" in media.url else "YOUTUBE"),
    },
    "Model3d": {**_COMMON, "filename": leaf(_file_name), "sources": many(lambda _: _source)},
    "VideoSource": entries("url", "format", "mimeType", "width", "height", "fileSize"),
    "Model3dSource": entries("url", "format", "mimeType", "filesize"),
    "MediaPreviewImage": entries("image", "status"),
    "MediaError": entries("code", "message", "details"),
    "Image": {
        **entries("id", "altText", "width", "height"),
        "url": _url,
        "src": leaf(lambda image: image["url"]),
        "originalSrc": leaf(lambda image: image["url"]),
    },
}
