"""Files that are made for one answer and leave nothing behind."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from starlette.responses import StreamingResponse

from backend.api.admission import require_space
from backend.api.spool import SpoolFolder
from backend.settings import Settings

_BLOCK = 1_048_576


def download(
    settings: Settings, filename: str, media_type: str, size: int, write: Callable[[Path], object]
) -> StreamingResponse:
    """The answer that sends what `write(path)` wrote, some `size` bytes.

    The file loses its name before the first byte is sent. Raises StorageFull where the disk has no room for it.
    """
    root = settings.spool_dir
    require_space(root, int(settings.min_free), size)
    with SpoolFolder(root / f"export-{secrets.token_hex(8)}") as folder:
        path = folder.path / "file"
        write(path)
        size = path.stat().st_size
        file = path.open("rb")
    headers = {"Content-Length": str(size), "Content-Disposition": f'attachment; filename="{filename}"'}
    return StreamingResponse(_blocks(file), media_type=media_type, headers=headers)


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while block := file.read(_BLOCK):
            yield block
