"""Fine-tuned networks in the folder of backbones: which there are, and which nothing needs any more."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select

from backend.core.extractors import finetuned_networks
from backend.core.extractors.finetuned import FINETUNED, file_name
from backend.service.database import Database
from backend.service.jobs import FINISHED
from backend.service.storage import list_tree, remove
from backend.service.tables import JobRow
from backend.settings import StorePath

_ORPHAN_SECONDS = 24 * 3600.0


def networks_of(card: dict[str, Any]) -> list[str]:
    """The digests of the fine-tuned networks that a model runs."""
    spec = card["extractor"].get("spec") or {}
    return finetuned_networks(spec) if "name" in spec else []


def known_networks(database: Database) -> dict[str, str]:
    """Each network that a model runs, and the name of the oldest such model."""
    return {network: str(card["name"]) for card in database.list_models() for network in networks_of(card)}


def drop_networks(database: Database, backbones: StorePath, networks: Iterable[str]) -> None:
    """Removes the graphs of those networks that no model runs and no waiting or running job names."""
    used = known_networks(database)
    with database.reading() as session:
        asked = json.dumps(list(session.scalars(select(JobRow.params).where(JobRow.state.not_in(FINISHED)))))
    remove(backbones / file_name(network) for network in networks if network not in used and network not in asked)


def sweep_networks(database: Database, backbones: StorePath) -> None:
    """Removes the graphs that jobs left more than a day ago and that no model came to run."""
    begin, end = f"{FINETUNED}-", ".onnx"
    old = [
        name.removeprefix(begin).removesuffix(end)
        for name, entry in list_tree(backbones).items()
        if name.startswith(begin) and name.endswith(end) and time.time() - entry.modified > _ORPHAN_SECONDS
    ]
    drop_networks(database, backbones, old)
