"""Mail over a real SMTP server, in a process of its own."""

from __future__ import annotations

import email
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from syncline.kernel.errors import Fatal, Retriable
from syncline.runtime.jobs.testing import eventually
from syncline.runtime.mail import Mail, SmtpMailer, SmtpServer, parse_smtp_url

# Takes mail but for two addresses, which it refuses for good and for now.
_HANDLER = """
from aiosmtpd.handlers import Mailbox

class Choosy(Mailbox):
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 5.1.1 no such mailbox"
        if address.startswith("later@"):
            return "451 4.7.1 greylisted, try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"
"""


@dataclass(frozen=True)
class PostOffice:
    port: int
    folder: Path

    def read(self) -> list[EmailMessage]:
        found = []
        for path in sorted((self.folder / "new").iterdir()):
            message = email.message_from_bytes(path.read_bytes(), policy=default)
            assert isinstance(message, EmailMessage)
            found.append(message)
        return found


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PostOffice]:
    (tmp_path / "choosy.py").write_text(_HANDLER)
    port, folder = free_port(), tmp_path / "mailbox"
    command = [sys.executable, "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{port}", "-c", "choosy.Choosy", str(folder)]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(tmp_path)})
    yield PostOffice(port, folder)
    process.terminate()
    process.wait(timeout=60)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port


def listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def mailer_for(server: PostOffice) -> SmtpMailer:
    return SmtpMailer(parse_smtp_url(f"smtp://127.0.0.1:{server.port}"), sender="Syncline <syncline@example.com>")


def mail(to: str = "ada@example.com") -> Mail:
    return Mail(
        id="0123abcd", to=to, subject="Bestätige deine Adresse", text="Grüße an Ada\n\nhttps://syncline.test/#x\n"
    )


@pytest.mark.process
async def test_a_mail_arrives_to_the_character(server: PostOffice) -> None:
    await eventually(lambda: listens(server.port))
    await mailer_for(server).send(mail())
    (arrived,) = server.read()
    assert (arrived["To"], arrived["From"]) == ("ada@example.com", "Syncline <syncline@example.com>")
    assert arrived["Subject"] == "Bestätige deine Adresse"
    assert arrived["Message-ID"] == "<0123abcd@syncline>"
    assert arrived["Auto-Submitted"] == "auto-generated"
    assert arrived.get_content().replace("\r\n", "\n") == mail().text


@pytest.mark.process
async def test_an_address_that_is_refused_for_good_is_fatal_and_one_for_now_is_not(server: PostOffice) -> None:
    await eventually(lambda: listens(server.port))
    with pytest.raises(Fatal, match="does not take mail for this address"):
        await mailer_for(server).send(mail("nobody@example.com"))
    with pytest.raises(Retriable):
        await mailer_for(server).send(mail("later@example.com"))
    assert server.read() == []


async def test_a_server_that_is_away_is_asked_again() -> None:
    away = SmtpMailer(SmtpServer("127.0.0.1", free_port(), use_tls=False, start_tls=None), sender="a@example.com")
    with pytest.raises(Retriable, match="cannot be reached"):
        await away.send(mail())


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example.com", SmtpServer("mail.example.com", 587, use_tls=False, start_tls=None)),
        ("smtps://mail.example.com", SmtpServer("mail.example.com", 465, use_tls=True, start_tls=False)),
        (
            "smtp://ada%40example.com:p%3Aw@mail.example.com:2525",
            SmtpServer(
                "mail.example.com", 2525, use_tls=False, start_tls=True, username="ada@example.com", password="p:w"
            ),
        ),
        (
            "smtp://ada:pw@127.0.0.1:2525",
            SmtpServer("127.0.0.1", 2525, use_tls=False, start_tls=None, username="ada", password="pw"),
        ),
    ],
)
def test_a_url_is_read_and_a_password_is_never_sent_in_clear(url: str, expected: SmtpServer) -> None:
    assert parse_smtp_url(url) == expected
    assert "pw" not in repr(parse_smtp_url(url))


@pytest.mark.parametrize(
    "url", ["", "mail.example.com", "http://mail.example.com", "smtp://", "smtp://a/b", "smtp://a:x"]
)
def test_what_is_no_such_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"smtp|[Pp]ort"):
        parse_smtp_url(url)
