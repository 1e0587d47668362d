"""The four doubles of outreach in one process: lemlist and Smartlead with a made-up past, Mixpanel and Attio empty."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.applications import Starlette

from syncline.sandbox.attio.app import Attio
from syncline.sandbox.double import Double, serving, set_switches
from syncline.sandbox.lemlist.app import Lemlist
from syncline.sandbox.mixpanel.app import Mixpanel
from syncline.sandbox.outreach.double import now_ms
from syncline.sandbox.outreach.store import Store
from syncline.sandbox.outreach.timelines import World
from syncline.sandbox.smartlead.app import Smartlead

WITHOUT_LIMITS: Mapping[str, Mapping[str, Any]] = {
    "lemlist": {"limits": False},
    "smartlead": {"plan": "none"},
    "mixpanel": {"limits": False},
    "attio": {"limits": False},
}


@dataclass(frozen=True, slots=True)
class Town:
    lemlist: Lemlist
    smartlead: Smartlead
    mixpanel: Mixpanel
    attio: Attio

    @classmethod
    def make(
        cls,
        *,
        events: int = 20_000,
        campaigns: int = 20,
        days: int = 365,
        seed: int = 1,
        until_ms: int | None = None,
        limits: bool = True,
        folder: Path | None = None,
    ) -> Town:
        """`events` and `campaigns` are of both tools together, half of them each (lemlist has the odd one). `until_ms`
        is when the story ends: now, when it is not given. In `folder` each double keeps a file; without one, a
        temporary file that goes with the process."""
        until = now_ms() if until_ms is None else until_ms

        def store(name: str, count: int, number: int) -> Store:
            world = World(seed * 2 + number, count, until, days, has_notes=name == "lemlist")
            return Store(world, _file(folder, name))

        town = cls(
            Lemlist(store("lemlist", campaigns - campaigns // 2, 0), seed=seed),
            Smartlead(store("smartlead", campaigns // 2, 1), seed=seed),
            Mixpanel(path=_file(folder, "mixpanel"), seed=seed),
            Attio(path=_file(folder, "attio"), seed=seed),
        )
        town.lemlist.store.fill(events - events // 2)
        town.smartlead.store.fill(events // 2)
        if not limits:
            for name, values in WITHOUT_LIMITS.items():
                set_switches(town.doubles[name].switches, values)
        return town

    @property
    def doubles(self) -> dict[str, Double]:
        return {one.name: one for one in (self.lemlist, self.smartlead, self.mixpanel, self.attio)}

    def break_with(self, faults: Iterable[str]) -> None:
        """`lemlist:throttle=3,slow=2s` and so on. Raises `ValueError`."""
        for text in faults:
            name, _, what = text.partition(":")
            self._named(name).faults.add_all(what)

    def switch(self, settings: Iterable[str]) -> None:
        """`lemlist:campaigns=data` and so on; the value is read as the switch's type. Raises `ValueError`."""
        for text in settings:
            name, _, rest = text.partition(":")
            switch, sign, value = rest.partition("=")
            switches = self._named(name).switches
            if not sign:
                raise ValueError(f"{text!r} is no setting; write one like lemlist:campaigns=data.")
            set_switches(switches, {switch: _typed(getattr(switches, switch, ""), value)})

    def addresses(self, url: str) -> dict[str, dict[str, str]]:
        """Where each is, and what it takes for a credential."""
        project = self.mixpanel.project
        return {
            "lemlist": {"url": f"{url}/lemlist/api", "key": self.lemlist.key},
            "smartlead": {
                "url": f"{url}/smartlead/api/v1",
                "key": self.smartlead.key,
                "webhook_secret": self.smartlead.secret,
            },
            "mixpanel": {
                "url": f"{url}/mixpanel",
                "project_id": project.id,
                "token": project.token,
                "secret": project.secret,
                "username": project.username,
                "password": project.password,
            },
            "attio": {"url": f"{url}/attio", "token": self.attio.token},
        }

    def app(self) -> Starlette:
        """Each below its own name: `/lemlist/api/activities`, `/mixpanel/import`, `/attio/sandbox/faults`."""
        return serving(*((f"/{name}", double) for name, double in self.doubles.items()))

    def _named(self, name: str) -> Double:
        if name not in self.doubles:
            raise ValueError(f"There is no double {name!r}; there are {', '.join(self.doubles)}.")
        return self.doubles[name]


def _file(folder: Path | None, name: str) -> Path | None:
    """A fresh one: what an earlier run left is removed."""
    if folder is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.sqlite"
    path.unlink(missing_ok=True)
    return path


def _typed(present: Any, value: str) -> Any:
    """Raises `ValueError` for a number that is none."""
    if isinstance(present, bool):
        return {"true": True, "false": False}.get(value, value)
    return type(present)(value)
