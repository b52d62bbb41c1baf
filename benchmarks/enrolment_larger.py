"""The same as `benchmarks.enrolment` with a larger network at a larger input size: what better features bring.

    DEEPFAKE_DATA=... python -m benchmarks.enrolment_larger [--draws 20] [--folder FOLDER]

The base is a logistic regression on the training images of the shipped detector, by the larger network's features;
calibration and threshold come from that detector's validation images. Compare what is lost on CIFAKE with this base,
not with the shipped detector. Takes about half an hour on two cores, most of it for the features of all of CIFAKE, and
8 GiB of memory.
"""

from __future__ import annotations

import numpy as np

from backend.core.extractors import create
from backend.core.heads import HeadConfig, fit_head
from backend.core.heads.linear import LinearHead
from benchmarks.enrolment import TESTED, folder_of_features, load, measure_all, parse_arguments, table
from benchmarks.record import write_result

EXTRACTOR = {
    "name": "cnn",
    "backbone": "tf_efficientnet_lite2",
    "stages": "detail",
    "input_size": 128,
    "pooling": ["mean", "std"],
}
SAMPLE = 50_000
"""Images of each class to draw from: all of CIFAKE's training images."""


def main() -> None:
    """Measures and writes the result."""
    given = parse_arguments(str(__doc__))
    with folder_of_features(given.folder) as folder:
        extractor = create(EXTRACTOR, backbones=folder, threads=2)
        material = load(extractor.extract, folder, SAMPLE, TESTED)
    rows = np.concatenate([material.real, material.fake])
    y = np.repeat(np.array([0, 1], np.int8), [len(material.real), len(material.fake)])
    base = fit_head(rows, y, HeadConfig("logreg"))  # C by cross-validation
    assert isinstance(base, LinearHead)
    result = {"extractor": EXTRACTOR, "head": {"name": "logreg", "C": base.chosen["C"]}}
    result |= measure_all(base, material, given.draws)
    print(table(result))
    print(write_result("enrolment_larger", result, seed=0))


if __name__ == "__main__":
    main()
