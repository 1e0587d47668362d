from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from syncline.apps.accounts.contract import Place as PlaceFacts
from syncline.apps.accounts.contract import SecondStep, SignedIn
from syncline.kernel import clock

_EMAIL = Field(max_length=254, examples=["ada@example.com"])

_COOKIE = Field(
    default=False, description="Keep the refresh token in a cookie that no script can read, and not in the answer"
)


class Registration(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    name: str = Field(min_length=1, max_length=100, examples=["Ada Lovelace"])
    email: str = _EMAIL
    password: str = Field(max_length=1_000, description="At least 10 characters", examples=["four words in a row"])
    shop_domain: str = Field(alias="shopDomain", max_length=300, examples=["summer.myshopify.com"])
    cookie: bool = _COOKIE


class Credentials(BaseModel):
    model_config = ConfigDict(extra="forbid")

    email: str = _EMAIL
    password: str = Field(max_length=1_000)
    tenant: str | None = Field(
        default=None, max_length=100, description="Slug or id, for who belongs to several; else the first joined"
    )
    cookie: bool = _COOKIE


class Renewal(BaseModel):
    model_config = ConfigDict(extra="forbid")

    refresh_token: str | None = Field(default=None, max_length=200, description="Left out by who has it in a cookie")
    tenant: str | None = Field(default=None, max_length=100, description="Go over to another of your tenants")


class SignOut(BaseModel):
    model_config = ConfigDict(extra="forbid")

    refresh_token: str | None = Field(default=None, max_length=200, description="Left out by who has it in a cookie")


class Person(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str
    name: str
    email_verified: bool
    has_password: bool
    created_at: datetime


class Place(BaseModel):
    """A tenant, and the role of the person in it."""

    id: UUID
    slug: str
    name: str
    role: str

    @classmethod
    def of(cls, place: PlaceFacts) -> Place:
        return cls(id=place.tenant.id, slug=place.tenant.slug, name=place.tenant.name, role=place.role)


class Tokens(BaseModel):
    """What a sign-in or a refresh answers with; the names are those of RFC 6749."""

    success: Literal[True] = True
    access_token: str = Field(description="Send as `Authorization: Bearer ...`")
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the kind of token, as RFC 6750 names it
    expires_in: int = Field(description="Seconds the access token is good")
    refresh_token: str | None = Field(
        description="Good for one use; the answer holds the next one. Null where a cookie keeps it"
    )
    session_id: UUID
    user: Person
    tenant: Place
    tenants: list[Place] = Field(description="All that the person belongs to")

    @classmethod
    def of(cls, made: SignedIn) -> Tokens:
        return cls(
            access_token=made.access_token,
            expires_in=max(1, round((made.access_expires_at - clock.now()).total_seconds())),
            refresh_token=made.refresh_token,
            session_id=made.session_id,
            user=Person.model_validate(made.person),
            tenant=Place.of(made.place),
            tenants=[Place.of(one) for one in made.places],
        )


class SecondStepNeeded(BaseModel):
    """The password was right; now the code. Send both to /api/auth/login/second-step."""

    success: Literal[True] = True
    second_step: Literal["totp"] = "totp"
    challenge: str
    expires_in: int = Field(description="Seconds the challenge is good")

    @classmethod
    def of(cls, made: SecondStep) -> SecondStepNeeded:
        left = (made.expires_at - clock.now()).total_seconds()
        return cls(challenge=made.challenge, expires_in=max(1, round(left)))


class SecondStepCode(BaseModel):
    model_config = ConfigDict(extra="forbid")

    challenge: str = Field(max_length=200)
    code: str = Field(max_length=50, description="Of the phone, or a recovery code", examples=["123456"])
    cookie: bool = _COOKIE


class Session(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    tenant_id: UUID
    device: str = Field(description="What the client called itself")
    address: str
    methods: list[str] = Field(description="pwd, otp, oidc")
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    is_current: bool = False


class SessionList(BaseModel):
    sessions: list[Session]


class Done(BaseModel):
    success: Literal[True] = True


class Ended(Done):
    ended: int = Field(description="How many sessions were ended")


class KeySet(BaseModel):
    """A JSON Web Key Set (RFC 7517)."""

    keys: list[dict[str, str]]
