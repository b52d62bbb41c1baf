"""Fitted detectors: models/<id>/ in the store and their rows in the database. A card.json, written last, makes one."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import threading
import time
import zipfile
from collections import OrderedDict
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from safetensors.numpy import load, save

from backend.core.detector import Detector, restore
from backend.core.errors import Conflict, IntegrityError, NoActiveModel, NotFound, Unreachable
from backend.core.extractors.cnn import CnnExtractor
from backend.service.backbones import local_backbones
from backend.service.database import Database
from backend.service.shards import LABEL_NAMES
from backend.service.storage import (
    Entry,
    exists,
    list_folders,
    list_tree,
    read_ahead,
    read_bytes,
    remove,
    remove_tree,
    write_bytes,
    written_whole,
)
from backend.settings import StorePath

logger = logging.getLogger(__name__)

Card = dict[str, Any]
Cards = list[Card]

CARD, HEAD, PREDICTIONS = "card.json", "head.safetensors", "predictions.parquet"
CELLS = {"tp": (1, 1), "fp": (0, 1), "fn": (1, 0), "tn": (0, 0)}
"""Cells of the confusion matrix: name -> (label, called FAKE). FAKE is the positive class."""

_ACTIVE = "active_model"
_LOADED_AT_ONCE = 4
_LOCK = "models"
_TRUST_SECONDS = 1.0
_PRESENTED = ("active", "size_bytes", "digest")  # made for each answer, not part of the card on disk
_DECIDING = ("extractor", "backbone_digest", "calibration", "threshold", "unsure_band", "sides")
_NEEDED = ("name", "created_at", "extractor", "head", "calibration", "threshold")


def write_head(folder: StorePath, detector: Detector) -> None:
    """Writes the head's arrays into a model's folder; never a pickle."""
    write_bytes(folder / HEAD, save({name: np.ascontiguousarray(a) for name, a in detector.head.arrays().items()}))


def write_card(folder: StorePath, card: Card) -> None:
    """Writes the card, whole or not at all: from then on the folder is a model."""
    write_bytes(folder / CARD, (json.dumps(card, indent=1, allow_nan=False) + "\n").encode())


class Registry:
    """Lists, chooses, changes, exports and loads models. Safe to share between threads."""

    def __init__(self, root: StorePath, backbones: StorePath, database: Database, threads: int = 1) -> None:
        self.root, self.backbones, self._database, self._threads = root, backbones, database, threads
        self._loaded: OrderedDict[str, Detector] = OrderedDict()
        self._seen: dict[str, float] = {}  # when a loaded model was last found in the database
        self._lock = threading.Lock()

    def sync(self, shipped: Path | None = None) -> None:
        """Makes the table agree with the folders: a copied-in model appears, a removed one goes; one is active.

        An empty registry begins with copies of the models in `shipped`. A card that was replaced on disk, as by an
        update of the shipped model, counts from now on: it belongs to the arrays beside it.
        """
        with self._database.locked(_LOCK):
            known = {card["id"]: card for card in self._database.list_models()}
            found = self._read_cards()
            if not known and not found and shipped is not None and self._copy(shipped):
                found = self._read_cards()
            for model_id in known.keys() - found.keys():
                self._database.delete_model(model_id)
            for model_id, card in found.items():
                if known.get(model_id) != card:
                    self._database.save_model(card)
            if found and self.active() not in found:
                first = [model_id for model_id, card in found.items() if card["shipped"]] or list(found)
                self._database.set_setting(_ACTIVE, first[0])

    def _read_cards(self) -> dict[str, Card]:
        """The cards of all folders that are models, by id in order."""
        cards = read_ahead(lambda name: _read_card(self.root / name / CARD), list_folders(self.root))
        return {card["id"]: card for card in cards if card is not None}

    def _copy(self, shipped: Path) -> bool:
        """Whether models came from the folder `shipped`, which is not our own: what makes each one whole comes last."""
        if shipped == self.root:
            return False
        files = sorted(list_tree(shipped), key=lambda name: (name.endswith(f"/{CARD}"), name))
        for name in files:
            if "/" in name:
                write_bytes(self.root / name, read_bytes(shipped / name))
        return bool(files)

    def folder(self, model_id: str) -> StorePath:
        """Where the files of a model belong."""
        return self.root / model_id

    def list_unfinished(self) -> list[str]:
        """The folders that are no models: of fits under way, and of fits and removals that were killed."""
        folders = [name for name in list_folders(self.root) if name != self.backbones.name]
        is_whole = read_ahead(self._is_whole, folders)
        return [name for name, whole in zip(folders, is_whole, strict=True) if not whole]

    def discard(self, model_id: str) -> None:
        """Removes what an unfinished fit or removal left; nothing where the model is whole."""
        if not self._is_whole(model_id):
            remove_tree(self.root / model_id)

    def _is_whole(self, model_id: str) -> bool:
        return not model_id.startswith(".") and exists(self.root / model_id / CARD)

    def has(self, model_id: str) -> bool:
        """Whether the model is there, in the store and in the database."""
        return self._database.has_model(model_id)

    def add(self, card: Card) -> None:
        """Makes the files in the model's folder a model, and records it. Doing it twice changes nothing."""
        folder = self.root / str(card["id"])
        with self._database.locked(_LOCK):
            present = _read_card(folder / CARD) if exists(folder / CARD) else None
            if present is None:
                write_card(folder, card)
            self._database.save_model(present or card)

    def list(self) -> Cards:
        """All cards, newest first."""
        active = self.active()
        files: dict[str, dict[str, Entry]] = {}
        for path, entry in list_tree(self.root).items():
            model_id, _, name = path.partition("/")
            files.setdefault(model_id, {})[name] = entry
        cards = [self._present(card, active, files.get(card["id"], {})) for card in self._database.list_models()]
        return sorted(cards, key=lambda card: str(card["created_at"]), reverse=True)

    def get(self, model_id: str) -> dict[str, Any]:
        """One card. Raises NotFound."""
        card = self._database.get_model(model_id)
        if card is None:
            raise _no_model(model_id)
        return self._present(card, self.active(), list_tree(self.root / model_id))

    def _present(self, card: Card, active: str | None, files: dict[str, Entry]) -> Card:
        size = sum(entry.size for entry in files.values())
        digest = _digest(card, self.root / card["id"] / HEAD, files.get(HEAD))
        return {**card, "active": card["id"] == active, "size_bytes": size, "digest": digest}

    def active(self) -> str | None:
        """Id of the model that predictions use unless told otherwise."""
        value = self._database.get_setting(_ACTIVE)
        return str(value) if value else None

    def set_active(self, model_id: str) -> dict[str, Any]:
        """Chooses the model for prediction, for this and every later start. Raises NotFound or IntegrityError."""
        self.detector(model_id)  # a model that cannot be loaded is never made active
        with self._database.locked(_LOCK):
            card = self.get(model_id)
            self._database.set_setting(_ACTIVE, model_id)
        return {**card, "active": True}

    def update(self, model_id: str, name: str | None = None, notes: str | None = None) -> dict[str, Any]:
        """Changes what a person wrote about a model; None leaves it. Raises NotFound."""
        with self._database.locked(_LOCK):
            card = {key: value for key, value in self.get(model_id).items() if key not in _PRESENTED}
            changes = {"name": name, "notes": notes}
            card.update({key: value for key, value in changes.items() if value is not None})
            write_card(self.root / model_id, card)
            self._database.save_model(card)
        return self.get(model_id)

    def delete(self, model_id: str) -> None:
        """Removes a model and its files. Raises NotFound, or Conflict for the active one."""
        with self._database.locked(_LOCK):
            self.get(model_id)
            if model_id == self.active():
                raise Conflict(f"The model {model_id!r} is active.", "Choose another with POST /set first.")
            remove([self.root / model_id / CARD])  # first: a folder half removed would be found by the next start
            self._database.delete_model(model_id)
        with self._lock:
            self._loaded.pop(model_id, None)
        remove_tree(self.root / model_id)

    def detector(self, model_id: str | None = None) -> Detector:
        """The detector of a model, the active one by default; the last few stay loaded.

        Raises NoActiveModel, NotFound, or IntegrityError where its files are damaged.
        """
        chosen = model_id or self.active()
        if chosen is None:
            raise NoActiveModel("No model is chosen for prediction.", "Fit one (POST /fit), then POST /set.")
        if self._is_loaded(chosen):
            with self._lock:
                if chosen in self._loaded:
                    self._loaded.move_to_end(chosen)
                    return self._loaded[chosen]
        card = self._database.get_model(chosen)
        if card is None:
            raise _no_model(chosen)
        backbones = local_backbones(card["extractor"]["spec"], self.backbones)
        detector = restore(card, self._arrays(chosen), backbones=backbones, threads=self._threads)
        with self._lock:
            self._loaded[chosen], self._seen[chosen] = detector, time.monotonic()
            while len(self._loaded) > _LOADED_AT_ONCE:
                self._seen.pop(self._loaded.popitem(last=False)[0], None)
        return detector

    def _is_loaded(self, model_id: str) -> bool:
        """Whether the model is in memory and has not been deleted since, by any process (as of a second ago)."""
        seen = self._seen.get(model_id)
        if seen is None or time.monotonic() - seen < _TRUST_SECONDS:
            return seen is not None
        present = self._database.has_model(model_id)
        with self._lock:
            if present:
                self._seen[model_id] = time.monotonic()
            else:
                self._loaded.pop(model_id, None)
                self._seen.pop(model_id, None)
        return present

    def _arrays(self, model_id: str) -> dict[str, NDArray[Any]]:
        try:
            return dict(load(read_bytes(self.root / model_id / HEAD)))
        except Unreachable:
            raise
        except Exception as error:  # safetensors raises its own errors, the file system others
            raise IntegrityError(
                f"The files of model {model_id!r} are damaged.", "Delete it and fit it again."
            ) from error

    def predictions(
        self, model_id: str, *, split: str | None = None, cell: str | None = None, limit: int = 50, offset: int = 0
    ) -> tuple[Cards, int]:
        """Scores of the evaluated images, worst mistakes first: a page of rows and how many there are in all.

        `cell` is one of CELLS. A row: row, path, label, split, score, probability_fake, predicted.
        """
        threshold = float(self.get(model_id)["threshold"])
        try:
            table = pq.read_table(BytesIO(read_bytes(self.root / model_id / PREDICTIONS)))
        except FileNotFoundError:
            return [], 0
        except (pa.ArrowException, OSError) as error:
            raise IntegrityError(
                f"The predictions of model {model_id!r} are damaged.", "Delete it and fit it again."
            ) from error
        keep = np.ones(table.num_rows, dtype=bool)
        label = table["label"].to_numpy()
        probability = table["probability_fake"].to_numpy()
        called = (probability >= threshold).astype(np.int8)
        if split is not None:
            keep &= np.asarray(pc.equal(table["split"], split))
        if cell is not None:
            wanted_label, wanted_call = CELLS[cell]
            keep &= (label == wanted_label) & (called == wanted_call)
        rows = np.flatnonzero(keep)
        certainty_of_truth = np.where(label[rows] == 1, probability[rows], 1 - probability[rows])
        page = rows[np.argsort(certainty_of_truth, kind="stable")][offset : offset + limit]
        return [
            {**item, "label": LABEL_NAMES[item["label"]], "predicted": LABEL_NAMES[called[index]]}
            for index, item in zip(page, table.take(page).to_pylist(), strict=True)
        ], len(rows)

    def export(self, model_id: str, target: Path) -> Path:
        """Writes a zip with the card, the head's arrays and, where the extractor is a network, one ONNX graph."""
        from backend.core.heads.export import bundle  # imports onnx

        detector = self.detector(model_id)
        with written_whole(target) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in (CARD, HEAD):
                archive.writestr(f"{model_id}/{name}", read_bytes(self.root / model_id / name))
            if isinstance(detector.extractor, CnnExtractor):
                graph = bundle(
                    detector.extractor.path,
                    detector.head,
                    slope=detector.slope,
                    intercept=detector.intercept,
                    card=self.get(model_id),
                )
                archive.writestr(f"{model_id}/detector.onnx", graph)
        return target


def _digest(card: Card, head: StorePath, entry: Entry | None) -> str | None:
    """SHA-256 over all that decides an answer: the head's file and the card's part of it; None where the file is gone.

    Equal for two models exactly where they answer every image alike; a new name or new notes do not change it.
    """
    if entry is None:
        return None
    try:
        arrays = _file_digest(head, entry)
    except FileNotFoundError:
        return None
    deciding = json.dumps({"head": arrays, **{key: card.get(key) for key in _DECIDING}}, sort_keys=True)
    return hashlib.sha256(deciding.encode()).hexdigest()


@lru_cache(maxsize=1024)
def _file_digest(path: StorePath, _entry: Entry) -> str:
    return hashlib.sha256(read_bytes(path)).hexdigest()


def _read_card(path: StorePath) -> Card | None:
    """The card, or None: where there is none, and with a line in the log where it is damaged or another folder's."""
    try:
        card: Card = json.loads(read_bytes(path))
        whole = all(name in card for name in _NEEDED)
        if whole and card["id"] == path.parent.name and isinstance(card["shipped"], bool):
            return card
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        pass
    logger.warning("models/%s/%s is not a model's card; it is left alone.", path.parent.name, path.name)
    return None


def _no_model(model_id: str) -> NotFound:
    return NotFound(f"There is no model {model_id!r}.", "GET /models lists the models that exist.")


def model_id_for(name: str, job_id: str) -> str:
    """A model's id: a readable slug of its name and a part that is the same whenever the job runs again."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "model"
    return f"{slug}-{re.sub('[^a-z0-9]', '', job_id)[-8:]}"
