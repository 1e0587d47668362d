from __future__ import annotations

from pydantic import BaseModel, Field


class OperationsSettings(BaseModel):
    """SYNCLINE_OPERATIONS_*"""

    public_url: str | None = Field(
        default=None, description="Where people reach this installation; notifications link to it"
    )
