"""The OpenAPI document: as FastAPI makes it, with our error shape in place of the framework's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from syncline.runtime.http.auth import permission_of
from syncline.runtime.http.problems import MEDIA_TYPE, Problem
from syncline.runtime.http.rate_limit import UNLIMITED
from syncline.runtime.http.routes import RouteIndex

_PROBLEM = {"$ref": "#/components/schemas/Problem"}


def operation_id(route: APIRoute) -> str:
    """`keys_create_key`: the name of the function in the client that is generated from the document."""
    tag = str(route.tags[0]) if route.tags else "service"
    return f"{tag.replace(' ', '_').replace('-', '_')}_{route.name}"


def install(app: FastAPI) -> None:
    """Replaces `app.openapi`, which FastAPI calls for the document and for /docs."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=api_routes(app)
            )
            _mend(made, {operation_id(route): route for route in api_routes(app)})
            for path, operations in getattr(app.state, "hot_operations", {}).items():
                made["paths"].setdefault(path, {}).update(operations)
            made["x-syncline"] = True
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign] # FastAPI's documented way to extend the document


def add_routes(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """As `include_router` of each without a prefix; found by their paths."""
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    for route in routes:
        route.unique_id = operation_id(route)
        route.dependency_overrides_provider = app
    app.router.routes.append(RouteIndex(routes))


def api_routes(app: FastAPI) -> list[APIRoute]:
    """Every API route, the application's own and the indexed ones."""
    found: list[APIRoute] = []
    for route in app.routes:
        if isinstance(route, RouteIndex):
            found += route.routes
        elif isinstance(route, APIRoute):
            found.append(route)
    return found


def _mend(document: dict[str, Any], routes: Mapping[str, APIRoute]) -> None:
    for path in document.get("paths", {}).values():
        for operation in path.values():
            _mend_operation(operation, routes[operation["operationId"]])
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for framework in ("HTTPValidationError", "ValidationError"):
        schemas.pop(framework, None)
    whole = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(whole.pop("$defs", {}))
    schemas["Problem"] = whole


def _mend_operation(operation: dict[str, Any], route: APIRoute) -> None:
    permission = permission_of(route)
    answers = operation.setdefault("responses", {})
    # FastAPI's 422 is our 400.
    if answers.pop("422", None) is not None:
        answers.setdefault("400", _problem("`REQ_001` The request is not valid, with the fields"))
    if permission is not None:
        answers.setdefault("401", _problem("`API_001` A key is needed"))
        answers.setdefault("403", _problem(f"`API_002` The role of the key may not do this; it takes `{permission}`"))
        operation["x-permission"] = permission
    for status, problem in _everywhere(operation, route).items():
        answers.setdefault(status, problem)
    for answer in answers.values():
        declared = answer.get("content", {}).get("application/json", {}).get("schema", {})
        if declared == _PROBLEM:
            answer["content"] = _problem("")["content"]
        elif str(declared.get("title", "")).startswith("Response "):
            declared["title"] = f"Response {operation['operationId'].replace('_', ' ').title()}"


def _everywhere(operation: Mapping[str, Any], route: APIRoute) -> dict[str, dict[str, Any]]:
    """What comes from around an endpoint and not from it, so that no endpoint has to declare it."""
    if route.path in UNLIMITED:
        return {}
    has_places = any(one["in"] == "path" for one in operation.get("parameters", ()))
    writes = route.methods is not None and not route.methods <= {"GET", "HEAD"}
    found = {
        "400": (writes or "parameters" in operation, "`REQ_001` or `REQ_002` The request is not valid"),
        "404": (has_places, "`REQ_004` There is nothing at this address"),
        "409": (writes and permission_of(route) is not None, "`OPS_003` The tenant is paused"),
        "413": ("requestBody" in operation, "`REQ_013` The body is too large"),
        "429": (True, "`LIMIT_001` Too many requests; `Retry-After` says when to try again"),
        "500": (True, "`REQ_500` Something went wrong on our side"),
        "503": (True, "`REQ_503` Something we need does not answer, or `OPS_001` the installation is stopped"),
        "504": (True, "`REQ_504` This took too long"),
    }
    return {status: _problem(description) for status, (holds, description) in found.items() if holds}


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, "content": {MEDIA_TYPE: {"schema": _PROBLEM}}}
