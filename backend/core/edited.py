"""What a detector makes of photographs that were edited in part: whether its word counts for whole images only."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.corruptions import Corruption, bound, corrupt
from backend.core.detector import Detector, Progress
from backend.core.edits import EDITS, FAKE, FEWEST_CHANGED, edit
from backend.core.intervals import clopper_pearson

LEAST_GAIN = 0.5
"""An edit counts as found where at least so much more of the edited photographs are called FAKE than of the same ones
unedited. Below it for any kind, a detector judges whole images only."""

FEWEST_IMAGES = 20
"""With fewer photographs nothing is said: an interval then spans more than 40 points."""

Pixels = NDArray[np.uint8]


def measure_edited(
    detector: Detector,
    photographs: Sequence[Pixels],
    *,
    qualities: Sequence[int | None],
    fakes: Sequence[Pixels],
    source: str,
    seed: int,
    threads: int = 1,
    progress: Progress,
) -> dict[str, Any]:
    """{images, source, fpr, kinds: [{kind, recall, interval}], whole_images_only, reason} on edited photographs.

    photographs: uint8 [height, width, 3] that the detector has not seen, of the split `source`; fakes: likewise, for
    the kinds that paste a part of one. Every photograph is edited once in each way and saved again as JPEG of its own
    entry of `qualities`, unless that is None; so is the unedited one that `fpr`, the share called FAKE, is counted on.
    Recalls are at the detector's own threshold, with intervals of 95 % (Clopper and Pearson's). Very large pictures are
    to be reduced before, see `bound_for`. Equal seeds give equal edits.
    """
    kept = [number for number, pixels in enumerate(photographs) if min(pixels.shape[:2]) >= FEWEST_CHANGED]
    if len(kept) < FEWEST_IMAGES:
        return not_measured(
            f"{len(kept)} REAL images of at least {FEWEST_CHANGED} pixels a side were held out; {FEWEST_IMAGES} are "
            "needed."
        )
    kinds = [name for name, row in EDITS.items() if row.donor != FAKE or fakes]
    called = np.zeros((len(kept), 1 + len(kinds)), bool)

    def judge(place: int) -> NDArray[np.bool_]:
        number = kept[place]
        pixels, other = photographs[number], photographs[kept[(place + 1) % len(kept)]]
        copies = [pixels]
        for kind in kinds:
            donor = fakes[place % len(fakes)] if EDITS[kind].donor == FAKE else other
            random = np.random.default_rng((seed, place))  # the same ellipse for every kind
            copies.append(edit(pixels, kind, random, donor=donor))
        return call_copies(detector, copies, qualities[number])

    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(kept), 4 * threads):  # told to stop, it has few left to wait for
            progress("evaluate", start, len(kept))
            places = range(start, min(start + 4 * threads, len(kept)))
            called[places] = list(pool.map(judge, places))
    fpr = float(called[:, 0].mean())
    rows: list[dict[str, Any]] = []
    for column, kind in enumerate(kinds, start=1):
        interval = clopper_pearson(int(called[:, column].sum()), len(kept))
        rows.append({"kind": kind, "recall": float(called[:, column].mean()), "interval": list(interval or ())})
    return {
        "images": len(kept),
        "source": source,
        "fpr": fpr,
        "kinds": rows,
        "whole_images_only": any(row["recall"] - fpr < LEAST_GAIN for row in rows),
        "reason": None,
    }


def not_measured(reason: str) -> dict[str, Any]:
    """What a card says where it was not measured: then a detector counts as one for whole images only."""
    return {"images": 0, "source": None, "fpr": None, "kinds": [], "whole_images_only": True, "reason": reason}


def bound_for(detector: Detector, pixels: Pixels) -> Pixels:
    """The picture, reduced where it is too large to be copied many times."""
    return bound(pixels, average=detector.extractor.reduce_above is not None)


def call_copies(detector: Detector, copies: Sequence[Pixels], quality: int | None) -> NDArray[np.bool_]:
    """Which of the pictures are called FAKE (n,), each saved as JPEG of this quality first, unless it is None."""
    saved = copies if quality is None else [corrupt(copy, Corruption("jpeg", quality)) for copy in copies]
    chances = detector.probabilities(detector.scores(detector.extractor.extract(saved)))
    return np.asarray(chances >= detector.threshold)
