"""Bounds on what is stored: data sets are refused beyond theirs, cached features make room."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from backend.core.errors import DeepfakeError, StorageQuota, Unreachable
from backend.service.database import Database
from backend.service.datasets import DatasetStore
from backend.service.features import SUFFIXES
from backend.service.importing import make_dataset_id
from backend.service.jobs import named_datasets
from backend.service.storage import list_tree, remove
from backend.settings import Settings

if TYPE_CHECKING:
    from backend.service.app import Service

logger = logging.getLogger(__name__)

_NEW_SECONDS = 3600.0
"""Features that are younger may belong to a data set which is being published at this moment."""


def require_dataset_room(database: Database, settings: Settings, more_bytes: int) -> None:
    """Raises StorageQuota where another data set of so many bytes would be beyond what the operator allows.

    Bytes are those of the image files; a zip of photographs has about as many.
    """
    present = database.list_datasets()
    largest = sorted(present, key=lambda info: info["bytes"], reverse=True)[:3]
    names = ", ".join(f"{info['name']} ({info['bytes']:,} bytes)" for info in largest)
    if len(present) >= settings.max_datasets:
        raise StorageQuota(
            f"There are {len(present)} data sets; more are not allowed.",
            f"Delete one that is not needed any more, or raise DEEPFAKE_MAX_DATASETS. The largest: {names}.",
        )
    limit, used = int(settings.max_datasets_bytes), sum(info["bytes"] for info in present)
    if limit and used + more_bytes > limit:
        raise StorageQuota(
            f"The data sets have {used:,} bytes, and {more_bytes:,} more would be beyond the {limit:,} allowed.",
            f"Delete a data set, or raise DEEPFAKE_MAX_DATASETS_BYTES. The largest: {names or 'there is none'}.",
        )


@dataclass(frozen=True)
class _Entry:
    """One file of the cache: the features of one chunk by one extractor."""

    name: str  # below the folder of the cache
    extractor: str  # first digits of its digest
    chunk: str  # the chunk's digest
    size: int  # bytes
    written_at: float  # seconds since 1970


def evict_features(service: Service) -> int:
    """Bytes of cached features that were removed to keep the cache within `max_features_bytes`.

    First go features of no data set, then those that were computed or fitted on longest ago. Those of data sets
    that a waiting or running job uses stay. What is missing is computed again by the next fit that needs it.
    """
    limit = int(service.settings.max_features_bytes)
    entries = _entries(service) if limit else []
    excess = sum(entry.size for entry in entries) - limit
    if not limit or excess <= 0:
        return 0
    owners, uses, busy = chunk_owners(service.datasets), _uses(service), _busy_datasets(service)
    removed, names = 0, []
    for entry in sorted(entries, key=lambda entry: _used_at(entry, owners[entry.chunk], uses)):
        if removed >= excess:
            break
        is_new = time.time() - entry.written_at < _NEW_SECONDS and not owners[entry.chunk]
        if is_new or owners[entry.chunk] & busy:
            continue
        names.append(entry.name)
        removed += entry.size
    remove(service.features.root / name for name in names)
    logger.info("%d bytes of cached features were removed; the cache was %d bytes over its limit.", removed, excess)
    return removed


def _entries(service: Service) -> list[_Entry]:
    entries = []
    for name, file in list_tree(service.features.root).items():
        stem, dot, suffix = name.rpartition(".")
        extractor, _, chunk = stem.partition("/")
        if dot + suffix in SUFFIXES and chunk and not chunk.startswith("."):
            entries.append(_Entry(name, extractor, chunk, file.size, file.modified))
    return entries


def _used_at(entry: _Entry, datasets: set[str], uses: dict[tuple[str, str], float]) -> float:
    """Seconds since 1970 of the last use of an entry; 0 for one of no data set."""
    if not datasets:
        return 0.0
    return max(entry.written_at, *(uses.get((entry.extractor, dataset), 0.0) for dataset in datasets))


def chunk_owners(datasets: DatasetStore) -> dict[str, set[str]]:
    """Chunk's digest -> ids of the data sets that have it. One that is damaged, or was just removed, has none."""
    owners: dict[str, set[str]] = defaultdict(set)
    for info in datasets.list():
        try:
            chunks = datasets.chunks(info.id)
        except Unreachable:
            raise
        except DeepfakeError as error:  # it was removed this moment, or is damaged
            logger.warning("The features of data set %s count as unused: %s", info.id, error.message)
            continue
        for chunk in chunks:
            owners[chunk.digest].add(info.id)
    return owners


def _uses(service: Service) -> dict[tuple[str, str], float]:
    """(first digits of the extractor's digest, data set's id) -> seconds since 1970 of the last fit, by the models."""
    uses: dict[tuple[str, str], float] = defaultdict(float)
    for card in service.database.list_models():
        place = (str(card["extractor"]["digest"])[:16], str((card.get("dataset") or {}).get("id")))
        uses[place] = max(uses[place], datetime.fromisoformat(card["created_at"]).timestamp())
    return uses


def _busy_datasets(service: Service) -> set[str]:
    """Ids of the data sets that waiting and running jobs read or make."""
    busy = set()
    named = {info["name"]: info["id"] for info in service.database.list_datasets()}
    for job in service.jobs.unfinished():
        if "name" in job.params:
            busy.add(make_dataset_id(str(job.params["name"]), job.id))
        busy |= {named.get(asked, asked) for asked in named_datasets(job.params)}
    return busy
