"""What a full disk and an object store raise -> the error tree: StorageFull, StorageReadOnly, Unreachable."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from backend.core.errors import StorageFull, Unreachable
from backend.service.failures import disk_error

_STORE_FULL = ("storagefull", "quotaexceeded", "insufficient storage", "no space left")


@contextmanager
def disk_full_is_told() -> Iterator[None]:
    """Turns the system's word for a full or a read-only disk into StorageFull or StorageReadOnly."""
    try:
        yield
    except OSError as error:
        if told := disk_error(error):
            raise told from error
        raise


@contextmanager
def store_is_told() -> Iterator[None]:
    """Turns what an object store and the way to it raise into Unreachable or StorageFull."""
    from aiohttp import ClientError as ConnectionProblem
    from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

    try:
        yield
    except FileNotFoundError:
        raise
    except (OSError, BotoCoreError, ClientError, ConnectionProblem) as error:
        if any(word in str(error).lower() for word in _STORE_FULL):
            raise StorageFull("The object store is full.", "Free some space and try again.") from error
        if isinstance(error, PermissionError):
            raise Unreachable("The object store refuses the credentials.", "Check AWS_ACCESS_KEY_ID.") from error
        raise Unreachable("The object store does not answer.", "Try again in a moment.") from error
