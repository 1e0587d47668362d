from __future__ import annotations

from syncline.kernel.errors import (
    Conflict,
    DomainError,
    InvalidInput,
    NotAllowed,
    NotFound,
    Unauthenticated,
    Unavailable,
)


class KeyNotFound(NotFound):
    code = "KEYS_001"
    title = "No such key"


class UnknownRole(InvalidInput):
    code = "KEYS_002"
    title = "No such role"


class RoleNotYours(NotAllowed):
    """Nobody gives away more than he has: only owners make owners."""

    code = "KEYS_003"
    title = "This role is not yours to give"


class UnknownScope(InvalidInput):
    code = "KEYS_004"
    title = "No such scope"


class KeyNotInUse(Conflict):
    """Revoked, expired, or replaced already."""

    code = "KEYS_005"
    title = "The key is not in use"


class MemberNotFound(NotFound):
    code = "USERS_001"
    title = "No such person"


class LastOwner(Conflict):
    code = "USERS_002"
    title = "A tenant needs an owner"


class AlreadyMember(Conflict):
    code = "USERS_003"
    title = "Belongs to the tenant already"


class InvitationNotFound(NotFound):
    code = "USERS_004"
    title = "No such invitation"


class InvitationNotGood(InvalidInput):
    """Used, expired, withdrawn or never made: one answer for all."""

    code = "USERS_005"
    title = "The invitation is not valid"


class FriendNotFound(NotFound):
    code = "USERS_007"
    title = "No such friend or request"


class PersonBlocked(Conflict):
    code = "USERS_008"
    title = "You have blocked this person"


class TenantNotFound(NotFound):
    code = "TENANT_001"
    title = "No such tenant"


class SignInRefused(Unauthenticated):
    """The same for an e-mail that nobody has and for a wrong password."""

    code = "AUTH_001"
    title = "E-mail or password is not right"


class SessionOver(Unauthenticated):
    code = "AUTH_002"
    title = "The session has ended"


class TooManyAttempts(DomainError):
    code = "AUTH_003"
    status = 429
    title = "Too many failed attempts"


class EmailTaken(Conflict):
    code = "AUTH_004"
    title = "There is an account with this e-mail"


class WeakPassword(InvalidInput):
    code = "AUTH_005"
    title = "The password is too easy to guess"


class RefreshRaced(Conflict):
    """Two requests used one refresh token almost at once; the other one has the new tokens."""

    code = "AUTH_006"
    title = "This refresh token was used a moment ago"


class RegistrationClosed(NotAllowed):
    code = "AUTH_007"
    title = "Registration is closed"


class NotAMember(NotAllowed):
    code = "AUTH_008"
    title = "You do not belong to this tenant"


class AccountDisabled(NotAllowed):
    code = "AUTH_009"
    title = "The account is disabled"


class SessionNotFound(NotFound):
    code = "AUTH_010"
    title = "No such session"


class TokenNotGood(InvalidInput):
    """Used, expired, replaced or never made: one answer for all."""

    code = "AUTH_012"
    title = "The token is not valid"


class CodeNotRight(Unauthenticated):
    code = "AUTH_013"
    title = "The code is not right"


class SecondStepIsOn(Conflict):
    code = "AUTH_014"
    title = "The second step is on"


class PersonNeeded(NotAllowed):
    code = "AUTH_011"
    title = "This is for people, not for keys"


class TenantSignInOnly(NotAllowed):
    """Who came in by the word of a tenant's own provider stays in that tenant."""

    code = "AUTH_015"
    title = "This sign-in is for one tenant only"


class FreshSignInNeeded(Unauthenticated):
    code = "AUTH_016"
    title = "Sign in again to do this"


class OwnerNeeded(NotAllowed):
    code = "USERS_006"
    title = "Only an owner may do this"


class ProviderNotFound(NotFound):
    code = "OIDC_001"
    title = "No such sign-in provider"


class ProviderUnavailable(Unavailable):
    code = "OIDC_002"
    title = "The sign-in provider cannot answer"


class ProviderRefused(Unauthenticated):
    """It said no, or the person did, there."""

    code = "OIDC_003"
    title = "The sign-in provider refused"


class ProviderNotBelieved(Unauthenticated):
    """Its answer is not the one we asked for. The reason is in the log: it helps nobody else."""

    code = "OIDC_004"
    title = "The answer of the sign-in provider is not right"


class SignInNotGood(InvalidInput):
    """Used, expired, begun in another browser or never begun: one answer for all."""

    code = "OIDC_005"
    title = "This sign-in is over"


class NoAccountYet(NotAllowed):
    code = "OIDC_006"
    title = "Nobody here is known by this identity"


class IdentityTaken(Conflict):
    code = "OIDC_007"
    title = "This identity belongs to another account"


class IdentityNotFound(NotFound):
    code = "OIDC_008"
    title = "No such identity"


class LastWayIn(Conflict):
    code = "OIDC_009"
    title = "This is the only way to sign in"


class ProviderNameTaken(Conflict):
    code = "OIDC_010"
    title = "There is a provider of this name"
