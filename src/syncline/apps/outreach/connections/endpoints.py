"""`/api/outreach/connections`: the tools this tenant is connected to."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from syncline.apps.outreach.connections import service
from syncline.apps.outreach.connections.service import BadConnection, Connection, ConnectionNotFound, ConnectionRefused
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import Reading, Writing, runtime_of
from syncline.runtime.http.problems import problems

router = APIRouter(prefix="/api/outreach/connections", tags=["outreach"])
ROUTERS = (router,)

_Runtime = Annotated[Runtime, Depends(runtime_of)]
_Manager = Annotated[Actor, Depends(require("outreach:manage"))]


class ConnectionPut(BaseModel):
    """lemlist: api_key. smartlead: api_key, plan. mixpanel: project, username, password, region. attio:
    access_token."""

    model_config = ConfigDict(extra="forbid")

    api_key: SecretStr | None = Field(default=None, description="Kept sealed, never shown again")
    password: SecretStr | None = Field(default=None, description="Of a service account; kept sealed")
    access_token: SecretStr | None = Field(default=None, description="Kept sealed, never shown again")
    project: str | None = Field(default=None, description="Of Mixpanel: the project's id")
    username: str | None = Field(default=None, description="Of a service account")
    plan: str | None = Field(
        default=None, description="Smartlead's: standard, pro, old or none. Of a sandbox: standard or none"
    )
    region: str | None = Field(default=None, description="Mixpanel's residency: us, eu or in")
    base_url: str | None = Field(default=None, description="Only for a sandbox on this machine")


class ConnectionList(BaseModel):
    connections: list[Connection]


class ConnectionTested(BaseModel):
    connection: Connection
    told: str = Field(description="What the tool said of itself")


@router.get("", summary="List the connected tools")
async def list_connections(_: _Manager, session: Reading) -> ConnectionList:
    """Without what is secret."""
    return ConnectionList(connections=list(await service.list_all(session)))


@router.put("/{platform}", summary="Connect a tool", responses=problems(BadConnection, ConnectionRefused))
async def put_connection(platform: str, body: ConnectionPut, actor: _Manager, runtime: _Runtime) -> Connection:
    """The tool is asked first; what does not work is not kept. A second time replaces."""
    given = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in body
        if value is not None
    }
    return await service.put(runtime, actor, platform, given)


@router.post("/{platform}/test", summary="Test a connection", responses=problems(ConnectionNotFound, ConnectionRefused))
async def test_connection(platform: str, actor: _Manager, runtime: _Runtime) -> ConnectionTested:
    connection, told = await service.test(runtime, actor, platform)
    return ConnectionTested(connection=connection, told=told)


@router.delete("/{platform}", status_code=204, summary="Disconnect a tool", responses=problems(ConnectionNotFound))
async def remove_connection(platform: str, _: _Manager, session: Writing) -> None:
    """What was read and delivered stays."""
    await service.remove(session, platform)
