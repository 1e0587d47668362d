"""What a provider is, and which addresses of one we accept. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from syncline.apps.accounts.settings import is_provider_name
from syncline.kernel.errors import FieldError, InvalidInput
from syncline.kernel.tenant import TenantId
from syncline.runtime.connect.guard import Guard


@dataclass(frozen=True, slots=True)
class Provider:
    """`key` names it in addresses and beside identities: the name of one of the installation, the id of a tenant's."""

    key: str
    name: str
    title: str
    issuer: str
    client_id: str
    client_secret: str | None = field(repr=False)
    tenant_id: TenantId | None = None
    """Whose it is. Its word is taken for that tenant only: the owner of a tenant may say who his people are, and
    nobody else's."""

    new_people_role: str | None = None


def checked_name(text: str) -> str:
    """Raises `InvalidInput`."""
    if not is_provider_name(text):
        wrong = FieldError("name", "must be 1 to 40 of a-z, 0-9 and -, beginning with a letter")
        raise InvalidInput("Name the provider in small letters, like company-login.", fields=[wrong])
    return text


def checked_issuer(text: str, guard: Guard) -> str:
    """The address of an issuer, which is compared letter by letter later. Raises `InvalidInput`, `AddressRefused`."""
    checked_address(text, guard, what="issuer")
    parts = urlsplit(text)
    # OpenID Connect Discovery 1.0, section 3.
    if parts.query or parts.fragment or "?" in text or "#" in text:
        wrong = FieldError("issuer", "must not hold a ? or a #")
        raise InvalidInput("The issuer is the plain address of the provider, without ? and #.", fields=[wrong])
    return text


def checked_address(text: str, guard: Guard, *, what: str) -> str:
    """Only https, but for hosts that the operator opened by name. Raises `InvalidInput`, `AddressRefused`."""
    guard.check(text)
    if not text.lower().startswith("https://") and not guard.excepts(text):
        wrong = FieldError(what, "must begin with https://")
        raise InvalidInput("A sign-in provider is called over https only.", fields=[wrong])
    return text
