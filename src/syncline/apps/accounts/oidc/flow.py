"""What goes with somebody to a provider and has to come back with him. Pure, but for chance.

`state` is in the address and must meet the cookie of the browser that began: nobody is signed in by an answer that was
meant for somebody else. `nonce` ties the ID token to this one sign-in, the code verifier (PKCE, RFC 7636) ties the code
to it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlencode, urlsplit, urlunsplit

from syncline.kernel.errors import FieldError, InvalidInput

LIFETIME = timedelta(minutes=10)
SCOPES = "openid email profile"
_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]{0,500}")
_STATE = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Secrets:
    """`state` and `browser` leave us and are stored as digests; nonce and verifier are stored sealed."""

    state: str = field(repr=False)
    browser: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)

    def sealed_part(self) -> str:
        return json.dumps([self.nonce, self.verifier])


def new_secrets() -> Secrets:
    return Secrets(*(secrets.token_urlsafe(32) for _ in range(4)))


def opened(text: str) -> tuple[str, str]:
    """Nonce and verifier."""
    nonce, verifier = json.loads(text)
    return str(nonce), str(verifier)


def digest(text: str) -> bytes:
    """A fast hash is right for 256 random bits."""
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


def cookie_of(state: str) -> str | None:
    """The name of the cookie that goes with a state: each sign-in has its own, so that two tabs do not meet. None for
    what no state of ours is."""
    return f"syncline-openid-{state[:12]}" if _STATE.fullmatch(state) else None


def challenge(verifier: str) -> str:
    """S256 of RFC 7636."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def authorization_url(endpoint: str, *, client_id: str, redirect_uri: str, made: Secrets) -> str:
    asked = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": SCOPES,
        "state": made.state,
        "nonce": made.nonce,
        "code_challenge": challenge(made.verifier),
        "code_challenge_method": "S256",
    }
    parts = urlsplit(endpoint)
    query = "&".join(part for part in (parts.query, urlencode(asked)) if part)
    return urlunsplit(parts._replace(query=query, fragment=""))


def checked_return(path: str) -> str:
    """A path of ours: never another site's, however it is written. Raises `InvalidInput`."""
    if not _PATH.fullmatch(path):
        wrong = FieldError("return_to", "must be a path like /stores")
        raise InvalidInput("Come back to a page of ours: give a path like /stores.", fields=[wrong])
    return path
