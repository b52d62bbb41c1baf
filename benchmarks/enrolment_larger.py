"""The same as `benchmarks.enrolment` with a larger network at a larger input size: what better features bring.

    DEEPFAKE_DATA=... python -m benchmarks.enrolment_larger [--draws 20] [--folder FOLDER]

The base is a logistic regression on part of 5,000 REAL and 5,000 FAKE of CIFAKE's training images, since the features
of all 100,000 take long; a good third of them are held out for calibration and threshold, which fewer would fix badly.
Compare what is lost on CIFAKE with this base, not with the shipped detector. Test images are every fourth of CIFAKE's.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backend.core.extractors import create
from backend.core.heads import HeadConfig, fit_head
from backend.core.heads.linear import LinearHead
from benchmarks.enrolment import Material, folder_of_features, load, measure_all, parse_arguments, table
from benchmarks.record import write_result

EXTRACTOR = {
    "name": "cnn",
    "backbone": "tf_efficientnet_lite2",
    "stages": "detail",
    "input_size": 128,
    "pooling": ["mean", "std"],
}
SAMPLE, TESTED = 5_000, 2_500
HEAD = HeadConfig("logreg", C=0.01)
"""C has the lowest log loss on the held-out images, of 0.0001, 0.0003, 0.001, … 0.03."""


def hold_out(material: Material) -> Material:
    """Every third row that would be fitted on is held out as well."""
    real, fake = (np.arange(len(rows)) % 3 == 0 for rows in (material.real, material.fake))
    more = material.real[real], material.fake[fake]
    held_out = (np.concatenate([material.held_out[0], more[0]]), np.concatenate([material.held_out[1], more[1]]))
    return replace(material, real=material.real[~real], fake=material.fake[~fake], held_out=held_out)


def main() -> None:
    """Measures and writes the result."""
    given = parse_arguments(str(__doc__))
    with folder_of_features(given.folder) as folder:
        extractor = create(EXTRACTOR, backbones=folder, threads=1)
        material = hold_out(load(extractor.extract, folder, SAMPLE, TESTED))
    rows = np.concatenate([material.real, material.fake])
    y = np.repeat(np.array([0, 1], np.int8), [len(material.real), len(material.fake)])
    base = fit_head(rows, y, HEAD)
    assert isinstance(base, LinearHead)
    result = {"extractor": EXTRACTOR, "head": {"name": HEAD.name, "C": HEAD.C}}
    result |= measure_all(base, material, given.draws)
    print(table(result))
    print(write_result("enrolment_larger", result, seed=0))


if __name__ == "__main__":
    main()
