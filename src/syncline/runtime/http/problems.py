"""Errors as problem JSON (RFC 9457), one shape for all: `success`, `code`, `error`, `correlation_id` and `fields`
beside the standard members."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, Field
from starlette.responses import JSONResponse

from syncline.kernel.errors import (
    Conflict,
    ConnectorOutcome,
    DomainError,
    FieldError,
    InvalidInput,
    NotFound,
    Retriable,
    Unavailable,
)
from syncline.runtime.observe.correlation import correlation_id

MEDIA_TYPE = "application/problem+json"


class MalformedJson(InvalidInput):
    code = "REQ_002"
    title = "The body is not JSON"


class MethodNotAllowed(DomainError):
    code = "REQ_005"
    status = 405
    title = "Method not allowed"


class BodyTooLarge(DomainError):
    code = "REQ_013"
    status = 413
    title = "The body is too large"


class BodyTooSlow(DomainError):
    code = "REQ_408"
    status = 408
    title = "The body came too slowly"


class InternalError(DomainError):
    """Says nothing of the cause: that is in the log, under the correlation id."""

    code = "REQ_500"
    status = 500
    title = "Something went wrong on our side"


class VendorUnavailable(Unavailable):
    code = "CON_001"
    title = "The other service cannot answer at the moment"


class VendorRefused(Conflict):
    code = "CON_002"
    title = "The other service refused"


class HttpProblem(DomainError):
    """Any other HTTP error that the framework raises; its status is the instance's."""

    code = "REQ_000"
    title = "The request cannot be done as asked"

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.http_status = status


class ProblemField(BaseModel):
    field: str = Field(description="Where it stands, e.g. `dateRange.chunkSize`", examples=["limit"])
    message: str = Field(description="What to do about it", examples=["must be 100 or less"])


class Problem(BaseModel):
    """What every error answers with, as `application/problem+json`."""

    type: str = Field(description="Identifies the kind of problem", examples=["urn:syncline:problem:REQ_001"])
    title: str = Field(examples=["The request is not valid"])
    status: int = Field(examples=[400])
    detail: str = Field(description="The same sentence as `error`")
    success: bool = Field(default=False, description="Always false")
    code: str = Field(description="Stable, for programs", examples=["REQ_001"])
    error: str = Field(description="A sentence a person can act on")
    correlation_id: str | None = Field(description="Also in the log and in the X-Correlation-ID header")
    fields: list[ProblemField] = Field(default_factory=list, description="The fields that are wrong, if it is fields")

    # Members a kind of problem adds (RFC 9457 section 3.2), such as the id of what is already running.
    model_config: ClassVar = {"extra": "allow"}


def problem_of(error: DomainError) -> dict[str, Any]:
    """The body of `error`."""
    body: dict[str, Any] = {
        "type": f"urn:syncline:problem:{error.code}",
        "title": error.title,
        "status": status_of(error),
        "detail": error.sentence,
        "success": False,
        "code": error.code,
        "error": error.sentence,
        "correlation_id": correlation_id(),
        "fields": [{"field": wrong.field, "message": wrong.message} for wrong in error.fields],
    }
    for name, value in error.extra.items():
        body.setdefault(name, value)
    return body


def status_of(error: DomainError) -> int:
    return error.http_status if isinstance(error, HttpProblem) else error.status


class _ProblemResponse(JSONResponse):
    media_type = MEDIA_TYPE

    def render(self, content: Any) -> bytes:
        # A sentence may quote what the caller sent, even half a character ("\\ud800"), which must not break the answer.
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def problem_response(error: DomainError, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """`error` as an answer. A 401 names the scheme, as RFC 9110 section 11.6.1 asks."""
    extra = dict(headers or {})
    if status_of(error) == 401:
        extra.setdefault("WWW-Authenticate", "Bearer")
    wait = error.extra.get("retry_after")
    if isinstance(wait, int | float):
        extra.setdefault("Retry-After", str(max(1, math.ceil(wait))))
    return _ProblemResponse(problem_of(error), status_code=status_of(error), headers=extra)


def from_outcome(outcome: ConnectorOutcome) -> DomainError:
    """What a vendor's refusal means to whoever called us: try later, or a person must change something first."""
    if isinstance(outcome, Retriable):
        wait = outcome.wait.total_seconds() if outcome.wait else 5
        return VendorUnavailable(outcome.sentence, extra={"retry_after": wait, "vendor_code": outcome.vendor_code})
    return VendorRefused(outcome.sentence, extra={"vendor_code": outcome.vendor_code})


def from_validation(errors: Sequence[Mapping[str, Any]]) -> DomainError:
    """Pydantic's and FastAPI's list of errors as one of ours, with the path as a person would write it."""
    for item in errors:
        if item["type"] == "json_invalid":
            why = str(item.get("ctx", {}).get("error", "")).rstrip(".")
            position = item["loc"][-1] if item["loc"] else 0
            return MalformedJson(f"The body is not valid JSON: {why} at character {position}.")
        if tuple(item["loc"]) == ("body",) and isinstance(item.get("input"), bytes):
            return MalformedJson("The body is not JSON. Send a JSON object.")
    fields = [FieldError(_path(item["loc"]), _message(item)) for item in errors]
    listed = "; ".join(f"{wrong.field}: {wrong.message}" for wrong in fields[:3])
    more = f" (and {len(fields) - 3} more)" if len(fields) > 3 else ""
    return InvalidInput(f"The request is not valid: {listed}{more}.", fields=fields)


def _path(location: Sequence[object]) -> str:
    parts = list(location)
    if len(parts) > 1 and parts[0] in {"body", "query", "path", "header", "cookie"}:
        parts = parts[1:]
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _message(item: Mapping[str, Any]) -> str:
    if item["type"] == "missing":
        return "is missing"
    message = str(item["msg"]).removeprefix("Value error, ").removeprefix("Input ").rstrip(".")
    return message[:1].lower() + message[1:]


def problems(*errors: type[DomainError]) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses=`: declares which errors it raises, grouped by status."""
    declared: dict[int | str, dict[str, Any]] = {}
    for error in errors:
        known = declared.get(error.status, {}).get("description")
        text = f"`{error.code}` {error.title}"
        declared[error.status] = {"model": Problem, "description": f"{known}; {text}" if known else text}
    return declared


UNKNOWN_PATH = NotFound("There is nothing at this address. The list of addresses is at /docs.")
