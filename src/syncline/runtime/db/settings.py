"""How to reach the database. Read from the environment in `main`, passed in everywhere else."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator


class DatabaseSettings(BaseModel):
    """`url` absent means a PostgreSQL of our own, kept in `data_dir`.

    With `url` alone, that role both migrates and works (as `syncline_app`, by SET ROLE). With `admin_url` too, `url`
    is a role that may only work, which is the safer arrangement in production.
    """

    model_config = ConfigDict(frozen=True)

    url: str | None = Field(default=None, repr=False)
    admin_url: str | None = Field(default=None, repr=False)
    data_dir: Path
    pool_min: int = Field(default=2, ge=0)
    pool_max: int = Field(default=20, ge=1)

    @model_validator(mode="after")
    def _consistent(self) -> DatabaseSettings:
        if self.pool_min > self.pool_max:
            msg = f"The smallest pool ({self.pool_min}) is larger than the largest ({self.pool_max})."
            raise ValueError(msg)
        if self.admin_url and not self.url:
            msg = "SYNCLINE_DATABASE_ADMIN_URL is set without SYNCLINE_DATABASE_URL; set both, or neither."
            raise ValueError(msg)
        return self
