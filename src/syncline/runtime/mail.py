"""Sending mail: one message to one person, over SMTP when a server is set.

Without one the runtime has no `Mailer`; whoever writes a mail keeps it where an operator can read it.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import unquote, urlsplit

import aiosmtplib
from aiosmtplib import (
    SMTPAuthenticationError,
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from syncline.kernel import clock
from syncline.kernel.errors import Fatal, Retriable

_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Mail:
    """`id` becomes the Message-ID: a mail that is sent twice after a crash is one to whoever receives it."""

    id: str
    to: str
    subject: str
    text: str = field(repr=False)


class Mailer(Protocol):
    async def send(self, mail: Mail) -> None:
        """Returns when the server has taken it. Raises `Retriable`, or `Fatal` when a person must act."""
        ...


@dataclass(frozen=True, slots=True)
class SmtpServer:
    host: str
    port: int
    use_tls: bool
    start_tls: bool | None
    """True: required; None: if offered."""
    username: str | None = None
    password: str | None = field(default=None, repr=False)


def parse_smtp_url(url: str) -> SmtpServer:
    """`smtp://user:password@host:587`, or `smtps://` for TLS from the first byte. Raises `ValueError`.

    A password is sent over TLS only, unless the server is on this machine.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.path.strip("/"):
        raise ValueError("must be like smtp://user:password@mail.example.com:587, or smtps://...")
    is_tls = parts.scheme == "smtps"
    username = unquote(parts.username) if parts.username else None
    needs_tls = username is not None and not _is_here(parts.hostname)
    return SmtpServer(
        host=parts.hostname,
        port=parts.port or (465 if is_tls else 587),
        use_tls=is_tls,
        start_tls=False if is_tls else (True if needs_tls else None),
        username=username,
        password=unquote(parts.password) if parts.password else None,
    )


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class SmtpMailer:
    """Sends each mail over a connection of its own: few are sent, and a kept one would be closed by the server."""

    def __init__(self, server: SmtpServer, *, sender: str, tls: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._sender = sender
        self._tls = tls

    async def send(self, mail: Mail) -> None:
        server = self._server
        try:
            await aiosmtplib.send(
                self._message(mail),
                hostname=server.host,
                port=server.port,
                username=server.username,
                password=server.password,
                use_tls=server.use_tls,
                start_tls=server.start_tls,
                tls_context=self._tls,
                timeout=_SECONDS,
            )
        except SMTPAuthenticationError as refused:
            raise Fatal(
                "The mail server refuses the user or password of SYNCLINE_SMTP_URL.", detail=str(refused)
            ) from None
        except SMTPRecipientsRefused as refused:
            codes = {one.code for one in refused.recipients}
            raise _outcome(max(codes), "The mail server does not take mail for this address.", refused) from None
        except SMTPResponseException as refused:
            raise _outcome(refused.code, "The mail server refuses this mail.", refused) from None
        except (SMTPException, OSError) as error:
            raise Retriable("The mail server cannot be reached.", detail=f"{type(error).__name__}: {error}") from error

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        message["From"] = self._sender
        message["To"] = mail.to
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(clock.now())
        message["Message-ID"] = f"<{mail.id}@syncline>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: keeps holiday replies away
        message.set_content(mail.text)
        return message


def _outcome(code: int, sentence: str, refused: SMTPException) -> Fatal | Retriable:
    # RFC 5321, 4.2.1: 4yz may work later, 5yz will not.
    kind = Fatal if code >= 500 else Retriable
    return kind(sentence, detail=str(refused), vendor_code=str(code))
