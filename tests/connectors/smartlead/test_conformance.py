"""The kit's suite on Smartlead's recorded answers."""

import pytest

from syncline.connectors.smartlead.testing import SmartleadCase
from syncline.runtime.connect.conformance import CHECKS, Check


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_conformance(check: Check) -> None:
    await check(SmartleadCase())
