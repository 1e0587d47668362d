"""Parts of answers that many endpoints share."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Pagination(BaseModel):
    """Where a page stands in its list."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, serialize_by_alias=True)

    current_page: int
    total_pages: int
    total_items: int
    items_per_page: int
    has_next_page: bool
    has_previous_page: bool
