"""Every error that leaves an endpoint, as problem JSON."""

from __future__ import annotations

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import Response

from syncline.kernel.errors import ConnectorOutcome, DomainError, InvalidInput, Unavailable
from syncline.runtime.http.auth import identify, permission_of
from syncline.runtime.http.limits import too_large
from syncline.runtime.http.problems import (
    UNKNOWN_PATH,
    HttpProblem,
    MalformedJson,
    MethodNotAllowed,
    from_outcome,
    from_validation,
    problem_response,
)
from syncline.runtime.observe.logs import get_logger

log = get_logger(__name__)


def install(app: FastAPI) -> None:
    """Registers the handlers on `app`."""
    app.add_exception_handler(DomainError, _domain_error)
    app.add_exception_handler(ConnectorOutcome, _connector_outcome)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_exception)
    for refused in (DataError, psycopg.DataError):  # what goes past the ORM, such as COPY, raises the driver's own
        app.add_exception_handler(refused, _data_error)
    app.add_exception_handler(UnicodeEncodeError, _half_a_character)
    for lost in (OperationalError, InterfaceError, PoolTimeout):
        app.add_exception_handler(lost, _database_away)


async def _domain_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)
    return problem_response(error)


async def _connector_outcome(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ConnectorOutcome)
    log.warning("vendor refused", outcome=type(error).__name__, sentence=error.sentence, detail=error.detail)
    return problem_response(from_outcome(error))


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problem = from_validation(error.errors())
    if isinstance(problem, MalformedJson) and permission_of(request.scope.get("route")) is not None:
        # The body is read before the key is looked at; whoever has no key learns only that.
        return await _or_unauthenticated(request, problem)
    return problem_response(problem)


def _methods_sentence(method: str, allowed: str) -> str:
    # Wherever GET is, HEAD is too; nobody has to be told.
    *others, last = [one for one in allowed.split(", ") if one != "HEAD"]
    return (
        f"{method} is not possible here; {', '.join(others)} and {last} are."
        if others
        else (f"{method} is not possible here; {last} is.")
    )


async def _http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == 404:
        return problem_response(UNKNOWN_PATH, headers)
    if error.status_code == 405:
        refusal = MethodNotAllowed(_methods_sentence(request.method, headers.get("Allow", "another method")))
        if permission_of(request.scope.get("route")) is None:
            return problem_response(refusal, headers)
        # A stranger is told that a key is needed before being told which methods there are.
        return await _or_unauthenticated(request, refusal, headers)
    if error.status_code == 413:
        return problem_response(too_large(int(error.detail)), {"Connection": "close"})
    if error.status_code == 400:
        unreadable = MalformedJson("The body cannot be read. Send JSON in UTF-8.")
        if permission_of(request.scope.get("route")) is None:
            return problem_response(unreadable, headers)
        return await _or_unauthenticated(request, unreadable, headers)
    return problem_response(HttpProblem(error.status_code, str(error.detail)), headers)


async def _or_unauthenticated(
    request: Request, problem: DomainError, headers: dict[str, str] | None = None
) -> Response:
    try:
        await identify(request)
    except DomainError as unknown:
        return problem_response(unknown)
    return problem_response(problem, headers)


async def _data_error(_request: Request, error: Exception) -> Response:
    # The database refused a value as such: a NUL character, a number out of range. The caller sent it.
    log.warning("value refused by the database", error=str(getattr(error, "orig", error)).splitlines()[0])
    return problem_response(
        InvalidInput("A value in the request cannot be stored: it has a NUL character or is out of range.")
    )


async def _half_a_character(_request: Request, error: Exception) -> Response:
    # JSON can escape a lone surrogate ("\\ud800"), which is no character and which no database and no answer can hold.
    log.warning("value is not text", error=str(error))
    return problem_response(
        InvalidInput("A text in the request holds half a character; send whole Unicode characters.")
    )


async def _database_away(_request: Request, error: Exception) -> Response:
    log.error("database not available", error=str(getattr(error, "orig", error)).strip())
    return problem_response(
        Unavailable("The database cannot be reached at the moment. Try again shortly.", extra={"retry_after": 2})
    )
