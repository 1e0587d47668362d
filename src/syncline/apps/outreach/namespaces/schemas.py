from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from syncline.apps.outreach.contract import MatchedNamespace, Namespace, NamespaceStats

_KEYWORDS = "Looked for in campaigns' names, whatever their case"


class NamespaceCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(examples=["north"], description="A letter, then a-z, 0-9, _ and -, at most 63; it never changes")
    keywords: list[str] = Field(default_factory=list, description=_KEYWORDS, examples=[["north", "nord"]])
    description: str = ""


class NamespaceUpdate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    keywords: list[str] | None = Field(default=None, description=f"{_KEYWORDS}; left as they are, when left out")
    description: str | None = None
    is_active: bool | None = Field(default=None, description="One that is not matches no campaign")


class NamespaceAnswer(BaseModel):
    success: bool = True
    namespace: Namespace


class NamespaceList(BaseModel):
    success: bool = True
    namespaces: list[Namespace]


class NamespaceFigures(BaseModel):
    success: bool = True
    name: str
    events: int
    people: int = Field(description="Different addresses")
    campaigns: int
    by_platform: dict[str, int]
    by_type: dict[str, int]
    first_event_at: datetime | None
    last_event_at: datetime | None


_CampaignName = Annotated[str, Field(max_length=500)]


class CampaignsToMatch(BaseModel):
    """One name, or several."""

    model_config = ConfigDict(extra="forbid")

    campaign: _CampaignName | None = Field(default=None, examples=["North: spring"])
    campaigns: list[_CampaignName] = Field(default_factory=list, max_length=1000)

    @model_validator(mode="after")
    def _names_one(self) -> CampaignsToMatch:
        if self.campaign is None and not self.campaigns:
            raise ValueError("give “campaign”, the name of one, or “campaigns”, a list")
        return self

    @property
    def names(self) -> list[str]:
        return [*([] if self.campaign is None else [self.campaign]), *self.campaigns]


class CampaignsMatched(BaseModel):
    success: bool = True
    matches: list[MatchedNamespace]


def figures(found: NamespaceStats) -> NamespaceFigures:
    return NamespaceFigures(
        name=found.name,
        events=found.events,
        people=found.people,
        campaigns=found.campaigns,
        by_platform=found.by_platform,
        by_type=found.by_type,
        first_event_at=found.first_event_at,
        last_event_at=found.last_event_at,
    )
