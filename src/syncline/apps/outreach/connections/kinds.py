"""What each tool is reached with: its fields, which of them are secret, and a call that shows if they are right."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from syncline.connectors.attio.actions import check_workspace
from syncline.connectors.attio.client import CLOUD as ATTIO_CLOUD
from syncline.connectors.attio.client import AttioClient, AttioConfig
from syncline.connectors.lemlist.client import CLOUD as LEMLIST_CLOUD
from syncline.connectors.lemlist.client import LemlistClient, LemlistConfig
from syncline.connectors.lemlist.streams import read_campaigns
from syncline.connectors.mixpanel.client import MixpanelClient, MixpanelConfig
from syncline.connectors.mixpanel.streams import read_days
from syncline.connectors.smartlead.client import CLOUD as SMARTLEAD_CLOUD
from syncline.connectors.smartlead.client import PACES, SmartleadClient, SmartleadConfig
from syncline.connectors.smartlead.streams import list_campaigns
from syncline.kernel.errors import FieldError
from syncline.runtime.connect.retry import RetryPolicy

SOMEBODY_WAITS: Final = RetryPolicy(attempts=2, base=timedelta(milliseconds=300))
REGIONS: Final = {"us": "", "eu": "-eu", "in": "-in"}
UNLIMITED: Final = "none"
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Kind:
    """`secret` must be given; `facts` may be. `check` raises a connector outcome; what it answers is shown."""

    name: str
    secret: Sequence[str]
    facts: Mapping[str, str | None]
    """Name and default; None must be given."""
    check: Callable[[Mapping[str, Any]], Awaitable[str]]


def wrong_with(kind: Kind, given: Mapping[str, Any], *, allow_sandbox: bool) -> list[FieldError]:
    """Everything that can be said without asking the tool."""
    known = [*kind.secret, *kind.facts, "base_url"]
    wrong = [FieldError(name, f"{kind.name} takes {', '.join(known)}.") for name in sorted(given.keys() - set(known))]
    for name in (*kind.secret, *(fact for fact, default in kind.facts.items() if default is None)):
        told = given.get(name)
        if not isinstance(told, str) or not 0 < len(told) <= _LONGEST or not all("!" <= one <= "~" for one in told):
            wrong.append(FieldError(name, "It is missing, or has a blank or a special letter in it."))
    wrong += [
        FieldError(name, "It has a blank or a special letter in it.")
        for name, told in given.items()
        if told is not None and name in kind.facts and not str(told).isprintable()
    ]
    base_url = given.get("base_url")
    if base_url is not None and not (allow_sandbox and is_loopback(str(base_url))):
        wrong.append(
            FieldError("base_url", "Only a sandbox on this machine (a loopback address) may be given; leave it out.")
        )
    if "plan" in kind.facts:
        wrong += _wrong_plan(kind.name, given.get("plan"), is_sandbox=base_url is not None)
    if given.get("region") is not None and given["region"] not in REGIONS and kind.name == "mixpanel":
        wrong.append(FieldError("region", f"It is one of {', '.join(REGIONS)}."))
    return wrong


def _wrong_plan(name: str, plan: object, *, is_sandbox: bool) -> list[FieldError]:
    """Without limits of ours only where nobody else's are hurt; Smartlead's own documents know a plan without any."""
    known = list(PACES) if name == "smartlead" else ["standard", UNLIMITED]
    if plan is not None and plan not in known:
        return [FieldError("plan", f"It is one of {', '.join(known)}.")]
    if plan == UNLIMITED and name != "smartlead" and not is_sandbox:
        return [FieldError("plan", "Only a sandbox on this machine takes any number of requests; leave it out.")]
    return []


def is_loopback(url: str) -> bool:
    """Whether it is an address that calls go to as it stands, on this machine."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    is_clear = all("!" <= letter <= "~" for letter in url) and "@" not in parts.netloc and port != 0
    if parts.scheme not in {"http", "https"} or host is None or not is_clear or parts.query or parts.fragment:
        return False
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def lemlist_config(told: Mapping[str, Any]) -> LemlistConfig:
    return LemlistConfig(told["api_key"], told.get("base_url") or LEMLIST_CLOUD, told.get("plan") != UNLIMITED)


def smartlead_config(told: Mapping[str, Any]) -> SmartleadConfig:
    return SmartleadConfig(told["api_key"], told.get("base_url") or SMARTLEAD_CLOUD, told.get("plan") or "standard")


def mixpanel_config(told: Mapping[str, Any]) -> MixpanelConfig:
    suffix = REGIONS[told.get("region") or "us"]
    base = told.get("base_url")
    return MixpanelConfig(
        told["project"],
        told["username"],
        told["password"],
        f"https://api{suffix}.mixpanel.com" if base is None else base.rstrip("/"),
        f"https://data{suffix}.mixpanel.com/api/2.0" if base is None else f"{base.rstrip('/')}/api/2.0",
        told.get("plan") != UNLIMITED,
    )


def attio_config(told: Mapping[str, Any]) -> AttioConfig:
    return AttioConfig(told["access_token"], told.get("base_url") or ATTIO_CLOUD)


async def _check_lemlist(told: Mapping[str, Any]) -> str:
    async with LemlistClient(lemlist_config(told), retry=SOMEBODY_WAITS) as client:
        page = await anext(aiter(read_campaigns(client)))
    return f"{len(page.records)}{'+' if page.cursor else ''} campaigns"


async def _check_smartlead(told: Mapping[str, Any]) -> str:
    async with SmartleadClient(smartlead_config(told), retry=SOMEBODY_WAITS) as client:
        return f"{len(await list_campaigns(client))} campaigns"


async def _check_mixpanel(told: Mapping[str, Any]) -> str:
    """By an export of a day long ago: it costs one of 60 queries an hour, and shows that the account may read too."""
    day = datetime(2011, 1, 1, tzinfo=UTC).date()
    async with MixpanelClient(mixpanel_config(told), retry=SOMEBODY_WAITS) as client:
        await anext(aiter(read_days(client, day, day)))
    return f"project {told['project']}"


async def _check_attio(told: Mapping[str, Any]) -> str:
    async with AttioClient(attio_config(told), retry=SOMEBODY_WAITS) as client:
        return f"workspace {await check_workspace(client)}"


KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind("lemlist", ("api_key",), {"plan": "standard"}, _check_lemlist),
        Kind("smartlead", ("api_key",), {"plan": "standard"}, _check_smartlead),
        Kind(
            "mixpanel",
            ("password",),
            {"project": None, "username": None, "region": "us", "plan": "standard"},
            _check_mixpanel,
        ),
        Kind("attio", ("access_token",), {}, _check_attio),
    )
}
