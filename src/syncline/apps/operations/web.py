"""What is answered over HTTP."""

from __future__ import annotations

from syncline.apps.operations import endpoints
from syncline.runtime.app import Web

WEB = Web(routers=(endpoints.router,))
