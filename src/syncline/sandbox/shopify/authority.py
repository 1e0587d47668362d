"""What the shop has granted to apps: codes, access tokens, refresh tokens; which are good, and for how long.

From shopify.dev, "About offline access tokens" and the changelog, November 2026: an expiring offline token lasts an
hour and its refresh token 90 days. Since 28 August 2026 a refresh token that was used may be used again until its
replacement is, for at most 30 days after its first use; before that date for one hour. Whether the same pair comes back
then is not documented: here it is a new one. That an access token lives on when a newer one was issued is our reading
too.
"""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from syncline.kernel import clock
from syncline.sandbox.shopify.options import SandboxOptions, with_implied

CODE_LASTS = timedelta(minutes=1)
ONLINE_LASTS = timedelta(seconds=86_399)
RETRIED_FOR = timedelta(days=30)


class GrantRefused(Exception):
    """`status` with `{"error", "error_description"}`."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


@dataclass(slots=True)
class Code:
    client_id: str
    scopes: frozenset[str]
    is_online: bool
    expires_at: datetime


@dataclass(slots=True)
class Access:
    client_id: str
    scopes: frozenset[str]
    expires_at: datetime | None


@dataclass(slots=True)
class Refresh:
    client_id: str
    scopes: frozenset[str]
    expires_at: datetime
    parent: str | None = None
    first_used_at: datetime | None = None
    is_retired: bool = False


@dataclass(slots=True)
class Authority:
    """Times are by the kernel's clock, so that tests can move them."""

    codes: dict[str, Code] = field(default_factory=dict)
    tokens: dict[str, Access] = field(default_factory=dict)
    refreshes: dict[str, Refresh] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    withheld: frozenset[str] = frozenset()
    """Scopes that the merchant has taken back, from every token."""
    others: dict[str, list[str]] = field(default_factory=dict)
    """Secrets, the oldest first, of further apps, by client id."""
    granted: Counter[str] = field(default_factory=Counter)
    """Tokens issued, by the kind of grant."""
    refused: Counter[str] = field(default_factory=Counter)

    def scopes_of(self, token: str | None, options: SandboxOptions) -> frozenset[str] | None:
        """What a token may do now, with what writing implies; None for one that is not good."""
        if token is None or token in self.revoked:
            return None
        if token == options.token:
            return options.granted() - self.withheld
        found = self.tokens.get(token)
        if found is None or (found.expires_at is not None and found.expires_at <= clock.now()):
            return None
        return with_implied(found.scopes) - self.withheld

    def new_code(self, client_id: str, scopes: frozenset[str], *, is_online: bool) -> str:
        code = secrets.token_hex(16)
        self.codes[code] = Code(client_id, scopes, is_online, clock.now() + CODE_LASTS)
        return code

    def take_code(self, code: str, client_id: str) -> Code:
        """Once. Raises `GrantRefused`."""
        found = self.codes.pop(code, None)
        if found is None or found.client_id != client_id or found.expires_at <= clock.now():
            raise GrantRefused("invalid_request", "The authorization code was not found or was already used")
        return found

    def issue(
        self,
        client_id: str,
        scopes: frozenset[str],
        *,
        lasts: timedelta | None,
        refresh_lasts: timedelta | None = None,
        parent: str | None = None,
        prefix: str = "shpat",
    ) -> dict[str, Any]:
        """The answer's body. `lasts` None: for good; with `refresh_lasts` a refresh token comes along."""
        token = f"{prefix}_{secrets.token_hex(16)}"
        now = clock.now()
        self.tokens[token] = Access(client_id, scopes, None if lasts is None else now + lasts)
        body: dict[str, Any] = {"access_token": token, "scope": ",".join(sorted(scopes))}
        if lasts is not None:
            body["expires_in"] = int(lasts.total_seconds())
        if refresh_lasts is not None:
            refresh = f"shprt_{secrets.token_hex(16)}"
            self.refreshes[refresh] = Refresh(client_id, scopes, now + refresh_lasts, parent)
            body |= {"refresh_token": refresh, "refresh_token_expires_in": int(refresh_lasts.total_seconds())}
        return body

    def use_refresh(self, token: str, client_id: str) -> Refresh:
        """Whoever uses a replacement retires what it replaced. Raises `GrantRefused`; as seen on live shops in June
        2026 that is a 401."""
        found, now = self.refreshes.get(token), clock.now()
        is_good = found is not None and found.client_id == client_id and not found.is_retired and now < found.expires_at
        if (
            found is None
            or not is_good
            or (found.first_used_at is not None and now >= found.first_used_at + RETRIED_FOR)
        ):
            raise GrantRefused("invalid_request", "This request requires an active refresh_token", 401)
        found.first_used_at = found.first_used_at or now
        for name, other in self.refreshes.items():
            is_sibling = found.parent is not None and other.parent == found.parent and name != token
            if name == found.parent or is_sibling:
                other.is_retired = True
        return found

    def uninstall(self, client_id: str, options: SandboxOptions) -> int:
        """Takes every token of the app away, and with its own app's the fixed one. Answers how many."""
        gone = [token for token, access in self.tokens.items() if access.client_id == client_id]
        for token in gone:
            del self.tokens[token]
        for refresh in self.refreshes.values():
            refresh.is_retired = refresh.is_retired or refresh.client_id == client_id
        if client_id == options.client_id:
            self.revoked.add(options.token)
        return len(gone)
