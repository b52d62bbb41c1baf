"""Which enrolled source made the images of a request; the gallery that it takes is kept until a file changes."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.errors import DeepfakeError, IntegrityError, InvalidInput, NotFound, Unreachable
from backend.core.extractors import Extractor
from backend.core.fingerprints.attribution import FALSE_ATTRIBUTION, Attribution, attribute
from backend.core.fingerprints.comparison import Comparison, compare
from backend.core.fingerprints.denoisers import check_denoiser
from backend.core.fingerprints.fingerprint import TRAITS_SPEC
from backend.core.fingerprints.gallery import Gallery
from backend.core.fingerprints.sizes import crop, working_size
from backend.core.images import decode
from backend.service.features import loaded_extractor
from backend.service.fingerprints import Fingerprints, Record, Records, Stamps
from backend.settings import StorePath

MOST_IN_BATCH = 256
"""Images that may be said to come from one source: they are held in memory together, up to 200 MiB."""

_KEPT = 2
"""Galleries that are kept: of two denoisers, say."""

File = tuple[int, bytes | DeepfakeError]
"""Number of a file, and its content or why it could not be received."""


@dataclass(frozen=True)
class Enrolled:
    """Everything that is enrolled by one denoiser, measured against each other."""

    records: Records
    gallery: Gallery
    comparison: Comparison
    left_out: list[dict[str, str]]  # damaged or lost ones, which cannot be compared: id, generator, reason

    @property
    def denoiser(self) -> str:
        """What all residuals were taken by."""
        return self.gallery.fingerprints[0].denoiser


@dataclass(frozen=True)
class Answer:
    """What became of the files of one request."""

    denoiser: str
    calibrated: bool  # whether thresholds were measured on sources left out
    left_out: list[dict[str, str]]  # what is enrolled, but damaged or lost: id, generator, reason
    attributions: list[dict[str, Any]]
    errors: list[tuple[int, DeepfakeError]]  # number of a file that could not be used, and why


class Attributor:
    """Answers for what is enrolled at the moment. Safe to share between threads."""

    def __init__(self, fingerprints: Fingerprints, backbones: StorePath, max_pixels: int) -> None:
        self._store, self._backbones, self._max_pixels = fingerprints, backbones, max_pixels
        self._kept: dict[tuple[str, ...], tuple[Stamps, Enrolled]] = {}  # with the stamps of the files
        self._lock = threading.Lock()

    def enrolled(self, denoiser: str | None = None) -> Enrolled:
        """What is enrolled by a denoiser. The first call after a change, of a file too, takes a second or two.

        A fingerprint whose file is damaged or lost is left out. While an object store does not answer, what was read
        before counts. Raises NotFound where nothing is enrolled, ConfigError, and where no file is left that can be
        read what is wrong with the last: IntegrityError or NotFound.
        """
        records = self._store.all(self._store.choose_denoiser(denoiser))
        key = tuple(f"{record['id']} {record['digest']}" for record in records)
        try:
            stamps = self._store.stamps(records)
        except Unreachable:
            if (kept := self._kept.get(key)) is None:
                raise
            return kept[1]
        with self._lock:  # whoever comes meanwhile waits, and does not build it too
            if key not in self._kept or self._kept[key][0] != stamps:
                self._kept[key] = stamps, _measure(self._store, records)
                while len(self._kept) > _KEPT:
                    del self._kept[next(iter(self._kept))]
            return self._kept[key][1]

    def describe(self, record: Record) -> Record:
        """The record with `others`, the correlations of other sources' images with it, and its look-alikes."""
        enrolled = self.enrolled(str(record["denoiser"]))
        name = record["generator"]
        others = enrolled.gallery.others.get(name)
        pairs = enrolled.comparison.to_json()["indistinguishable"]
        mine = [pair for pair in pairs if name in (pair["first"], pair["second"])]
        return {**record, "others": None if others is None else vars(others), "indistinguishable": mine}

    def attribute(
        self,
        files: Iterable[File],
        *,
        batch: bool = False,
        false_attribution: float = FALSE_ATTRIBUTION,
        denoiser: str | None = None,
    ) -> Answer:
        """For each file on its own, or for all of them as a `batch` of one source; a bad file does not fail the others.

        Files are read one at a time. Raises NotFound, ConfigError, and InvalidInput for a batch without a usable image
        or with more than MOST_IN_BATCH.
        """
        enrolled = self.enrolled(denoiser)
        asked = _Question(enrolled, loaded_extractor(TRAITS_SPEC, self._backbones), false_attribution)
        answered: list[dict[str, Any]] = []
        errors: list[tuple[int, DeepfakeError]] = []
        held: list[tuple[int, NDArray[np.uint8], bool]] = []
        for number, content in files:
            try:
                pixels, is_cut = self._open(content, enrolled.denoiser)
                if not batch:
                    answered.append(asked.ask([(number, pixels, is_cut)]))
            except InvalidInput as error:
                if _is_about_request(error):
                    raise
                errors.append((number, error))
                continue
            if batch:
                held.append((number, pixels, is_cut))
                if len(held) > MOST_IN_BATCH:
                    raise InvalidInput(
                        f"A batch of more than {MOST_IN_BATCH} images.", "Send fewer: more hardly tell anything new."
                    )
        if held:
            answered.append(asked.ask(held))
        return Answer(enrolled.denoiser, enrolled.gallery.calibrated, enrolled.left_out, answered, errors)

    def _open(self, content: bytes | DeepfakeError, denoiser: str) -> tuple[NDArray[np.uint8], bool]:
        """(the part of an image that is used, whether there is more of it)."""
        if isinstance(content, DeepfakeError):
            raise content
        pixels = decode(content, max_pixels=self._max_pixels).pixels
        size = working_size(*pixels.shape[:2])
        check_denoiser(denoiser, *size)
        is_cut = size != pixels.shape[:2]
        return crop(pixels, size).copy() if is_cut else pixels, is_cut


@dataclass(frozen=True)
class _Question:
    enrolled: Enrolled
    traits: Extractor
    false_attribution: float

    def ask(self, images: list[tuple[int, NDArray[np.uint8], bool]]) -> dict[str, Any]:
        """The attribution of images of one source, with the numbers of their files."""
        pixels = [image for _, image, _ in images]
        found = attribute(self.enrolled.gallery, pixels, traits=self.traits, false_attribution=self.false_attribution)
        told = found.to_json()
        about = {record["generator"]: record for record in self.enrolled.records}
        matches = [
            {**match, "id": about[match["generator"]]["id"], "label": about[match["generator"]]["label"]}
            for match in told["matches"]
        ]
        return {
            **told,
            "files": [number for number, _, _ in images],
            "cut": sum(is_cut for _, _, is_cut in images),
            "matches": matches,
            "notes": _notes(found, calibrated=self.enrolled.gallery.calibrated),
        }


def _notes(found: Attribution, *, calibrated: bool) -> list[dict[str, str]]:
    """What a reader of an attribution has to know."""
    best, notes = found.matches[0], []
    if best.crops:
        message = (
            f"{best.crops} of {found.images} images have another size than the fingerprint of {best.generator}: "
            f"{100 * best.pixels_share:.0f} % of it was compared, which costs {100 * best.lost:.0f} % of the signal."
        )
        notes.append({"code": "cropped", "message": message})
    if found.constant or found.duplicates:
        message = f"Left out: {found.constant} images of one colour, {found.duplicates} that came twice."
        notes.append({"code": "left_out", "message": message})
    if not calibrated:
        message = "Fewer than three sources are enrolled: the threshold was not measured, and may let more through."
        notes.append({"code": "uncalibrated", "message": message})
    return notes


def _measure(store: Fingerprints, records: Records) -> Enrolled:
    fingerprints, sound, left_out = [], [], []
    damage: IntegrityError | NotFound | None = None
    for record in records:
        try:
            fingerprints.append(store.read(record))
            sound.append(record)
        except (IntegrityError, NotFound) as error:
            damage, reason = error, f"{error.message} {error.hint}"
            left_out.append({"id": str(record["id"]), "generator": str(record["generator"]), "reason": reason})
    if damage is not None and not sound:
        raise damage
    gallery, comparison = Gallery.of(fingerprints), compare(fingerprints)
    # the largest parts of a fingerprint, which were measured now and are not asked for again
    slim = tuple(
        replace(one, sample=one.sample[:0].copy(), traits=one.traits[:0].copy()) for one in gallery.fingerprints
    )
    return Enrolled(sound, replace(gallery, fingerprints=slim), comparison, left_out)


def _is_about_request(error: InvalidInput) -> bool:
    """Whether the request is wrong as a whole, and not one file of it."""
    return error.code.startswith("config")
