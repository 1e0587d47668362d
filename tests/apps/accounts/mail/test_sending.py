from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from syncline.apps.accounts.facade import LocalKeyRing
from syncline.kernel.errors import Fatal, Retriable
from syncline.runtime.app import Runtime
from syncline.runtime.jobs.testing import FakeJobQueue
from syncline.runtime.mail import Mail

Signed = dict[str, Any]


@dataclass
class Postman:
    """A mailer that remembers, and refuses as often as told."""

    sent: list[Mail] = field(default_factory=list)
    refusals: list[Exception] = field(default_factory=list)

    async def send(self, mail: Mail) -> None:
        if self.refusals:
            raise self.refusals.pop()
        self.sent.append(mail)


async def run(runtime: Runtime) -> int:
    assert isinstance(runtime.queue, FakeJobQueue)
    return await runtime.queue.run_waiting(runtime)


async def test_without_a_server_a_mail_is_kept_for_the_operator(
    ada: Signed, runtime: Runtime, ring: LocalKeyRing
) -> None:
    assert await run(runtime) == 1
    (kept,) = await ring.list_mails()
    assert (kept.recipient, kept.kind, kept.sent_at) == ("ada@example.com", "verify_email", None)
    assert "#token=slo_" in (kept.text or "")


async def test_the_log_does_not_hold_what_the_mail_does(
    ada: Signed, runtime: Runtime, ring: LocalKeyRing, capfd: pytest.CaptureFixture[str]
) -> None:
    await run(runtime)
    (kept,) = await ring.list_mails()
    token = (kept.text or "").split("#token=")[1].split()[0]
    told = "".join(capfd.readouterr())
    assert "syncline users outbox" in told
    assert token not in told


async def test_a_mail_that_is_sent_loses_its_text(ada: Signed, runtime: Runtime, ring: LocalKeyRing) -> None:
    runtime.mailer = postman = Postman()
    await run(runtime)
    (sent,) = postman.sent
    assert sent.to == "ada@example.com"
    assert "#token=slo_" in sent.text
    (noted,) = await ring.list_mails()
    assert noted.sent_at is not None
    assert noted.text is None


async def test_a_mail_is_not_sent_twice_by_a_job_that_runs_twice(ada: Signed, runtime: Runtime) -> None:
    runtime.mailer = postman = Postman()
    assert isinstance(runtime.queue, FakeJobQueue)
    runtime.queue.waiting *= 2
    await run(runtime)
    assert len(postman.sent) == 1


async def test_a_refusal_for_good_is_noted_with_its_reason(ada: Signed, runtime: Runtime, ring: LocalKeyRing) -> None:
    runtime.mailer = Postman(refusals=[Fatal("The mail server does not take mail for this address.")])
    with pytest.raises(Fatal):
        await run(runtime)
    (noted,) = await ring.list_mails()
    assert noted.failed_at is not None
    assert noted.reason == "The mail server does not take mail for this address."


async def test_a_server_that_is_away_leaves_the_mail_to_be_sent_later(
    ada: Signed, runtime: Runtime, ring: LocalKeyRing
) -> None:
    runtime.mailer = Postman(refusals=[Retriable("The mail server cannot be reached.")])
    with pytest.raises(Retriable):
        await run(runtime)
    (waiting,) = await ring.list_mails()
    assert (waiting.sent_at, waiting.failed_at) == (None, None)
    assert waiting.text is not None
