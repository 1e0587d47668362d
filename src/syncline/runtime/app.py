"""What an app declares about itself, and what it is given when it runs."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from pydantic import BaseModel

from syncline.runtime.bus import Handler
from syncline.runtime.connect.guard import Guard
from syncline.runtime.db.engine import Database
from syncline.runtime.db.migrate import MigrationSource
from syncline.runtime.jobs import Job, JobQueue, Schedule
from syncline.runtime.letters import Letters, LetterSource
from syncline.runtime.limits.limiter import Limiter
from syncline.runtime.limits.rates import RateBook
from syncline.runtime.mail import Mailer
from syncline.runtime.privacy.personal_data import PersonalData
from syncline.runtime.sealed import SealedColumn
from syncline.runtime.secrets import SecretBox

if TYPE_CHECKING:
    from fastapi import APIRouter

T = TypeVar("T")
S = TypeVar("S", bound=BaseModel)


@dataclass(frozen=True, kw_only=True)
class App:
    """The declaration in an app's `app.py`. Data only: making one starts nothing."""

    name: str
    """Also the name of its database schema and its migration branch."""

    migrations: Path
    settings: type[BaseModel]
    """Read from `SYNCLINE_<NAME>_<FIELD>`."""

    web: str | None = None
    """The module whose `WEB` says what is answered over HTTP. By its name, so that only a process that serves loads it:
    making all the routes is a third of the time in which a command is loaded."""

    jobs: Sequence[Job] = ()
    schedules: Sequence[Schedule] = ()
    handlers: Sequence[Handler] = ()
    provides: type | None = None
    """The interface in its `contract.py`."""

    sealed: Sequence[SealedColumn] = ()
    """Where its secrets lie, so that they follow a new key. tests/architecture finds one that is not listed."""

    build: Callable[[Runtime], object] | None = None
    """Makes the local implementation of `provides`; called once, after the contracts in `needs` exist."""

    needs: tuple[type, ...] = ()
    """Interfaces of other apps that this one calls."""

    letters: Callable[[Runtime], LetterSource] | None = None
    """Makes what shows this app's own dead letters beside those of jobs and events; called once, like `build`."""

    personal_data: PersonalData | None = None
    """How people's data in this app is found, handed out and erased. Every app has one; that it holds none is said by
    holdings that are empty."""

    def load_web(self) -> Web:
        if self.web is None:
            return Web()
        web: Web = importlib.import_module(self.web).WEB
        return web


@dataclass(frozen=True, kw_only=True)
class Web:
    """The declaration in an app's `web.py`."""

    routers: Sequence[APIRouter] = ()
    """Each states its full path in its own prefix; they are included as they are."""

    hot_routes: Sequence[HotRoutes] = ()
    """Addresses that machines call thousands of times a second."""


@dataclass(frozen=True, slots=True)
class HotRequest:
    """A request to a hot route. `headers` are as they came, names in small letters; `body` yields it piece by piece and
    is over early when the caller goes away, which raises `CallerGone`."""

    path: str
    headers: Sequence[tuple[bytes, bytes]]
    correlation_id: str
    body: Callable[[], AsyncIterator[bytes]]


class CallerGone(Exception):
    """The connection was closed before the body was whole: nobody is left to answer."""


@dataclass(frozen=True, slots=True)
class HotAnswer:
    """JSON, encoded already."""

    body: bytes
    status: int = 200
    headers: Sequence[tuple[bytes, bytes]] = ()


HotHandler: TypeAlias = Callable[[HotRequest], Awaitable[HotAnswer]]


@dataclass(frozen=True, kw_only=True)
class HotRoutes:
    """Addresses answered before the framework and all that stands around it: no key is looked at, no database asked and
    no limit counted but by the handler itself. Its errors are `DomainError`s, as everywhere.

    `operations` are, by path, what the OpenAPI document says of `method` there; `make` is called once when the process
    starts to serve."""

    method: str
    operations: Mapping[str, Mapping[str, Any]]
    make: Callable[[HotParts], HotHandler]


@dataclass(frozen=True)
class HotParts:
    """What a hot handler can reach. `limiter` None counts nobody; `rates` knows limits changed while running."""

    runtime: Runtime
    limiter: Limiter | None
    rates: RateBook | None


@dataclass(eq=False)
class Runtime:
    """What the code of an app can reach. One per process, made by `main.compose`."""

    database: Database
    queue: JobQueue
    secrets: SecretBox
    settings: Mapping[str, BaseModel]
    contracts: dict[type, object] = field(default_factory=dict)
    mailer: Mailer | None = None
    """None where no mail server is set; what would be sent is then kept for the operator."""

    personal_data: Mapping[str, PersonalData] = field(default_factory=dict)
    """Of every app by its name, and of the runtime's own tables."""

    erasure_list: Path | None = None
    """The file outside of the database that tells, after a backup was restored, whom to erase again."""

    letter_sources: Sequence[LetterSource] = ()
    """Of the apps that have dead letters of their own."""

    migrations: Sequence[MigrationSource] = ()
    """Of the whole installation, the runtime's own first."""

    guard: Guard = field(default_factory=Guard)
    """What addresses that users give may lead to."""

    @property
    def letters(self) -> Letters:
        """What was given up, of every kind."""
        return Letters(self.queue, self.letter_sources)

    def contract(self, cls: type[T]) -> T:
        """The implementation of an app's interface, here or remote. Raises `LookupError` when no app provides it."""
        found: Any = self.contracts.get(cls)
        if found is None:
            raise LookupError(f"no app in this process provides {cls.__module__}.{cls.__qualname__}")
        implementation: T = found
        return implementation

    def settings_of(self, app: str, cls: type[S]) -> S:
        """The validated settings of one app, typed."""
        settings = self.settings[app]
        if not isinstance(settings, cls):
            raise TypeError(f"settings of {app} are {type(settings).__name__}, not {cls.__name__}")
        return settings
