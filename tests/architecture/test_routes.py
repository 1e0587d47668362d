from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from fastapi.routing import APIRoute

from syncline.kernel.tenant import all_permissions
from syncline.main.targets import APPS
from syncline.runtime.http.audit import shows_people
from syncline.runtime.http.auth import permission_of
from syncline.runtime.http.factory import create_app
from syncline.runtime.http.openapi import api_routes
from syncline.runtime.http.rate_limit import limit_named_by
from syncline.runtime.limits.policy import POLICIES

# Whoever calls. Everything else needs a key, and says which permission its role must hold.
OPEN = {
    "GET /": "leads to the API page",
    "GET /docs": "the API page",
    "GET /docs/oauth2-redirect": "part of the API page",
    "GET /redoc": "the API page, for reading",
    "GET /live": "asked by orchestrators, says nothing",
    "GET /ready": "asked by orchestrators and balancers",
    "GET /health": "open while SYNCLINE_OPEN_DIAGNOSTICS is on",
    "GET /api/health": "the same",
    "GET /metrics": "open while SYNCLINE_OPEN_DIAGNOSTICS is on",
    "GET /api/metrics": "the same",
    "GET /api/database/performance": "the same; figures, and nothing of anybody",
    "GET /api/auth/providers": "names of what one can sign in with, for the page that asks",
    "GET /api/full-sync/status/{job_id}": "for whoever knows the run's id, which is 128 random bits",
    "GET /api/auth/openid/callback/{provider}": "checks the state, the browser's cookie and what the provider signed",
    "GET /api/shopify/oauth/callback": "checks the state, the browser's cookie and what Shopify signed",
    "GET /.well-known/jwks.json": "public keys, for whoever checks access tokens",
}

# How one comes to a credential cannot ask for one; each checks a secret of its own, and limits how often.
OPEN_WRITES = {
    "POST /api/auth/register": "makes the tenant",
    "POST /api/auth/login": "checks the password",
    "POST /api/auth/login/second-step": "checks the challenge and the code",
    "POST /api/auth/openid/start": "leads to a provider, and keeps what has to come back",
    "POST /api/auth/refresh": "checks the refresh token",
    "POST /api/auth/verify-email": "checks the token of the mail",
    "POST /api/auth/forgot-password": "tells nothing, and mails only the account's own address",
    "POST /api/auth/reset-password": "checks the token of the mail",
    "POST /api/invitations/look": "checks the token of the mail",
    "POST /api/invitations/accept": "checks the token of the mail",
    "POST /api/auth/logout": "checks the refresh token",
    "POST /api/outreach/webhooks/receive/{token}": "checks the address itself, and the secret or signature",
}

# Names of what is told of people; an answer with one of them shows people.
PERSONAL = frozenset(
    {"address1", "customer", "customers", "email", "first_name", "last_name", "phone", "recipient", "shipping_address"}
)
# Reads that show a person nothing but himself, or a stream that holds no people.
NO_PEOPLE = {
    "GET /api/auth/me": "oneself",
    "GET /api/auth/identities": "one's own",
    "GET /api/shopify/stores/{name}/export": "products and stock",
    "GET /api/enhanced-sync/templates": "made-up goods",
    "GET /docs": "a page",
}


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return create_app(None, APPS)


def by_address(app: FastAPI) -> dict[str, str | None]:
    return {
        f"{method} {route.path_format}": permission_of(route)
        for route in api_routes(app)
        for method in sorted(route.methods or set())
    }


def test_every_route_declares_its_permission_or_is_open_for_a_reason(app: FastAPI) -> None:
    assert {address for address, permission in by_address(app).items() if permission is None} == {*OPEN, *OPEN_WRITES}


def test_whoever_tries_a_secret_is_counted_as_signing_in(app: FastAPI) -> None:
    limits = {
        f"{method} {route.path_format}": limit_named_by(route)
        for route in api_routes(app)
        for method in sorted(route.methods or set())
    }
    # A refresh token has 256 bits: nobody guesses it, and an office behind one address renews many.
    unguessable = {
        "POST /api/auth/refresh",
        "POST /api/auth/logout",
        "POST /api/outreach/webhooks/receive/{token}",
    }
    assert {limits[address] for address in OPEN_WRITES.keys() - unguessable} == {"sign-in"}


def test_every_limit_that_a_route_names_is_declared(app: FastAPI) -> None:
    named = {limit_named_by(route) for route in api_routes(app)} - {None}
    assert named - {policy.name for policy in POLICIES} == set()


def test_every_permission_is_one_that_some_role_holds(app: FastAPI) -> None:
    asked = {permission for permission in by_address(app).values() if permission is not None}
    assert asked - all_permissions() == set()


def test_no_two_routes_share_an_address(app: FastAPI) -> None:
    addresses = [
        f"{method} {route.path_format}" for route in api_routes(app) for method in sorted(route.methods or set())
    ]
    assert sorted(addresses) == sorted(set(addresses))


def test_every_route_has_a_summary_a_tag_and_its_own_operation_id(app: FastAPI) -> None:
    operations = [
        (f"{method.upper()} {path}", operation)
        for path, methods in app.openapi()["paths"].items()
        for method, operation in methods.items()
    ]
    assert [where for where, one in operations if not one.get("summary") or not one.get("tags")] == []
    ids = [one["operationId"] for _, one in operations]
    assert sorted(ids) == sorted(set(ids))


def test_every_write_is_protected_even_from_a_forgotten_permission(app: FastAPI) -> None:
    writes = {address for address in by_address(app) if not address.startswith("GET ")}
    assert writes & {*OPEN, *OPEN_WRITES} == set(OPEN_WRITES)


def names_in(schema: dict[str, Any], parts: dict[str, Any], seen: frozenset[str] = frozenset()) -> set[str]:
    """Every property's name in a schema and in those it refers to."""
    reference = str(schema.get("$ref", "")).rpartition("/")[2]
    if reference:
        return set() if reference in seen else names_in(parts[reference], parts, seen | {reference})
    found = set(schema.get("properties", {}))
    inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", []), *schema.get("allOf", [])]
    inner += [one for one in (schema.get("items"), schema.get("additionalProperties")) if isinstance(one, dict)]
    return found.union(*(names_in(one, parts, seen) for one in inner))


def personal_names(app: FastAPI, route: APIRoute) -> set[str]:
    document = app.openapi()
    operation = document["paths"].get(route.path_format, {}).get("get", {})
    contents = operation.get("responses", {}).get("200", {}).get("content", {})
    schemas = [one.get("schema", {}) for one in contents.values()]
    return set().union(*(names_in(one, document["components"]["schemas"]) for one in schemas)) & PERSONAL


def test_a_read_that_shows_people_says_so_and_leaves_an_entry(app: FastAPI) -> None:
    reads = [route for route in api_routes(app) if "GET" in (route.methods or set())]
    showing = {f"GET {route.path_format}" for route in reads if personal_names(app, route)}
    streams = {
        f"GET {route.path_format}"
        for route in reads
        if isinstance(route.response_class, type) and issubclass(route.response_class, StreamingResponse)
    }
    declared = {f"GET {route.path_format}" for route in reads if shows_people(route)}
    assert {"GET /api/members", "GET /api/invitations"} <= showing & declared
    assert (showing | streams) - declared - set(NO_PEOPLE) == set()
