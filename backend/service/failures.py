"""Exception -> what a job's record says about it, and what the log does."""

from __future__ import annotations

import errno
import logging
import traceback
from dataclasses import dataclass

from backend.core.errors import DeepfakeError, InvalidInput, StorageFull, StorageReadOnly

_LONGEST = 500
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)


@dataclass(frozen=True)
class Failure:
    """Why a job failed."""

    reason: str  # a sentence for a person, at most 500 characters
    code: str  # as in the error tree; "internal" is a mistake of ours
    expected: bool  # False: the traceback belongs in the log
    may_succeed_later: bool  # False: the same input would fail again


def disk_error(error: BaseException) -> StorageFull | StorageReadOnly | None:
    """What the system's word for a full or a read-only disk means; None for any other error."""
    if not isinstance(error, OSError):
        return None
    if error.errno in _FULL:
        return StorageFull("The disk is full.", "Free some space, for example by removing data sets, and try again.")
    if error.errno in _READ_ONLY:
        return StorageReadOnly(
            "The data or models folder cannot be written to.", "Make its disk writable and the folder the server's own."
        )
    return None


def describe_failure(error: BaseException) -> Failure:
    """The failure that an exception means: ours say it themselves, a full disk is named, the rest is internal."""
    error = disk_error(error) or error
    if isinstance(error, DeepfakeError):
        reason = f"{error.message} {error.hint}".strip()
        return Failure(_short(reason), error.code, True, not isinstance(error, InvalidInput))
    return Failure(_short(f"{type(error).__name__}: {error}"), DeepfakeError.code, False, True)


def log_failure(logger: logging.Logger, what: str, error: BaseException) -> None:
    """Logs an exception with its traceback and causes, each line cut short so that no image data gets into the log."""
    lines = "".join(traceback.format_exception(error)).splitlines()
    logger.error("%s\n%s", what, "\n".join(_short(line) for line in lines))


def _short(text: str) -> str:
    clean = "".join(c if c.isprintable() else " " for c in text)
    return clean if len(clean) <= _LONGEST else f"{clean[: _LONGEST - 3]}..."
