"""How a sandbox store behaves; what the command line and tests choose."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_SCOPES = frozenset({
    "write_products", "write_inventory", "read_locations", "write_orders", "read_all_orders", "write_customers",
    "write_files", "read_publications",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    token: str = "shpat_sandbox"  # noqa: S105 - the double's own, worth nothing elsewhere
    client_secrets: tuple[str, ...] = ("shpss_sandbox",)
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

    def granted(self) -> frozenset[str]:
        """The scopes with what they imply: writing implies reading."""
        return self.scopes | {"read_" + one.removeprefix("write_") for one in self.scopes if one.startswith("write_")}
