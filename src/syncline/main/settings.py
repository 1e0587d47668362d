"""All settings, read from `SYNCLINE_*` in the environment here and nowhere else."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from syncline.kernel.errors import FieldError, InvalidInput
from syncline.main.thresholds import Thresholds
from syncline.runtime.app import App
from syncline.runtime.connect.guard import Guard, allowing
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.http.protection import Protection
from syncline.runtime.http.proxies import networks
from syncline.runtime.limits.policy import with_settings
from syncline.runtime.mail import parse_smtp_url


class BadSettings(InvalidInput):
    code = "CONF_001"
    title = "A setting is not valid"


_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?|https?://\[[0-9a-fA-F:.]+\](:\d{1,5})?")

_SECONDS = re.compile(r"\d+(\.\d+)?")
_SENTENCES = {"time_delta_parsing": "must be a duration like PT2M, or seconds like 120"}


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


def default_data_dir() -> Path:
    """`.syncline` in the current folder if it is there, so that a checkout keeps its own; else `/var/lib/syncline` for
    root, and `$XDG_DATA_HOME/syncline` (`~/.local/share/syncline`) for everybody else."""
    here = Path.cwd() / ".syncline"
    if here.is_dir():
        return here
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/syncline")
    # XDG Base Directory Specification: a relative path in the variable is to be ignored.
    base = Path(os.environ.get("XDG_DATA_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".local" / "share") / "syncline"


class Settings(Thresholds, BaseSettings):
    """Settings of the installation. Those of an app are `SYNCLINE_<APP>_<FIELD>`, declared in its `settings.py`."""

    model_config = SettingsConfigDict(env_prefix="SYNCLINE_", extra="ignore", env_ignore_empty=True)

    environment: Environment = Field(
        default=Environment.DEVELOPMENT, description="`production` refuses what is only right on a laptop"
    )
    data_dir: Path = Field(
        default_factory=default_data_dir,
        description="Where Syncline keeps its own PostgreSQL, its secret key and its files",
    )
    database_url: str | None = Field(
        default=None, repr=False, description="PostgreSQL 15 or newer; without it Syncline runs its own"
    )
    database_admin_url: str | None = Field(
        default=None, repr=False, description="A role that may migrate, when the one above may not"
    )
    database_pool_min: int = Field(default=2, ge=0, description="Connections kept open")
    database_pool_max: int = Field(default=20, ge=1, description="Connections at most, per process")
    secret_keys: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        repr=False,
        description="Fernet keys, by commas, the first seals; else those of the next setting, or of the data directory",
    )
    secret_keys_file: Path | None = Field(
        default=None, description="A file with such keys, one a line, the first seals; read again when it changes"
    )
    erasure_list: Path | None = Field(
        default=None,
        description="The file that tells whom to erase again after a backup was restored; without it `erasures.jsonl`"
        " in the data directory. Keep it where no restore reaches it",
    )
    open_diagnostics: bool | None = Field(
        default=None, description="Whether /health and /metrics answer without a key; on unless said otherwise"
    )
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR")
    log_format: str = Field(default="auto", pattern="^(auto|json|text)$", description="auto: text on a terminal")
    body_limit_bytes: int = Field(default=10_000_000, ge=1_000, description="Largest request body")
    request_seconds: float = Field(default=60.0, gt=0, le=3600, description="How long an answer may take to begin")
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Addresses and networks of our own proxies, whose X-Forwarded-For and -Proto are believed",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Other sites whose pages may call the API with a key, like `https://tools.example.com`"
    )
    outgoing_allow: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Hosts and networks inside that addresses given by users may lead to; none unless said"
    )
    redis_url: str | None = Field(
        default=None,
        repr=False,
        description="Where limits are counted for all processes and live messages passed on; without it each counts"
        " alone and listens to the database",
    )
    limits: Annotated[tuple[tuple[str, str], ...], NoDecode] = Field(
        default=(),
        description="Limits other than the default, comma-separated, like `sign-in=10/15min,status=100/min burst 20`;"
        " `syncline limits list` shows their names",
    )
    smtp_url: str | None = Field(
        default=None,
        repr=False,
        description="Like `smtp://user:password@host:587`; without it mails are kept: `syncline users outbox`",
    )
    mail_from: str = Field(default="Syncline <syncline@localhost>", description="Whom our mails come from")
    live_watchers: int = Field(default=20_000, ge=1, description="Live connections at most, per process")
    live_watchers_of_tenant: int = Field(default=5_000, ge=1, description="The same, of one tenant")
    job_concurrency: int = Field(default=4, ge=1, le=256, description="Jobs at once, per worker process")

    @field_validator("secret_keys", "trusted_proxies", "cors_origins", "outgoing_allow", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(key.strip() for key in value.split(",") if key.strip()) if isinstance(value, str) else value

    @field_validator("limits", mode="before")
    @classmethod
    def _named_rates(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        told = dict(_named_rate(part) for part in value.split(",") if part.strip())
        with_settings(told)
        return tuple(told.items())

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        networks(value)
        return value

    @field_validator("outgoing_allow")
    @classmethod
    def _can_be_allowed(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        allowing(value)
        return value

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"“{origin}” is no origin; write it like https://tools.example.com, without a path")
        return value

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must begin with redis://, rediss:// or unix://")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _is_smtp(cls, value: str | None) -> str | None:
        if value is not None:
            parse_smtp_url(value)
        return value

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
            raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
        return value.upper()

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @model_validator(mode="after")
    def _production_is_deliberate(self) -> Settings:
        if self.environment is Environment.PRODUCTION and self.open_diagnostics is None:
            raise ValueError(
                "in production say whether /health and /metrics are open: set SYNCLINE_OPEN_DIAGNOSTICS=true or =false"
            )
        return self

    @property
    def diagnostics_are_open(self) -> bool:
        return self.open_diagnostics is not False

    @property
    def protection(self) -> Protection:
        return Protection(
            proxies=networks(self.trusted_proxies), origins=self.cors_origins, request_seconds=self.request_seconds
        )

    @property
    def guard(self) -> Guard:
        """For `GuardedTransport`: what addresses that users give may lead to."""
        return allowing(self.outgoing_allow)

    @property
    def database(self) -> DatabaseSettings:
        return DatabaseSettings(
            url=self.database_url,
            admin_url=self.database_admin_url,
            data_dir=self.data_dir,
            pool_min=self.database_pool_min,
            pool_max=self.database_pool_max,
        )


def _named_rate(text: str) -> tuple[str, str]:
    name, equals, rate = text.partition("=")
    if not equals:
        raise ValueError(f"“{text.strip()}” names no limit; write it like sign-in=10/15min")
    return name.strip(), rate.strip()


def load_settings(**overrides: Any) -> Settings:
    """The environment, with what the command line said on top. Raises `BadSettings` naming each variable."""
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        raise _bad("SYNCLINE_", error) from error


def load_app_settings(apps: Sequence[App]) -> Mapping[str, BaseModel]:
    """The settings of each app, by its name."""
    return {app.name: _read(app) for app in apps}


class _FromEnvironment(BaseSettings):
    """Durations may be plain seconds, which pydantic, given text, takes for a broken ISO 8601."""

    @field_validator("*", mode="before")
    @classmethod
    def _seconds(cls, value: object, info: ValidationInfo) -> object:
        is_duration = info.field_name is not None and cls.model_fields[info.field_name].annotation is timedelta
        if not (is_duration and isinstance(value, str) and _SECONDS.fullmatch(value.strip())):
            return value
        return float(value)


def _read(app: App) -> BaseModel:
    prefix = f"SYNCLINE_{app.name.upper()}_"
    # A class that is both: the app declares plain fields, and only `main` knows that they come from the environment.
    reader: type[BaseModel] = type(
        f"{app.settings.__name__}FromEnvironment",
        (app.settings, _FromEnvironment),
        {"model_config": SettingsConfigDict(env_prefix=prefix, extra="ignore", env_ignore_empty=True)},
    )
    try:
        return reader()
    except ValidationError as error:
        raise _bad(prefix, error) from error


def _bad(prefix: str, error: ValidationError) -> BadSettings:
    wrong = [
        FieldError(
            prefix + "_".join(str(part) for part in item["loc"]).upper() if item["loc"] else "settings",
            _SENTENCES.get(item["type"], item["msg"].removeprefix("Value error, ")),
        )
        for item in error.errors()
    ]
    return BadSettings("; ".join(f"{one.field}: {one.message}" for one in wrong) + ".", fields=wrong)
