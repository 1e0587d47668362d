"""The kit's suite on Mixpanel's recorded answers."""

import pytest

from syncline.connectors.mixpanel.testing import MixpanelCase
from syncline.runtime.connect.conformance import CHECKS, Check


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_conformance(check: Check) -> None:
    await check(MixpanelCase())
