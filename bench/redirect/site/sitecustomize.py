"""Run by every Python that has this folder in PYTHONPATH, before its program: *.myshopify.com is this machine, at the
port in SYNCLINE_BENCH_TLS_PORT, and no other name leads anywhere, so that no program reports home what it measured.

Imports the standard library only: it runs in other programs' environments.
"""

from __future__ import annotations

import os
import socket
from typing import Any

_PORT = int(os.environ["SYNCLINE_BENCH_TLS_PORT"])
_HERE = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0", ""})
_resolve = socket.getaddrinfo


def _redirected(host: Any, port: Any, *more: Any, **named: Any) -> Any:
    name = (host.decode() if isinstance(host, bytes) else host or "").lower()
    if name.endswith(".myshopify.com"):
        return _resolve("127.0.0.1", _PORT, *more, **named)
    if name in _HERE:
        return _resolve(host, port, *more, **named)
    raise socket.gaierror(socket.EAI_NONAME, f"{name} is not reachable from a benchmark")


socket.getaddrinfo = _redirected
