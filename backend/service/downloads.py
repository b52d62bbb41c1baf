"""Known archives from the internet: addresses from a table of ours, resumed where a download broke off, checked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from backend.core.errors import Cancelled, IntegrityError, Unavailable, UnknownSource
from backend.service.sources import ImportLimits, RawImage
from backend.service.sources.zip_archive import ZipSource
from backend.service.storage import copy_in, exists
from backend.service.storage_errors import disk_full_is_told
from backend.settings import StorePath

Progress = Callable[[str, int, int], None]

_CONNECT_SECONDS, _READ_SECONDS = 15, 60
_PIECE = 1 << 16


@dataclass(frozen=True)
class KnownSource:
    """An archive that can be downloaded by name. No client ever names an address."""

    urls: tuple[str, ...]  # tried in this order
    file: str  # name in the downloads folder
    contents: str  # hex SHA-256 of what is in it, see contents_digest; survives another packing of the same images
    sha256: str = ""  # hex, of the file itself, where its publisher promises the same bytes for ever


KNOWN: dict[str, KnownSource] = {
    "cifake": KnownSource(
        urls=(
            "https://www.kaggle.com/api/v1/datasets/download/birdy654/cifake-real-and-ai-generated-synthetic-images",
            "https://codeload.github.com/jordan-bird/CIFAKE-Real-and-AI-Generated-Synthetic-Images/zip/refs/heads/main",
        ),
        file="cifake.zip",
        contents="ad123f67a41909ad8acdc395547fc25f76f108c00cca88cd197de44c87f34716",
    ),
}


def fetch_known(
    name: str, folder: Path, *, progress: Progress | None = None, known: Mapping[str, KnownSource] = KNOWN
) -> Path:
    """The path of the archive in `folder`, downloaded unless it is there; progress counts bytes, stage "download".

    Raises UnknownSource, Unavailable when no address answers, IntegrityError when what came is not the known archive
    (it is removed then), StorageFull.
    """
    if name not in known:
        raise _unknown(name)
    source = known[name]
    path = folder / source.file
    if path.exists():
        return path
    import requests  # here, since every process that reads data sets loads this module

    folder.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.part")
    reasons = []
    for url in source.urls:
        try:
            with disk_full_is_told():
                _download(url, partial, progress)
            break
        except requests.RequestException as error:
            reasons.append(f"{urlsplit(url).hostname}: {type(error).__name__}")
    else:
        raise Unavailable(
            f"{name} could not be downloaded ({'; '.join(reasons)}). What came is kept for the next try.",
            "Check the connection, or download the archive yourself and import the file.",
        )
    try:
        _check(partial, source, progress)
    except Cancelled:
        raise  # it is whole: the next try only checks it
    except Exception:
        _discard(partial)
        raise
    partial.replace(path)
    _state(partial).unlink(missing_ok=True)
    return path


def fetch_into(name: str, folder: StorePath, scratch: Path, *, progress: Progress | None = None) -> StorePath:
    """The path of the archive in `folder`, where every worker can read it; downloaded by way of `scratch`.

    Raises what fetch_known raises.
    """
    if isinstance(folder, Path):
        return fetch_known(name, folder, progress=progress)
    if name not in KNOWN:
        raise _unknown(name)
    path = folder / KNOWN[name].file
    if not exists(path):
        local = fetch_known(name, scratch, progress=progress)
        copy_in(local, path)
        local.unlink()
    return path


def contents_digest(path: Path, progress: Progress | None = None) -> str:
    """Hex SHA-256 over the sorted lines `split/LABEL sha256-of-file` of a zip's images, however packed or named.

    Raises ArchiveError, or IntegrityError when a file in it is damaged.
    """
    source = ZipSource(path, ImportLimits())
    plans = source.chunks()
    lines = []
    for number, plan in enumerate(plans):
        if progress:
            progress("check", number, len(plans))
        for item in source.read(plan):
            if isinstance(item, RawImage):
                lines.append(f"{item.split}/{item.label} {hashlib.sha256(item.data).hexdigest()}\n")
            elif item.code.startswith("archive"):
                raise IntegrityError(f"{item.filename}: {item.message}", "Download the archive again.")
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def _download(url: str, partial: Path, progress: Progress | None) -> None:
    """Completes `partial` from `url`. Raises requests.RequestException."""
    import requests

    held = partial.stat().st_size if partial.exists() else 0
    state = _read_state(partial)
    validator = state.get("validator", "")
    headers = {"Accept-Encoding": "identity"}
    if held and validator and state.get("url") == url:
        headers |= {"Range": f"bytes={held}-", "If-Range": validator}
    else:
        held = 0
    with requests.get(url, headers=headers, stream=True, timeout=(_CONNECT_SECONDS, _READ_SECONDS)) as answer:
        if answer.status_code == 416:
            if answer.headers.get("Content-Range") == f"bytes */{held}":
                return  # nothing was missing
            _discard(partial)
            raise requests.HTTPError("the server cannot go on where the download broke off")
        answer.raise_for_status()
        if answer.status_code != 206 or not answer.headers.get("Content-Range", "").startswith(f"bytes {held}-"):
            held = 0
        total = held + int(answer.headers.get("Content-Length", 0))
        tag = answer.headers.get("ETag", "")
        # a weak tag does not promise the same bytes
        validator = tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified", "")
        _state(partial).write_text(json.dumps({"url": url, "validator": validator}), encoding="utf-8")
        with partial.open("ab" if held else "wb") as file:
            for piece in answer.iter_content(_PIECE):
                file.write(piece)
                held += len(piece)
                if progress:
                    progress("download", held, max(total, held))
    if held < total:
        raise requests.ConnectionError("the connection ended early")


def _check(path: Path, source: KnownSource, progress: Progress | None) -> None:
    if source.sha256:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != source.sha256:
            raise _not_it(source)
    if source.contents and contents_digest(path, progress) != source.contents:
        raise _not_it(source)


def _unknown(name: str) -> UnknownSource:
    return UnknownSource(f"{name!r} cannot be downloaded.", f"Known archives: {', '.join(KNOWN)}.")


def _not_it(source: KnownSource) -> IntegrityError:
    return IntegrityError(
        f"The downloaded {source.file} is not the archive that is known: its checksum differs.",
        "Try again; if that fails too, download the archive yourself and import the file.",
    )


def _state(partial: Path) -> Path:
    return partial.with_name(f"{partial.name}.json")


def _read_state(partial: Path) -> dict[str, str]:
    try:
        state = json.loads(_state(partial).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def _discard(partial: Path) -> None:
    partial.unlink(missing_ok=True)
    _state(partial).unlink(missing_ok=True)
