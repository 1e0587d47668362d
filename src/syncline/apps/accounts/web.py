"""What is answered over HTTP."""

from __future__ import annotations

from syncline.apps.accounts.friends import endpoints as friends
from syncline.apps.accounts.invitations import endpoints as invitations
from syncline.apps.accounts.keys import endpoints as keys
from syncline.apps.accounts.members import endpoints as members
from syncline.apps.accounts.oidc import endpoints as oidc
from syncline.apps.accounts.privacy.endpoints import ROUTERS as PRIVACY_ROUTERS
from syncline.apps.accounts.profiles import endpoints as profiles
from syncline.apps.accounts.providers import endpoints as providers
from syncline.apps.accounts.recovery import endpoints as recovery
from syncline.apps.accounts.signin import endpoints as signin
from syncline.apps.accounts.twostep import endpoints as twostep
from syncline.runtime.app import Web

WEB = Web(
    routers=(
        signin.router,
        signin.well_known,
        recovery.router,
        twostep.router,
        profiles.router,
        friends.router,
        oidc.router,
        providers.router,
        members.router,
        invitations.router,
        keys.router,
        *PRIVACY_ROUTERS,
    ),
)
