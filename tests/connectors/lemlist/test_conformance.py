"""The kit's suite on lemlist's recorded answers."""

import pytest

from syncline.connectors.lemlist.testing import LemlistCase
from syncline.runtime.connect.conformance import CHECKS, Check


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_conformance(check: Check) -> None:
    await check(LemlistCase())
