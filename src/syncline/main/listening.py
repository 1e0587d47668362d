"""The socket a process listens on: one of its own, or one that was handed to it."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import MutableMapping

from syncline.kernel.errors import InvalidInput

_FIRST_HANDED_FD = 3
"""sd_listen_fds(3): where handed sockets begin."""


class BadAddress(InvalidInput):
    code = "CONF_003"
    title = "Cannot listen there"


def local_url(host: str, port: int) -> str:
    """What to type on this machine to reach a server that listens there."""
    shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - shown, not bound
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, taken before anything slow happens. Raises `BadAddress` with what to do."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio's own loop turns Nagle's delay off in what it accepts; else each answer on a
    # kept connection waits 40 ms for the client's acknowledgement. uvloop does so in any case.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise BadAddress(f"Port {port} is in use. Choose another with --port; 0 takes a free one.") from error
        if error.errno == errno.EACCES:
            raise BadAddress(f"Port {port} needs more rights than you have. Choose one above 1023.") from error
        raise BadAddress(f"Cannot listen on {host}:{port}: {error.strerror or error}.") from error
    listener.setblocking(False)
    return listener


def handed_listener(environment: MutableMapping[str, str], fd: int = _FIRST_HANDED_FD) -> socket.socket | None:
    """The listening socket that whoever started us holds open (systemd's socket activation); None without one.

    While it is held, what connects between two of us waits in its queue, and several of us may take from it: no restart
    refuses anybody. What told of it is taken out of `environment`, so that no child believes it. Raises `BadAddress`.
    """
    count, whose = environment.pop("LISTEN_FDS", ""), environment.pop("LISTEN_PID", "")
    environment.pop("LISTEN_FDNAMES", None)
    if not count or whose != str(os.getpid()):
        return None
    if count != "1":
        raise BadAddress(f"LISTEN_FDS says that {count} sockets were handed over; hand over one.")
    try:
        listener = socket.socket(fileno=fd)
        is_listening = bool(listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError as error:
        raise BadAddress(f"LISTEN_FDS is set, but descriptor {fd} is no socket: {error.strerror}.") from error
    if not is_listening or listener.family not in {socket.AF_INET, socket.AF_INET6}:
        listener.detach()
        raise BadAddress(f"The socket handed over as descriptor {fd} does not listen for TCP; see ListenStream=.")
    listener.set_inheritable(False)
    listener.setblocking(False)
    return listener
