"""What may be written to: addresses as people give them. Pure."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from syncline.apps.operations.contract import BadChannel, ChannelKind
from syncline.kernel.errors import FieldError
from syncline.runtime.connect.guard import AddressRefused, Guard

_MAIL = re.compile(r"[^@\s,;<>\"\\]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
_SLACK_HOSTS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
_LONGEST = 2_000


def check_address(kind: ChannelKind, target: str, guard: Guard) -> str:
    """What is shown of it: the mail address, or the host. Raises `BadChannel`.

    Whatever else a name leads to is judged when it is called: names change.
    """
    if len(target) > _LONGEST:
        raise _bad(f"An address has {_LONGEST:,} characters at most.")
    if kind is ChannelKind.EMAIL:
        if not _MAIL.fullmatch(target):
            raise _bad("Give one mail address, like ops@example.com.")
        return target
    try:
        host, _ = guard.check(target)
    except AddressRefused as refused:
        raise _bad(refused.sentence) from refused
    is_allowed = host in guard.hosts or _is_literally_allowed(host, guard)
    if urlsplit(target).scheme != "https" and not is_allowed:
        raise _bad("Give an https:// address: what is sent names stores and people.")
    if kind is ChannelKind.SLACK and host not in _SLACK_HOSTS and not is_allowed:
        raise _bad("A Slack webhook begins with https://hooks.slack.com/services/. Make one in Slack's app settings.")
    return host


def _is_literally_allowed(host: str, guard: Guard) -> bool:
    """An address in numbers, of a network that the operator allows."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in guard.networks)


def _bad(sentence: str) -> BadChannel:
    return BadChannel(sentence, fields=[FieldError("target", sentence)])
