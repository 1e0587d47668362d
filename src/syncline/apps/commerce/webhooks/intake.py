"""Takes a webhook in: whose it is, whether Shopify signed it, kept, answered. Nothing of it is looked into."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec
import xxhash

from syncline.apps.commerce.mirror.kind import signed64
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.stores.signatures import Recipient, recipients_of
from syncline.apps.commerce.webhooks.doors import Doors
from syncline.apps.commerce.webhooks.errors import (
    ShopNotConnected,
    WebhookHeadersMissing,
    WebhookNotSigned,
    WebhookTooLarge,
)
from syncline.apps.commerce.webhooks.keeping import MALFORMED, Delivery, Kept
from syncline.apps.commerce.webhooks.paces import Pace, Paces
from syncline.apps.commerce.webhooks.patience import Patience
from syncline.apps.commerce.webhooks.refusals import UNVERIFIABLE, Refusals
from syncline.apps.commerce.webhooks.writing import DeliveryWriter
from syncline.connectors.shopify.webhooks import NotAWebhook, WebhookHeaders, is_signed, read_headers
from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.runtime.app import HotAnswer, HotParts, HotRequest
from syncline.runtime.db.group_commit import GroupCommit, GroupLimits
from syncline.runtime.observe.metrics import Counter
from syncline.runtime.secrets import SecretKeyMissing

PATIENCE_SECONDS: Final = 4.0
"""What a delivery waits for the database at most, from the look-up of its shop to the commit. Shopify hangs up after
five seconds; an answer that is not written by then is none."""

RECEIVED = Counter("syncline_webhooks_received_total", "Signed webhooks, by what became of them", ["outcome"])
_KEPT, _REPEATED = RECEIVED.labels("kept"), RECEIVED.labels("repeated")
_CHALLENGE: Final = 'HMAC-SHA256 header="X-Shopify-Hmac-Sha256"'
_ANY_JSON = msgspec.json.Decoder(msgspec.Raw)


class Intake:
    """Handles the hot routes of webhooks. One per process."""

    def __init__(self, parts: HotParts) -> None:
        runtime = parts.runtime
        settings = runtime.settings_of("commerce", CommerceSettings)
        self._limit = settings.webhook_limit_bytes
        self._doors = Doors(lambda shop: recipients_of(runtime.database, runtime.secrets, shop))
        self._refusals = Refusals(runtime.database)
        self._paces = Paces(parts.limiter, parts.rates, delay=settings.webhook_delay)
        writer = DeliveryWriter(runtime.database, runtime.queue)
        self._group = GroupCommit[Delivery, Kept](
            "webhooks",
            writer.write,
            size_of=lambda one: len(one.body),
            limits=GroupLimits(patience_seconds=PATIENCE_SECONDS),
        )

    async def __call__(self, request: HotRequest) -> HotAnswer:
        """Raises the errors of `errors.py`, `TooMuchWaits`, `NotWrittenInTime` and `DatabaseUnavailable`; then nothing
        is promised, and Shopify sends it again."""
        try:
            headers = read_headers(request.headers)
        except NotAWebhook as error:
            self._refusals.note("-", "headers", "-")
            raise WebhookHeadersMissing(str(error)) from error
        patience = Patience(PATIENCE_SECONDS)
        # Before the body is read: who is nobody's shop does not make us read.
        recipients = await patience.over(self._doors.find(headers.shop_domain))
        if not recipients:
            raise self._unknown(headers)
        body = await self._read(request, headers)
        signed = _signed(recipients, headers, body)
        if not signed:
            recipients = await patience.over(self._doors.find_again(headers.shop_domain))
            signed = _signed(recipients, headers, body)
        if not signed and any(one.is_closed for one in recipients):
            raise self._unverifiable(headers)
        if not signed:
            self._refusals.note(headers.shop_domain, "signature", headers.topic)
            raise WebhookNotSigned(
                "The signature does not fit the body: it was signed with another secret, or the body was changed on its"
                " way. Give Syncline the API secret key of the app that sends it.",
                extra={"challenge": _CHALLENGE},
            )
        return await patience.over(self._keep(request, headers, body, signed))

    async def _read(self, request: HotRequest, headers: WebhookHeaders) -> bytes:
        stated = next((value for name, value in request.headers if name == b"content-length"), b"")
        if stated.isdigit() and int(stated) > self._limit:
            raise self._too_large(headers)
        pieces: list[bytes] = []
        size = 0
        async for piece in request.body():
            size += len(piece)
            if size > self._limit:
                raise self._too_large(headers)
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def _keep(
        self, request: HotRequest, headers: WebhookHeaders, body: bytes, signed: Sequence[Recipient]
    ) -> HotAnswer:
        pace = await self._paces.take(headers.shop_domain, signed[0].tenant_id)
        now = clock.now()
        reason, digest = _why_dead(body), signed64(xxhash.xxh3_64_intdigest(body))
        due_at = now if pace is None else now + pace.wait
        deliveries = [
            Delivery(
                new_id(),
                one.tenant_id,
                one.store_id,
                headers,
                body,
                digest,
                now,
                due_at,
                request.correlation_id,
                reason,
            )
            for one in signed
        ]
        if len(deliveries) == 1:
            kept = [await self._group.submit(deliveries[0])]
        else:
            kept = list(await asyncio.gather(*map(self._group.submit, deliveries)))
        if Kept.NO_STORE in kept:
            self._doors.forget(headers.shop_domain)
            if all(one is Kept.NO_STORE for one in kept):
                raise self._unknown(headers)
        is_new = Kept.NEW in kept
        (_KEPT if is_new else _REPEATED).inc()
        return _answer(deliveries[0].id, is_new=is_new, pace=pace)

    def _unknown(self, headers: WebhookHeaders) -> ShopNotConnected:
        self._refusals.note(headers.shop_domain, "unknown_shop", headers.topic)
        return ShopNotConnected(f"No store here is {headers.shop_domain}. Connect it, or remove the webhook there.")

    def _unverifiable(self, headers: WebhookHeaders) -> SecretKeyMissing:
        """It may be forged, and it may be real: whoever sends it for real sends it again."""
        self._refusals.note(headers.shop_domain, UNVERIFIABLE, headers.topic)
        return SecretKeyMissing(
            f"The secret that signs the webhooks of {headers.shop_domain} cannot be opened, so this one cannot be"
            " verified. Put back the key that it was sealed with (SYNCLINE_SECRET_KEYS), or enter the secret again with"
            " `syncline stores app set`, that of a custom app with `syncline stores api-secret`.",
            extra={"retry_after": 60},
        )

    def _too_large(self, headers: WebhookHeaders) -> WebhookTooLarge:
        self._refusals.note(headers.shop_domain, "too_large", headers.topic)
        return WebhookTooLarge(
            f"The webhook is larger than the {self._limit / 1_000_000:g} MB that are taken; "
            "SYNCLINE_COMMERCE_WEBHOOK_LIMIT_BYTES changes that.",
            extra={"limit_bytes": self._limit},
        )


def _signed(recipients: Sequence[Recipient], headers: WebhookHeaders, body: bytes) -> list[Recipient]:
    """Whose app's secret signed it. A shop may be connected in several tenants, each with an app of its own."""
    return [one for one in recipients if is_signed(body, headers.signature, one.secrets)]


def _why_dead(body: bytes) -> str | None:
    try:
        _ANY_JSON.decode(body)
    except msgspec.DecodeError:
        return MALFORMED
    return None


def _answer(event_id: UUID, *, is_new: bool, pace: Pace | None) -> HotAnswer:
    text = (
        f'{{"success":true,"received":true,"idempotent":false,"id":"{event_id}"}}'
        if is_new
        else '{"success":true,"received":true,"idempotent":true}'
    )
    return HotAnswer(text.encode(), headers=() if pace is None else pace.headers(time.time()))
