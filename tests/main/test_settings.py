from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import BaseModel, Field

from syncline.main.settings import BadSettings, default_data_dir, load_app_settings, load_settings
from syncline.runtime.app import App


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings from whoever runs the tests, and an empty current folder."""
    for name in list(os.environ):
        if name.startswith("SYNCLINE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_without_settings_everything_has_a_default() -> None:
    settings = load_settings()
    assert settings.database.url is None
    assert (settings.database.pool_min, settings.database.pool_max) == (2, 20)
    assert settings.diagnostics_are_open
    assert settings.data_dir.is_absolute()


def test_the_environment_is_read_and_the_command_line_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SYNCLINE_DATA_DIR", "/somewhere/else")
    monkeypatch.setenv("SYNCLINE_DATABASE_URL", "postgresql://u:p@db/x")
    monkeypatch.setenv("SYNCLINE_DATABASE_POOL_MAX", "7")
    settings = load_settings(data_dir=tmp_path)
    assert settings.data_dir == tmp_path
    assert settings.database.url == "postgresql://u:p@db/x"
    assert settings.database.pool_max == 7
    assert load_settings(data_dir=None).data_dir == Path("/somewhere/else")


def test_secrets_do_not_show_in_the_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCLINE_DATABASE_URL", "postgresql://u:hunter2@db/x")
    monkeypatch.setenv("SYNCLINE_SECRET_KEYS", "aaa, bbb,")
    settings = load_settings()
    assert settings.secret_keys == ("aaa", "bbb")
    assert "hunter2" not in repr(settings)
    assert "aaa" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SYNCLINE_DATABASE_POOL_MAX", "many"),
        ("SYNCLINE_LOG_LEVEL", "LOUD"),
        ("SYNCLINE_ENVIRONMENT", "staging"),
        ("SYNCLINE_JOB_CONCURRENCY", "0"),
        ("SYNCLINE_REQUEST_SECONDS", "0"),
        ("SYNCLINE_TRUSTED_PROXIES", "10.0.0.0/8, our-proxy"),
        ("SYNCLINE_CORS_ORIGINS", "*"),
        ("SYNCLINE_CORS_ORIGINS", "https://tools.example.com/path"),
        ("SYNCLINE_OUTGOING_ALLOW", "https://hooks.internal"),
        ("SYNCLINE_LIMITS", "sing-in=5/min"),
        ("SYNCLINE_REDIS_URL", "localhost:6379"),
    ],
)
def test_a_wrong_setting_is_named_as_the_person_wrote_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings, match=name) as caught:
        load_settings()
    assert [wrong.field for wrong in caught.value.fields] == [name]


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCLINE_DATABASE_URL", "")
    assert load_settings().database.url is None


def test_production_must_say_whether_diagnostics_are_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCLINE_ENVIRONMENT", "production")
    with pytest.raises(BadSettings, match="SYNCLINE_OPEN_DIAGNOSTICS"):
        load_settings()
    monkeypatch.setenv("SYNCLINE_OPEN_DIAGNOSTICS", "false")
    assert not load_settings().diagnostics_are_open
    monkeypatch.setenv("SYNCLINE_OPEN_DIAGNOSTICS", "true")
    assert load_settings().diagnostics_are_open


def test_a_checkout_keeps_its_own_data(tmp_path: Path) -> None:
    (tmp_path / ".syncline").mkdir()
    assert default_data_dir() == tmp_path / ".syncline"


def test_root_keeps_its_data_with_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_data_dir() == Path("/var/lib/syncline")


@pytest.mark.parametrize(
    ("xdg", "expected"),
    [("/data/me", "/data/me/syncline"), ("relative", "/h/.local/share/syncline"), ("", "/h/.local/share/syncline")],
)
def test_a_person_keeps_it_where_their_system_says(monkeypatch: pytest.MonkeyPatch, xdg: str, expected: str) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", "/h")
    monkeypatch.setenv("XDG_DATA_HOME", xdg)
    assert default_data_dir() == Path(expected)


class PricingSettings(BaseModel):
    batch_size: int = Field(default=50, ge=1)
    label: str = "x"
    patience: timedelta = timedelta(minutes=1)


PRICING = App(name="pricing", migrations=Path(), settings=PricingSettings)


def test_an_apps_settings_carry_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCLINE_PRICING_BATCH_SIZE", "7")
    found = load_app_settings([PRICING])["pricing"]
    assert isinstance(found, PricingSettings)
    assert (found.batch_size, found.label) == (7, "x")


def test_an_apps_wrong_setting_is_named_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCLINE_PRICING_BATCH_SIZE", "0")
    with pytest.raises(BadSettings, match="SYNCLINE_PRICING_BATCH_SIZE"):
        load_app_settings([PRICING])


@pytest.mark.parametrize(
    ("told", "lasts"),
    [
        ("120", timedelta(minutes=2)),
        ("0.5", timedelta(milliseconds=500)),
        (" 7 ", timedelta(seconds=7)),
        ("PT2M", timedelta(minutes=2)),
        ("P1D", timedelta(days=1)),
        ("", timedelta(minutes=1)),
    ],
)
def test_a_duration_is_iso_8601_or_seconds(monkeypatch: pytest.MonkeyPatch, told: str, lasts: timedelta) -> None:
    monkeypatch.setenv("SYNCLINE_PRICING_PATIENCE", told)
    found = load_app_settings([PRICING])["pricing"]
    assert isinstance(found, PricingSettings)
    assert found.patience == lasts


@pytest.mark.parametrize("told", ["soon", "2 minutes please", "1e3"])
def test_a_duration_that_is_none_is_told_the_form(monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    monkeypatch.setenv("SYNCLINE_PRICING_PATIENCE", told)
    with pytest.raises(BadSettings, match="PATIENCE: must be a duration like PT2M, or seconds like 120"):
        load_app_settings([PRICING])
