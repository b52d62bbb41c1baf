"""Extractor + head + calibration + threshold: one detector that turns images into verdicts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.calibration import choose_threshold
from backend.core.calibrators import Calibration, choose_calibration
from backend.core.codec import CodecCheck
from backend.core.config import FitConfig
from backend.core.cross_fitting import score_out_of_fold
from backend.core.domain import DomainCheck
from backend.core.errors import IntegrityError, OneClass, TooFewImages
from backend.core.extractors import Extractor, check_spec, create, finetuned_networks, is_at_hand
from backend.core.heads import FittedHead, HeadConfig, fit_head, load_head
from backend.core.heads.multi import MultiHead
from backend.core.held_out import WHOLE_BELOW, Rows, choose_c_on, two_halves
from backend.core.traces import Traces

Progress = Callable[[str, int, int], None]
Floats = NDArray[np.float64]

MIN_IMAGES_PER_CLASS = 10
"""Fewest images of each class that a fit accepts."""

CROSS_FIT_BELOW = 1_000
"""With fewer validation images, calibration and threshold use out-of-fold scores of training and validation images."""

UNSURE_ODDS = 3.0
"""A verdict is `unsure` while the odds of the answer, relative to the threshold, are below this : 1."""

SIZE_FACTOR = 2.0
"""An image whose sides are beyond this times, or below this part of, those of the training images is out of domain."""

DOMAIN, TRACES = "domain.", "traces."
"""What the names of these checks' arrays begin with, beside the head's in one file."""

_FEATURES = "The image's features are unlike those of the images that the model was trained on."
_LEANS = "It leans towards what the fakes of several generators have in common: `real` does not deserve trust here."


@dataclass(frozen=True)
class Answer:
    """What a detector says of one image."""

    label: str  # "REAL" or "FAKE": probability_fake against the threshold
    probability_fake: float  # 0..1, calibrated; it assumes that half of all images are FAKE
    score: float  # the head's own output: log-odds (logreg) or signed margin (svm), positive towards FAKE
    verdict: str  # "real", "fake" or "unsure"
    in_domain: bool | None  # False: of a size, codec or features that it never saw; None: nothing speaks against it
    reasons: tuple[str, ...]  # sentences that explain the verdict
    reason_codes: tuple[str, ...]  # one for each of the reasons: "size", "codec", "features", "traces" or "too_close"
    closest_generator: str | None = None  # of a FAKE, by the head multi: whose specialist spoke loudest


@dataclass(frozen=True)
class Detector:
    """A fitted detector. Equal images give equal answers whatever the batch."""

    extractor: Extractor
    head: FittedHead
    calibration: Calibration
    threshold: float  # on probability_fake, 0..1
    sides: tuple[int, int] | None = None  # pixels: shortest and longest side of the training images, None: not known
    domain: DomainCheck | None = None  # None: models of earlier versions, or of too few images
    codec: CodecCheck | None = None  # None: models of earlier versions
    traces: Traces | None = None  # None: the fit was not asked to doubt

    def scores(self, X: NDArray[np.float32]) -> Floats:
        """Head outputs (n,) for features (n, dimensions)."""
        return self.head.scores(X)

    def probabilities(self, scores: Floats) -> Floats:
        """Calibrated probabilities of FAKE (n,), 0..1, for head outputs (n,)."""
        return self.calibration.probabilities(scores)

    @property
    def unsure_band(self) -> tuple[float, float]:
        """Probabilities of FAKE between which the verdict is `unsure`."""
        centre = math.log(self.threshold / (1.0 - self.threshold))
        low, high = centre - math.log(UNSURE_ODDS), centre + math.log(UNSURE_ODDS)
        return 1.0 / (1.0 + math.exp(-low)), 1.0 / (1.0 + math.exp(-high))

    def outside(self, X: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Whether features X (n, dimensions) are unlike the training images' (n,); False where there is no check."""
        return np.zeros(len(X), dtype=bool) if self.domain is None else self.domain.outside(X)

    def doubted(self, X: NDArray[np.float32], probabilities: Floats) -> NDArray[np.bool_]:
        """Whether features X (n, dimensions) are called REAL and lean towards fakes (n,); False without `traces`."""
        if self.traces is None:
            return np.zeros(len(X), dtype=bool)
        return np.asarray((probabilities < self.threshold) & self.traces.beyond(X))

    def unsure(
        self,
        probabilities: Floats,
        shortest: NDArray[np.int64],
        longest: NDArray[np.int64],
        qualities: NDArray[np.int64] | None = None,
    ) -> NDArray[np.bool_]:
        """Whether the verdict on each image (n,) is `unsure`, as `predict` says unless features speak against it.

        shortest, longest: (n,) pixels, the sides of the images as they were sent. qualities: (n,) as `CodecCheck` takes
        them; None: not known.
        """
        low, high = self.unsure_band
        unsure = (low < probabilities) & (probabilities < high)
        if self.sides is not None:
            unsure |= (shortest * SIZE_FACTOR < self.sides[0]) | (longest > self.sides[1] * SIZE_FACTOR)
        if self.codec is not None and qualities is not None:
            unsure |= self.codec.outside(qualities)
        return unsure

    def predict(
        self,
        images: Sequence[NDArray[np.uint8]],
        shapes: Sequence[tuple[int, ...]] | None = None,
        qualities: Sequence[int | None] | None = None,
    ) -> list[Answer]:
        """One answer an image, in order. Images are height x width x 3 RGB, of any and mixed sizes.

        shapes: (height, width) of the images as they were sent, where `decode` has reduced them. qualities: of those
        that were sent as JPEG, None for others.
        """
        features = self.extractor.extract(images)
        scores = self.scores(features)
        probabilities = self.probabilities(scores)
        sent = [image.shape for image in images] if shapes is None else shapes
        known = [None] * len(sent) if qualities is None else qualities
        outside = [
            {
                "size": self._reason_outside(shape),
                "codec": None if self.codec is None else self.codec.reason(quality),
                "features": _FEATURES if odd else None,
            }
            for shape, quality, odd in zip(sent, known, self.outside(features), strict=True)
        ]
        closest = self.head.closest(features) if isinstance(self.head, MultiHead) else [None] * len(features)
        judged = zip(scores, probabilities, outside, self.doubted(features, probabilities), closest, strict=True)
        return [self._answer(float(score), float(chance), *found) for score, chance, *found in judged]

    def _answer(
        self,
        score: float,
        probability_fake: float,
        outside: Mapping[str, str | None],
        doubted: bool,
        closest: str | None,
    ) -> Answer:
        label = "FAKE" if probability_fake >= self.threshold else "REAL"
        reasons = {code: sentence for code, sentence in outside.items() if sentence}
        in_domain = False if reasons else None
        reasons |= {"traces": _LEANS} if doubted else {}
        low, high = self.unsure_band
        if low < probability_fake < high:
            reasons["too_close"] = (
                f"The probability {probability_fake:.2f} lies between {low:.2f} and {high:.2f}: too close to call."
            )
        verdict = "unsure" if reasons else label.lower()
        sentences, codes = tuple(reasons.values()), tuple(reasons)
        named = closest if label == "FAKE" else None
        return Answer(label, probability_fake, score, verdict, in_domain, sentences, codes, named)

    def _reason_outside(self, shape: tuple[int, ...]) -> str | None:
        """Why an image of this shape is outside the model's domain; None where it is not known to be."""
        if self.sides is None:
            return None
        shortest, longest = self.sides
        if min(shape[:2]) * SIZE_FACTOR >= shortest and max(shape[:2]) <= longest * SIZE_FACTOR:
            return None
        seen = f"{shortest}" if shortest == longest else f"{shortest} to {longest}"
        return (
            f"The image is {shape[1]} x {shape[0]} pixels; the model was trained on sides of {seen} pixels and is "
            "untested on others."
        )

    def describe(self) -> dict[str, Any]:
        """The part of a model card that `restore` needs beside the head's arrays."""
        return {
            "extractor": {
                "name": self.extractor.spec["name"],
                "spec": self.extractor.spec,
                "digest": self.extractor.digest,
                "dimensions": self.extractor.dimensions,
            },
            "head": {"kind": self.head.kind, "chosen": self.head.chosen, "history": self.head.history},
            "calibration": self.calibration.to_json(),
            "threshold": self.threshold,
            "unsure_band": list(self.unsure_band),
            "sides": None if self.sides is None else list(self.sides),
            "domain": None if self.domain is None else self.domain.describe(),
            "codec": None if self.codec is None else self.codec.describe(),
            "traces": None if self.traces is None else self.traces.describe(),
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `restore` needs beside the card, by name."""
        checks = {DOMAIN: self.domain, TRACES: self.traces}
        return self.head.arrays() | {
            f"{prefix}{name}": array
            for prefix, check in checks.items()
            if check is not None
            for name, array in check.arrays().items()
        }


def restore(
    card: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], *, backbones: Path, threads: int = 1
) -> Detector:
    """The detector of a model card and its arrays.

    Raises IntegrityError where card or arrays are damaged, where the backbone's graph is missing, or where the
    extractor on this machine would compute other numbers than those it was fitted on; ConfigError for a spec that this
    version does not know.
    """
    try:
        return _restore(card, arrays, backbones, threads)
    except (KeyError, ValueError, TypeError, IndexError, AttributeError, OverflowError) as error:
        raise IntegrityError("The model's card or its arrays are damaged.", "Restore the model's files.") from error


def _restore(card: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], backbones: Path, threads: int) -> Detector:
    if not is_at_hand(check_spec(card["extractor"]["spec"]), backbones):
        raise IntegrityError(
            "The backbone that the model was fitted with is not in the folder of backbones.",
            "Copy it there, or fit the model again.",
        )
    extractor = create(card["extractor"]["spec"], backbones=backbones, threads=threads)
    if extractor.digest != card["extractor"]["digest"]:
        raise IntegrityError(
            "The model was fitted on features that this installation computes differently.",
            "Restore the backbone file that the model's card names, or fit the model again.",
        )
    check, leaning = (
        {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
        for prefix in (DOMAIN, TRACES)
    )
    own = {name: array for name, array in arrays.items() if not name.startswith((DOMAIN, TRACES))}
    head = load_head(card["head"]["kind"], own)
    head.chosen.update(card["head"].get("chosen") or {})
    if isinstance(head, MultiHead) and len(head.chosen["specialists"]) != len(head.intercepts):
        raise ValueError("specialists without a name")
    if head.scores(np.zeros((1, extractor.dimensions), dtype=np.float32)).shape != (1,):
        raise ValueError("arrays of another shape")
    calibration, threshold = Calibration.from_json(card["calibration"]), float(card["threshold"])
    if not 0.0 < threshold < 1.0:
        raise ValueError("a threshold out of range")
    sides = (int(given[0]), int(given[1])) if (given := card.get("sides")) else None
    domain = DomainCheck.from_arrays(check, extractor.dimensions) if check else None
    codec = CodecCheck.from_card(card.get("codec"))
    traces = Traces.restore(card["traces"], leaning, extractor.dimensions) if card.get("traces") else None
    return Detector(extractor, head, calibration, threshold, sides, domain, codec, traces)


def check_trainable(y: NDArray[np.int8]) -> None:
    """Raises OneClass or TooFewImages unless both classes have at least MIN_IMAGES_PER_CLASS images."""
    counts = {"REAL": int((y == 0).sum()), "FAKE": int((y == 1).sum())}
    if missing := [name for name, count in counts.items() if count == 0]:
        raise OneClass(
            f"There are no {missing[0]} images.", "Send images of both classes: REAL photographs and FAKE images."
        )
    if min(counts.values()) < MIN_IMAGES_PER_CLASS:
        raise TooFewImages(
            f"There are {counts['REAL']} REAL and {counts['FAKE']} FAKE images.",
            f"Send at least {MIN_IMAGES_PER_CLASS} of each class; a few hundred make a useful detector.",
        )


def fit(train: Rows, validation: Rows, config: FitConfig, extractor: Extractor, progress: Progress) -> Detector:
    """The detector fitted on `train`; calibration and threshold come from disjoint halves of held-out scores.

    The head never sees `validation` (except through the epochs' reported loss); where the network was fine-tuned, and
    so has seen `train`, C is chosen on the half that calibrates. Raises OneClass or TooFewImages.
    """
    check_trainable(train.y)

    def tell(stage: str, share: float) -> None:
        progress(stage, round(100 * share), 100)

    head_config, losses, seen = config.head, dict[str, float](), bool(finetuned_networks(extractor.spec))
    if seen:
        first, second = two_halves(validation.groups, validation.y, config.seed, whole_below=WHOLE_BELOW)
        head_config, losses = choose_c_on(train, validation.some(first), head_config, tell)
    head = fit_head(
        train.X,
        train.y,
        head_config,
        groups=train.groups,
        generators=train.generators,
        validation=(validation.X, validation.y),
        progress=tell,
    )
    head.chosen.update({"candidates": losses} if losses else {})
    if len(validation.y) < CROSS_FIT_BELOW and not seen:
        scores, y, groups = score_out_of_fold(train, validation, _with_chosen(config.head, head), config.seed, tell)
    else:
        scores, y, groups = head.scores(validation.X), validation.y, validation.groups
    if not seen:
        first, second = two_halves(groups, y, config.seed)
    calibration = choose_calibration(scores[first], y[first], groups[first], config.seed)
    fakes = int(y[first].sum())
    # Bayes: from the images' own share of FAKE to one half
    calibration = calibration.shifted(-math.log(fakes / (int(first.sum()) - fakes)))
    threshold = choose_threshold(calibration.probabilities(scores[second]), y[second], config.target_fpr)
    return Detector(extractor, head, calibration, float(threshold))


def _with_chosen(config: HeadConfig, head: FittedHead) -> HeadConfig:
    return replace(config, C=float(head.chosen["C"])) if "C" in head.chosen else config
