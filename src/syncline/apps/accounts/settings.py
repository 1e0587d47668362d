from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, Field


class AccountsSettings(BaseModel):
    """SYNCLINE_ACCOUNTS_*"""

    last_used_every: timedelta = Field(
        default=timedelta(minutes=1), description="A key's last use is written at most this often"
    )
