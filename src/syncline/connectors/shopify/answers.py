"""Reading an HTTP response of the Admin GraphQL API: data and cost, or the outcome it stands for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx
import msgspec

from syncline.connectors.shopify import errors
from syncline.kernel.errors import ConnectorOutcome
from syncline.runtime.connect.client import retry_after
from syncline.runtime.connect.cost_limiter import CostReport
from syncline.runtime.connect.redact import Redactor

VERSION_HEADER = "X-Shopify-API-Version"


@dataclass(frozen=True, slots=True)
class Cost:
    """Points. `actual` is what was charged; the bucket's figures are Shopify's at the end of this call."""

    requested: float
    actual: float
    available: float
    maximum: float
    restore_rate: float


@dataclass(frozen=True, slots=True)
class Answer:
    """`served_version` differs from the one asked for when Shopify no longer serves that one. `errors` are of root
    fields, by their names in `data`, where the caller asked for them apart."""

    data: dict[str, Any]
    cost: Cost
    served_version: str
    errors: Mapping[str, ConnectorOutcome] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Body:
    """A GraphQL body before judgement. `report` is None where Shopify gives no cost, as in MAX_COST_EXCEEDED."""

    data: dict[str, Any] | None
    errors: Sequence[Mapping[str, Any]]
    warnings: Sequence[Mapping[str, Any]]
    report: CostReport | None
    served_version: str


@dataclass(frozen=True, slots=True)
class Reader:
    """Knows which store and version the answers belong to, for the sentences."""

    shop: str
    version: str
    redact: Redactor

    def body(self, response: httpx.Response) -> Body:
        """Raises the outcome of a status that is not 200, `UnreadableAnswer` for 200 without a GraphQL body."""
        if response.status_code != httpx.codes.OK:
            raise self._by_status(response)
        try:
            document = msgspec.json.decode(response.content)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._unreadable(response, str(error)) from error
        if not isinstance(document, dict) or not ("data" in document or "errors" in document):
            raise self._unreadable(response, "neither data nor errors")
        problems = document.get("errors") or []
        if not isinstance(problems, list):
            # REST-like errors are one string.
            problems = [{"message": str(problems)}]
        extensions = document.get("extensions") or {}
        return Body(
            data=document.get("data"),
            errors=problems,
            warnings=[w for s in extensions.get("search") or [] for w in s.get("warnings") or []],
            report=_report(extensions.get("cost")),
            served_version=response.headers.get(VERSION_HEADER, ""),
        )

    def raise_for(self, body: Body) -> None:
        """Raises for any error, also beside data: half an answer is never taken for a whole one."""
        if body.errors:
            raise self._by_code(body)
        if body.warnings:
            raise errors.FilterNotUnderstood(
                f"Shopify did not understand a filter for {self.shop}; please report this with the log.",
                detail=self._text(body.warnings),
                vendor_code=str(body.warnings[0].get("code")),
            )

    def errors_apart(self, body: Body) -> dict[str, ConnectorOutcome]:
        """What went wrong, by the root field that it is about. Raises when something is about the request as a whole,
        or when there is no data at all."""
        named = [(error.get("path") or [None])[0] for error in body.errors]
        if body.warnings or body.data is None or any(name not in body.data for name in named):
            self.raise_for(body)
        by_name: dict[str, list[Mapping[str, Any]]] = {}
        for name, error in zip(named, body.errors, strict=True):
            by_name.setdefault(str(name), []).append(error)
        return {name: self._by_code(replace(body, errors=errors)) for name, errors in by_name.items()}

    def _by_status(self, response: httpx.Response) -> ConnectorOutcome:
        detail = f"HTTP {response.status_code}: {response.text[:300]}"
        return errors.HTTP.outcome(
            response.status_code,
            detail=self.redact(detail),
            wait=retry_after(response),
            shop=self.shop,
        )

    def _by_code(self, body: Body) -> ConnectorOutcome:
        # The gravest decides: a missing permission beside a time-out will not go away by waiting.
        codes = [e.get("extensions", {}).get("code") for e in body.errors]
        known = [c for c in codes if c in errors.GRAPHQL]
        code = min(known, key=lambda c: c in {"THROTTLED", "INTERNAL_SERVER_ERROR", "TIMEOUT"}) if known else codes[0]
        error = body.errors[codes.index(code)]
        extensions = error.get("extensions", {})
        return errors.GRAPHQL.outcome(
            code,
            detail=self._text(body.errors),
            wait=_time_to_refill(body.report) if code == "THROTTLED" else None,
            shop=self.shop,
            version=self.version,
            what=_what(extensions, error.get("path")),
            scope=_scope(extensions),
        )

    def _unreadable(self, response: httpx.Response, why: str) -> errors.UnreadableAnswer:
        kind = response.headers.get("Content-Type", "no content type")
        return errors.UnreadableAnswer(
            f"{self.shop} answered with something that is not Shopify's API.",
            detail=self.redact(f"{why}; {kind}; {response.text[:120]!r}"),
            vendor_code="unreadable",
        )

    def _text(self, problems: Sequence[Mapping[str, Any]]) -> str:
        return self.redact(msgspec.json.encode(problems).decode()[:600])


def _report(cost: Mapping[str, Any] | None) -> CostReport | None:
    if not cost or not (status := cost.get("throttleStatus")):
        return None
    actual = cost.get("actualQueryCost")
    return CostReport(
        requested=float(cost.get("requestedQueryCost") or 0),
        actual=None if actual is None else float(actual),
        available=float(status["currentlyAvailable"]),
        capacity=float(status["maximumAvailable"]),
        restore_rate=float(status["restoreRate"]),
    )


def _time_to_refill(report: CostReport | None) -> timedelta | None:
    if report is None or report.restore_rate <= 0:
        return None
    return timedelta(seconds=max(0.0, report.requested - report.available) / report.restore_rate)


def _what(extensions: Mapping[str, Any], path: Sequence[object] | None) -> str:
    names = [extensions.get("typeName"), extensions.get("fieldName") or extensions.get("argumentName")]
    named = ".".join(str(n) for n in names if n)
    return named or ".".join(str(p) for p in path or ()) or "a part of the query"


def _scope(extensions: Mapping[str, Any]) -> str:
    required = extensions.get("requiredAccess")
    return f" ({required})" if required else ""
