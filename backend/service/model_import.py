"""An exported model back into the registry: card, arrays and files of its own are read, checked and tried."""

from __future__ import annotations

import hashlib
import json
import math
import re
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from backend.core.calibrators import Calibration
from backend.core.detector import Detector, restore
from backend.core.errors import BrokenArchive, Conflict, DeepfakeError, IntegrityError, InvalidInput, Unavailable
from backend.core.extractors import FINETUNED, check_spec, fingerprints_in, irreplaceable_files, is_at_hand
from backend.core.extractors.concat import MOST_PARTS
from backend.core.extractors.fingerprint import MOST as MOST_FINGERPRINTS
from backend.core.extractors.stored import digest_of_file
from backend.core.fingerprints.frozen import FrozenFingerprint
from backend.service.backbones import local_backbones, make_extractor
from backend.service.card_limits import check_limits
from backend.service.irreplaceable import drop_unused
from backend.service.model_files import write_head
from backend.service.sources.zip_directory import Member, find_listing, list_members, read_member
from backend.service.storage import exists, write_bytes

if TYPE_CHECKING:
    from backend.service.app import Service

_MAX_CARD_BYTES = 16 * 2**20
_MAX_HEAD_BYTES = 256 * 2**20
_MAX_GRAPH_BYTES = 256 * 2**20
_MAX_OTHERS = 16  # members beside the fine-tuned networks and fingerprints that the card names
_MAX_MEMBERS = _MAX_OTHERS + MOST_PARTS * MOST_FINGERPRINTS
_LARGEST = 1e300  # integers of JSON have no end, and `math.isfinite` fails on those beyond a float

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_SHAPE: dict[str, type | tuple[type, ...]] = {
    "name": str,
    "notes": str,
    "created_at": str,
    "dataset": dict,
    "config": dict,
    "extractor": dict,
    "head": dict,
    "activation": str,
    "loss": str,
    "threshold": float,
    "calibration": dict,
    "unsure_band": list,
    "metrics": dict,
    "accuracy": dict,
    "generators": list,
    "timings": dict,
}
"""Keys that every card has, and what their values are."""

_EXTRACTOR = {"name": str, "spec": dict, "digest": str}


def archive_digest(archive: BinaryIO) -> str:
    """SHA-256 of an archive, hexadecimal: what DEEPFAKE_ALLOWED_MODELS lists."""
    archive.seek(0)
    digest = hashlib.sha256()
    while piece := archive.read(2**20):
        digest.update(piece)
    return digest.hexdigest()


def import_model(service: Service, archive: BinaryIO, *, may_export: bool) -> dict[str, Any]:
    """The card of the model in the archive, which is in the registry now; another stays the active one.

    Pretrained networks in the archive are not used: the one that the card names has to be in the folder of backbones;
    with `may_export` it is made anew from its package where it is missing. Fine-tuned networks and fingerprints come
    with the archive and count where their bytes have the digests that the card names. Raises ArchiveError,
    InvalidInput, Unavailable, Conflict where a model of that id exists, IntegrityError where the parts do not belong
    together.
    """
    card, head = read_archive(archive)
    if service.database.get_model(card["id"]) is not None:
        raise Conflict(f"There is a model {card['id']!r} already.", "Delete that one first if it is another.")
    spec = check_spec(card["extractor"]["spec"])
    _bring_files(service, archive, spec)
    try:
        detector = _restore(service, card, head, may_export=may_export)
        _register(service, {**card, "fingerprints": fingerprints_in(detector.extractor) or None}, detector)
    except Exception:
        drop_unused(service.database, service.registry.backbones, irreplaceable_files(spec))
        raise
    return service.registry.get(card["id"])


def read_archive(archive: BinaryIO) -> tuple[dict[str, Any], bytes]:
    """The card and the head's file of an exported model. Raises BrokenArchive, ArchiveTooLarge or InvalidInput."""
    members = _members(archive)
    text = read_member(archive, members["card.json"], _MAX_CARD_BYTES)
    head = read_member(archive, members["head.safetensors"], _MAX_HEAD_BYTES)
    try:
        card = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise InvalidInput("card.json is not valid JSON.", "Export the model again.") from None
    _check_card(card)
    card.pop("held_out_generators", None)  # of evaluations that are not here; they are made anew in minutes
    return {**card, "shipped": False}, head


def _bring_files(service: Service, archive: BinaryIO, spec: dict[str, Any]) -> None:
    """Puts the fine-tuned networks and fingerprints of `spec` into the folder of backbones, unless they are there.

    Raises BrokenArchive where the archive lacks one or has far more than them, IntegrityError where one is another.
    """
    from backend.core.extractors.graph_check import check_graph  # here: it imports onnx

    members, needed = _members(archive), irreplaceable_files(spec)
    if len(members) > _MAX_OTHERS + len(needed):
        raise BrokenArchive(f"The archive has {len(members)} files: it is no model.", "Send an exported model.")
    for name in needed:
        target = service.registry.backbones / name
        if exists(target):
            continue
        if name not in members or members[name].encrypted:
            raise BrokenArchive(f"The archive has no {name}, which the model reads.", "Export the model again.")
        data = read_member(archive, members[name], _MAX_GRAPH_BYTES)
        if digest_of_file(data) not in name:
            raise IntegrityError(f"{name} is not the file that the card names.", "Export the model again.")
        if name.startswith(f"{FINETUNED}-"):
            check_graph(data)
        else:
            FrozenFingerprint.from_bytes(data)
        write_bytes(target, data)


def _members(file: BinaryIO) -> dict[str, Member]:
    """The members by the last part of their names."""
    listing = find_listing(file)
    if listing.members > _MAX_MEMBERS:
        raise BrokenArchive(f"The archive lists {listing.members} files: it is no model.", "Send an exported model.")
    members = list_members(file, listing, listing.offset, listing.members)
    found = {member.name.rpartition("/")[2]: member for member in members}
    for name in ("card.json", "head.safetensors"):
        if name not in found or found[name].encrypted:
            raise BrokenArchive(f"The archive has no readable {name}: it is no model.", "Send an exported model.")
    return found


def _check_card(card: Any) -> None:
    """Raises InvalidInput unless it is a card that every reader can show."""
    if not isinstance(card, dict) or not isinstance(card.get("id"), str) or not _ID.fullmatch(card["id"]):
        raise InvalidInput("card.json has no usable id.", "Export the model again.")
    for name, kind in _SHAPE.items():
        value = card.get(name)
        if not isinstance(value, (kind, int) if kind is float else kind) or isinstance(value, bool):
            raise InvalidInput(f"card.json has no usable {name!r}.", "Export the model again.")
    numbers = [card["threshold"], *card["unsure_band"]]
    if not all(isinstance(number, int | float) and abs(number) <= _LARGEST for number in numbers):
        raise InvalidInput("card.json has a threshold that is no number.", "Export the model again.")
    try:
        Calibration.from_json(card["calibration"])
    except (KeyError, TypeError, ValueError, OverflowError):
        raise InvalidInput("card.json has no usable calibration.", "Export the model again.") from None
    for name in ("fpr_promise", "domain", "codec", "traces"):
        if not isinstance(card.get(name), dict | None):
            raise InvalidInput(f"card.json has no usable {name!r}.", "Export the model again.")
    check_limits(card)
    extractor = card["extractor"]
    if not 0 < card["threshold"] < 1 or not all(isinstance(extractor.get(n), kind) for n, kind in _EXTRACTOR.items()):
        raise InvalidInput("card.json describes no detector.", "Export the model again.")


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def _register(service: Service, card: dict[str, Any], detector: Detector) -> None:
    write_head(service.registry.folder(card["id"]), detector)
    service.registry.add(card)


def _restore(service: Service, card: dict[str, Any], head: bytes, *, may_export: bool) -> Detector:
    from safetensors.numpy import load

    spec = check_spec(card["extractor"]["spec"])
    backbones = local_backbones(spec, service.registry.backbones)
    if not is_at_hand(spec, backbones):
        if not may_export:
            raise Unavailable(
                "The network that the model was fitted with is not on this server.",
                "Import it with `deepfake models import` on the server, or fit a model with that network first.",
            )
        make_extractor(spec, service.registry.backbones)
    try:
        detector = restore(card, load(head), backbones=backbones)
        answers = detector.predict([np.full((64, 64, 3), 128, np.uint8)])
    except DeepfakeError:
        raise
    except Exception as error:  # safetensors and NumPy raise errors of their own for arrays that do not fit
        raise IntegrityError("The parts of the model do not belong together.", "Export it again.") from error
    if not math.isfinite(answers[0].probability_fake):
        raise IntegrityError("The model gives no numbers.", "Export it again.")
    return detector
