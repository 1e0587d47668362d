from __future__ import annotations

from pydantic import BaseModel, Field


class OutreachSettings(BaseModel):
    """SYNCLINE_OUTREACH_*"""

    operator_tenant: str = Field(
        default="default",
        description="Whose administrators may optimise the database and run migrations over HTTP: the tenant's name in"
        " addresses. These change the installation for everybody",
    )
