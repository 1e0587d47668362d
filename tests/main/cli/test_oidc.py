"""A tenant's sign-in providers on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from joserfc.jwk import ECKey
from typer.testing import Result

Run = Callable[..., Result]
SECRET = "s3cret-of-the-client"


class Answers(BaseHTTPRequestHandler):
    """What a provider says of itself."""

    def __init__(self, bodies: dict[str, object], *rest: object) -> None:
        self.bodies = bodies
        super().__init__(*rest)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self.send_response(200 if self.path in self.bodies else 404)
        self.end_headers()
        self.wfile.write(json.dumps(self.bodies.get(self.path, {})).encode())

    def log_message(self, *_: object) -> None:
        """Nothing on standard error."""


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    bodies: dict[str, object] = {}
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Answers, bodies)) as server:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        bodies["/.well-known/openid-configuration"] = {
            "issuer": url,
            "authorization_endpoint": f"{url}/authorize",
            "token_endpoint": f"{url}/token",
            "jwks_uri": f"{url}/keys",
        }
        bodies["/keys"] = {"keys": [ECKey.generate_key("P-256", {"kid": "one"}).as_dict(private=False)]}
        monkeypatch.setenv("SYNCLINE_OUTGOING_ALLOW", "127.0.0.0/8")
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield url
        server.shutdown()
        thread.join()


def add(run: Run, issuer: str, *more: str) -> Result:
    return run(
        "oidc", "add", "house", issuer, "--client-id", "us", "--secret-stdin", "--json", *more, stdin=f"{SECRET}\n"
    )


def test_a_provider_is_added_tried_out_listed_and_removed(on_database: Run, issuer: str) -> None:
    made = json.loads(add(on_database, issuer, "--new-people", "learner").stdout)
    assert (made["name"], made["title"], made["has_secret"]) == ("house", "house", True)
    assert made["redirect_uri"].endswith(f"/api/auth/openid/callback/{made['id']}")
    tried = json.loads(on_database("oidc", "test", "house", "--json").stdout)
    assert (tried["authorization_endpoint"], tried["keys"]) == (f"{issuer}/authorize", 1)
    assert json.loads(on_database("oidc", "list", "--json").stdout) == {"providers": [made]}
    assert on_database("oidc", "remove", made["id"]).exit_code == 0
    assert "oidc add" in on_database("oidc", "list").stdout


def test_the_trail_has_who_added_and_removed_it_and_never_the_secret(on_database: Run, issuer: str) -> None:
    add(on_database, issuer)
    on_database("oidc", "remove", "house")
    told = on_database("audit", "list", "--json").stdout
    actions = [one["action"] for one in json.loads(told)["entries"]]
    assert {"sign_in_provider.create", "sign_in_provider.delete", "syncline oidc add"} <= set(actions)
    assert SECRET not in told


def test_one_that_does_not_answer_is_not_kept(on_database: Run, issuer: str) -> None:
    refused = add(on_database, f"{issuer}/elsewhere")
    assert (refused.exit_code, json.loads(refused.stdout)["code"]) == (3, "OIDC_003")
    assert json.loads(on_database("oidc", "list", "--json").stdout) == {"providers": []}


def test_inside_the_network_it_needs_the_operators_leave(
    on_database: Run, issuer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SYNCLINE_OUTGOING_ALLOW")
    refused = add(on_database, issuer.replace("http:", "https:"))
    assert (refused.exit_code, json.loads(refused.stdout)["code"]) == (2, "NET_001")


def test_what_is_not_there_is_named(on_database: Run) -> None:
    for told in (("test", "house"), ("remove", "house")):
        done = on_database("oidc", *told)
        assert (done.exit_code, "house" in done.stderr) == (1, True)


def test_a_secret_that_was_promised_and_not_given_is_exit_2(on_database: Run, issuer: str) -> None:
    done = on_database("oidc", "add", "house", issuer, "--client-id", "us", "--secret-stdin", stdin="\n")
    assert (done.exit_code, "holds no secret" in done.stderr) == (2, True)
