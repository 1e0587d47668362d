"""How a sandbox store behaves; what the command line and tests choose."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_SCOPES = frozenset({
    "write_products", "write_inventory", "read_locations", "write_orders", "read_all_orders", "write_customers",
    "write_files", "read_publications",
})  # fmt: skip


LOOPBACK = frozenset({"127.0.0.1", "localhost", "testserver", "::1"})


def with_implied(scopes: frozenset[str]) -> frozenset[str]:
    """Writing implies reading."""
    return scopes | {"read_" + one.removeprefix("write_") for one in scopes if one.startswith("write_")}


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    token: str = "shpat_sandbox"  # noqa: S105 - the double's own, worth nothing elsewhere
    client_secrets: tuple[str, ...] = ("shpss_sandbox_secret",)
    """The app's, oldest first: webhooks are signed with the first."""
    plan: str = "standard"  # standard | advanced | plus | enterprise
    limits: bool = True
    """Off: no bucket and no THROTTLED; the cost is still told."""
    scopes: frozenset[str] = DEFAULT_SCOPES
    versions: tuple[str, ...] = ("2025-10", "2026-01", "2026-04", "2026-07", "2026-10", "unstable")
    """Served API versions, oldest first. Any other is answered by the oldest."""
    shop_domain: str | None = None
    """When set, requests for another Host than this (or loopback) get 404."""
    faults: str = ""
    """Faults from the start, in the syntax of `faults.parse_faults`."""
    seed: int = 1
    """Of faults with a probability."""
    pagination_limit: int = 25_000
    bulk_seconds: float = 0.0
    """How long a bulk operation takes at least."""
    async_operation_seconds: float = 1.0
    """How long an asynchronous productSet stays CREATED and ACTIVE."""

    client_id: str = "sandbox-app"
    """Of the app that may be installed by OAuth."""
    consent: bool = False
    """On: the consent page waits for somebody to press Install. Off: it sends the browser back at once."""
    redirect_urls: tuple[str, ...] = ()
    """Where the consent page may send the browser; when empty, any address on this machine."""
    access_seconds: float = 3_600
    """How long an expiring offline token lasts."""
    refresh_seconds: float = 7_776_000

    def granted(self) -> frozenset[str]:
        """The scopes with what they imply."""
        return with_implied(self.scopes)
