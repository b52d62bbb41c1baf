"""What models read and nobody can make again, in the folder of backbones: fine-tuned networks and fingerprints."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select

from backend.core.extractors import FINETUNED, FINGERPRINT, finetuned_networks, irreplaceable_files
from backend.service.database import Database
from backend.service.jobs import FINISHED
from backend.service.storage import list_tree, remove
from backend.service.tables import JobRow
from backend.settings import StorePath

_ORPHAN_SECONDS = 24 * 3600.0


def files_of(card: dict[str, Any]) -> list[str]:
    """The names of such files that a model reads."""
    return irreplaceable_files(_spec_of(card)) if _spec_of(card) else []


def known_networks(database: Database) -> dict[str, str]:
    """Each fine-tuned network that a model runs, by its digest, and the name of the oldest such model."""
    cards = [card for card in database.list_models() if _spec_of(card)]
    return {network: str(card["name"]) for card in cards for network in finetuned_networks(_spec_of(card))}


def known_fingerprints(database: Database) -> dict[str, str]:
    """Each fingerprint that a model reads, by the digest of its file, and its generator with its denoiser."""
    found = [one for card in database.list_models() for one in card.get("fingerprints") or ()]
    return {str(one["digest"]): f"{one['generator']} ({one['denoiser']})" for one in found}


def drop_unused(database: Database, backbones: StorePath, names: Iterable[str]) -> None:
    """Removes those of the files that no model reads and that no waiting or running job names by their digests."""
    used = {name for card in database.list_models() for name in files_of(card)}
    with database.reading() as session:
        asked = json.dumps(list(session.scalars(select(JobRow.params).where(JobRow.state.not_in(FINISHED)))))
    remove(backbones / name for name in names if name not in used and _digest_in(name) not in asked)


def sweep_unused(database: Database, backbones: StorePath) -> None:
    """Removes the files that jobs left more than a day ago and that no model came to read."""
    old = [
        name
        for name, entry in list_tree(backbones).items()
        if name.startswith((f"{FINETUNED}-", f"{FINGERPRINT}-")) and time.time() - entry.modified > _ORPHAN_SECONDS
    ]
    drop_unused(database, backbones, old)


def _spec_of(card: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = card["extractor"].get("spec") or {}
    return spec if "name" in spec else {}


def _digest_in(name: str) -> str:
    return name.rpartition("-")[2].partition(".")[0]
