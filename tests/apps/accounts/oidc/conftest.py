"""A real OpenID provider in a process of its own, and a crooked one whose every answer a test can bend."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.fernet import Fernet
from joserfc import jwt
from joserfc.jwk import RSAKey
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from syncline.apps.accounts.app import APP
from syncline.apps.accounts.settings import AccountsSettings, OpenIdProvider
from syncline.kernel import clock
from syncline.main.compose import personal_data_of
from syncline.runtime.app import Runtime
from syncline.runtime.connect.guard import Guard
from syncline.runtime.db.engine import Database
from syncline.runtime.jobs.testing import FakeJobQueue
from syncline.runtime.secrets import SecretBox
from syncline.sandbox.server import running

PEOPLE = (
    {"sub": "ada-at-work", "email": "ada@example.com", "email_verified": True, "name": "Ada Lovelace"},
    {"sub": "bob-at-work", "email": "bob@example.com", "email_verified": True, "name": "Bob"},
    {"sub": "unsure", "email": "ada@example.com", "email_verified": False},
    {"sub": "silent"},
)


@pytest.fixture(scope="session")
def real_provider() -> Iterator[str]:
    """Its issuer. One process for all tests: it keeps nothing that they share but the people above."""
    port = free_port()
    people = [part for one in PEOPLE for part in ("--user-claims", json.dumps(one))]
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce", "true", *people]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while not answers(port):
        assert process.poll() is None
        time.sleep(0.05)  # between two looks: the process does not say when it listens
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(timeout=60)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@cache
def _first_key() -> RSAKey:
    """The same for all tests: making one takes longer than a sign-in."""
    return RSAKey.generate_key(2048, {"kid": "one"})


@dataclass
class Crooked:
    """A provider that does as told: `claims` and `header` go over those of an honest ID token, `answers` replaces
    whole answers by path. It checks PKCE and the client, as an honest one does."""

    issuer: str = ""
    client_id: str = "syncline"
    client_secret: str = "s3cret of:the client"
    claims: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Callable[[], Response]] = field(default_factory=dict)
    keys: list[RSAKey] = field(default_factory=lambda: [_first_key()])
    published: list[RSAKey] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    sign: Callable[[dict[str, Any]], str] | None = None
    asked: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def app(self) -> Starlette:
        paths = {
            "/.well-known/openid-configuration": self._discovery,
            "/keys": self._jwks,
            "/token": self._token,
            "/userinfo": self._userinfo,
        }
        return Starlette(
            routes=[Route(path, self._bent(path, one), methods=["GET", "POST"]) for path, one in paths.items()]
        )

    def _bent(self, path: str, honest: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            self.calls.append(path)
            bent = self.answers.get(path)
            made: Response = await honest(request) if bent is None else bent()
            return made

        return answer

    async def _discovery(self, _: Request) -> Response:
        here = self.issuer
        body = {
            "issuer": here,
            "authorization_endpoint": f"{here}/authorize?tenant=common",
            "token_endpoint": f"{here}/token",
            "jwks_uri": f"{here}/keys",
            "userinfo_endpoint": f"{here}/userinfo",
        }
        return JSONResponse({name: value for name, value in {**body, **self.metadata}.items() if value is not None})

    async def _jwks(self, _: Request) -> Response:
        keys = self.keys if self.published is None else self.published
        return JSONResponse({"keys": [key.as_dict(private=False) for key in keys]})

    async def _token(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proved = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode() == self.asked["code_challenge"]
        basic = base64.b64encode(b"syncline:s3cret%20of%3Athe%20client").decode()
        known = (
            request.headers.get("authorization") == f"Basic {basic}" or form.get("client_secret") == self.client_secret
        )
        same = form.get("redirect_uri") == self.asked["redirect_uri"] and form.get("code") == "the-code"
        if not (proved and known and same):
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        return JSONResponse({"access_token": "at", "token_type": "Bearer", "id_token": self.id_token()})

    async def _userinfo(self, request: Request) -> Response:
        assert request.headers["authorization"] == "Bearer at"
        return JSONResponse(self.userinfo)

    def id_token(self) -> str:
        now = int(clock.now().timestamp())
        honest = {
            "iss": self.issuer,
            "aud": self.client_id,
            "sub": "ada-there",
            "email": "ada@example.com",
            "email_verified": True,
            "name": "Ada Lovelace",
            "nonce": self.asked.get("nonce"),
            "iat": now,
            "exp": now + 300,
        }
        body = {name: value for name, value in {**honest, **self.claims}.items() if value is not None}
        if self.sign is not None:
            return self.sign(body)
        key = self.keys[-1]
        return jwt.encode({"alg": "RS256", "kid": key.kid}, body, key, algorithms=["RS256"])

    def lead_back(self, url: str, **more: str) -> str:
        """What the browser is sent back to when the person has agreed."""
        asked = self.asked = {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}
        back = {"code": "the-code", "state": asked["state"], **more}
        return f"{asked['redirect_uri']}?{httpx.QueryParams(back)}"


@pytest.fixture
async def crooked() -> AsyncIterator[Crooked]:
    made = Crooked()
    async with running(made.app()) as made.issuer:
        yield made


@pytest.fixture
def settings(real_provider: str, crooked: Crooked) -> AccountsSettings:
    """Two providers of the installation."""
    return AccountsSettings(
        hash_memory_kib=8,
        hash_passes=1,
        hash_lanes=1,
        public_url="http://syncline.test",
        openid_providers=(
            OpenIdProvider(name="work", issuer=real_provider, client_id="us", client_secret=SecretStr("ours")),
            OpenIdProvider(
                name="crooked",
                title="The crooked one",
                issuer=crooked.issuer,
                client_id=crooked.client_id,
                client_secret=SecretStr(crooked.client_secret),
            ),
        ),
    )


@pytest.fixture
def guard() -> Guard:
    """The operator lets tenants name providers on this machine."""
    return Guard(networks=(ip_network("127.0.0.0/8"),))


@pytest.fixture
def runtime(database: Database, settings: AccountsSettings, guard: Guard, tmp_path: Path) -> Runtime:
    return Runtime(
        database=database,
        queue=FakeJobQueue(APP.jobs),
        secrets=SecretBox([Fernet.generate_key().decode()]),
        settings={"accounts": settings},
        personal_data=personal_data_of([APP]),
        erasure_list=tmp_path / "erasures.jsonl",
        guard=guard,
    )


async def agree(url: str, sub: str, *, action: str = "") -> str:
    """What a person does at the real provider: opens its page, chooses who he is, and is sent back."""
    async with httpx.AsyncClient(verify=False) as browser:
        page = await browser.get(url)
        assert page.status_code == 200, page.text
        answer = await browser.post(url, data={"action": action} if action else {"sub": sub})
    assert answer.status_code == 302, answer.text
    return re.sub(r"^http://syncline\.test", "", answer.headers["location"])
