"""Fitted detectors: models/<id>/ in the store and their rows in the database. A card.json, written last, makes one."""

from __future__ import annotations

import threading
import time
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from backend.core.detector import Detector, restore
from backend.core.errors import Conflict, NoActiveModel, NotFound
from backend.core.extractors.network import NetworkExtractor
from backend.service.backbones import local_backbones
from backend.service.database import Database
from backend.service.irreplaceable import drop_unused, files_of
from backend.service.model_files import CARD, HEAD, Card, answers_digest, read_arrays, read_card, write_card
from backend.service.scored import read_scored
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

Cards = list[Card]

_ACTIVE = "active_model"
_LOADED_AT_ONCE = 4
_LOCK = "models"
_TRUST_SECONDS = 1.0
_PRESENTED = ("active", "size_bytes", "digest")  # made for each answer, not part of the card on disk


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
                if not self._is_whole(model_id):  # a card that is damaged is no reason to forget what it said
                    self._database.delete_model(model_id)
                    del known[model_id]
            for model_id, card in found.items():
                if known.get(model_id) != card:
                    self._database.save_model(card)
            if found and self.active() not in found.keys() | known.keys():
                first = [model_id for model_id, card in found.items() if card["shipped"]] or list(found)
                self._database.set_setting(_ACTIVE, first[0])

    def forget_removed(self) -> None:
        """Removes the rows of models without a card: a server was killed while it deleted them.

        Where no model has one, the folder itself is away for the moment, and nothing is forgotten.
        """
        with self._database.locked(_LOCK):
            known = [card["id"] for card in self._database.list_models()]
            gone = [model_id for model_id in known if not self._is_whole(model_id)]
            if len(gone) < len(known):
                for model_id in gone:
                    self._database.delete_model(model_id)

    def _read_cards(self) -> dict[str, Card]:
        """The cards of all folders that are models, by id in order."""
        cards = read_ahead(lambda name: read_card(self.root / name / CARD), list_folders(self.root))
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
            present = read_card(folder / CARD)
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
        digest = answers_digest(card, self.root / card["id"] / HEAD, files.get(HEAD))
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
        given = {"name": name, "notes": notes}
        return self.change(model_id, lambda: {key: value for key, value in given.items() if value is not None})

    def change(self, model_id: str, make: Callable[[], Mapping[str, Any]]) -> Card:
        """The card with what `make` gives laid over it, asked while nobody else changes models. Raises NotFound."""
        with self._database.locked(_LOCK):
            card = {key: value for key, value in self.get(model_id).items() if key not in _PRESENTED}
            card.update(make())
            write_card(self.root / model_id, card)
            self._database.save_model(card)
        return self.get(model_id)

    def delete(self, model_id: str) -> None:
        """Removes a model, its files, and the fine-tuned networks and fingerprints that no other reads.

        Raises NotFound, or Conflict for the active one.
        """
        with self._database.locked(_LOCK):
            card = self.get(model_id)
            if model_id == self.active():
                raise Conflict(f"The model {model_id!r} is active.", "Choose another with POST /set first.")
            remove([self.root / model_id / CARD])  # first: a folder half removed would be found by the next start
            self._database.delete_model(model_id)
            drop_unused(self._database, self.backbones, files_of(card))
        with self._lock:
            self._loaded.pop(model_id, None)
            self._seen.pop(model_id, None)
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
        detector = restore(card, read_arrays(self.root / chosen), backbones=backbones, threads=self._threads)
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

    def predictions(
        self, model_id: str, *, split: str | None = None, cell: str | None = None, limit: int = 50, offset: int = 0
    ) -> tuple[Cards, int]:
        """Scores of the images that the model was evaluated on, see `read_scored`. Raises NotFound, IntegrityError."""
        threshold = float(self.get(model_id)["threshold"])
        return read_scored(self.root / model_id, threshold, split=split, cell=cell, limit=limit, offset=offset)

    def export(self, model_id: str, target: Path) -> Path:
        """Writes a zip with the card, the head's arrays, its own networks and fingerprints if any, and one ONNX graph.

        The graph, from pixels to probabilities, is there where the extractor is a network alone.
        """
        from backend.core.heads.export import bundle  # imports onnx

        detector = self.detector(model_id)
        with written_whole(target) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in (CARD, HEAD):
                archive.writestr(f"{model_id}/{name}", read_bytes(self.root / model_id / name))
            for name in files_of(self.get(model_id)):
                archive.writestr(f"{model_id}/{name}", read_bytes(self.backbones / name))
            if isinstance(detector.extractor, NetworkExtractor):
                graph = bundle(
                    detector.extractor.path,
                    detector.head,
                    calibration=detector.calibration,
                    card=self.get(model_id),
                )
                archive.writestr(f"{model_id}/detector.onnx", graph)
        return target


def _no_model(model_id: str) -> NotFound:
    return NotFound(f"There is no model {model_id!r}.", "GET /models lists the models that exist.")
