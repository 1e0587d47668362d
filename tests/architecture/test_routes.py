from __future__ import annotations

import pytest
from fastapi import FastAPI

from syncline.kernel.tenant import all_permissions
from syncline.main.targets import APPS
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
    "GET /.well-known/jwks.json": "public keys, for whoever checks access tokens",
}

# How one comes to a credential cannot ask for one; each checks a secret of its own, and limits how often.
OPEN_WRITES = {
    "POST /api/auth/register": "makes the tenant",
    "POST /api/auth/login": "checks the password",
    "POST /api/auth/login/second-step": "checks the challenge and the code",
    "POST /api/auth/refresh": "checks the refresh token",
    "POST /api/auth/verify-email": "checks the token of the mail",
    "POST /api/auth/forgot-password": "tells nothing, and mails only the account's own address",
    "POST /api/auth/reset-password": "checks the token of the mail",
    "POST /api/invitations/look": "checks the token of the mail",
    "POST /api/invitations/accept": "checks the token of the mail",
    "POST /api/auth/logout": "checks the refresh token",
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
    unguessable = {"POST /api/auth/refresh", "POST /api/auth/logout"}
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
