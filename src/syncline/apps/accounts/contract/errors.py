from __future__ import annotations

from syncline.kernel.errors import Conflict, DomainError, InvalidInput, NotAllowed, NotFound, Unauthenticated


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
