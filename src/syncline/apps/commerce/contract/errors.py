from __future__ import annotations

from syncline.kernel.errors import Conflict, InvalidInput, NotFound, Unavailable


class StoreNotFound(NotFound):
    code = "STORE_001"
    title = "No such store"


class StoreExists(Conflict):
    code = "STORE_002"
    title = "The store is already connected"


class StoreRefused(InvalidInput):
    """The shop's domain, token or scopes are not right; found before any work starts."""

    code = "STORE_003"
    title = "The store cannot be reached with these settings"


class PullAlreadyRunning(Conflict):
    code = "PULL_003"
    title = "A pull of this store is already running"


class RunNotFound(NotFound):
    code = "PULL_002"
    title = "No such run"


class BatchNotFound(NotFound):
    code = "CHANGE_002"
    title = "No such batch or change"


class NothingToDo(Conflict):
    code = "CHANGE_004"
    title = "Nothing to do"


class ChangeNotReviewable(Conflict):
    code = "CHANGE_003"
    title = "The change cannot be reviewed in its present state"


class SheetRefused(InvalidInput):
    code = "IMPORT_001"
    title = "The sheet has errors; nothing was staged"


class FileNotWritten(Unavailable):
    code = "EXPORT_001"
    title = "The file could not be written"


class TooLongForFormat(InvalidInput):
    code = "EXPORT_002"
    title = "There are more rows than this kind of file can have"


class PushAlreadyRunning(Conflict):
    code = "PUSH_003"
    title = "A push to this store is already running"
