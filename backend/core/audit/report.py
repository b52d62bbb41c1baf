"""The audit of a data set: measures, and the findings that follow from them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from backend.core.audit.balance import describe_balance
from backend.core.audit.classify import one_sided_auroc, sample, separate
from backend.core.audit.columns import file_columns, look_columns
from backend.core.audit.findings import in_order
from backend.core.audit.judge import judge
from backend.core.audit.twins import describe_pairs, near_pairs
from backend.core.eda_duplicates import label_names

INDEX_COLUMNS = ["row", "path", "label", "split", "generator", "group_id", "pixel_sha256"]
"""What `audit` reads of a data set's index."""


def audit(images: NDArray[Any], traits: NDArray[Any], index: pa.Table, profile: dict[str, Any]) -> dict[str, Any]:
    """`{findings, file, look, near_duplicates, balance}` as JSON of plain numbers.

    images: records of eda_partial.IMAGE_NUMBERS; traits: of traits.TRAITS; index: the columns INDEX_COLUMNS; one row
    an image each, in the order of the rows. profile: what `eda.finish` gave for them.

    - findings: see findings.Finding, the worst first
    - file: `{together, by_trait: {trait: …}}`, how well the classes are told apart without looking at the picture;
      each … is `{auroc, interval, n}`, or None where a class is missing or has too few groups of images
    - look: `{together: …, by_number: {name: auroc}}`, by brightness, colour, sharpness and spectrum of the whole
      picture; by_number is the AUROC of each number alone, whichever way it points, 0.5..1
    - near_duplicates, balance: see twins.describe_pairs, balance.describe_balance
    """
    label = label_names(index)
    y = np.select([label == "REAL", label == "FAKE"], [0, 1], -1).astype(np.int8)
    groups = index.column("group_id").to_numpy().astype(np.int64)
    test_images = index.column("split").to_pylist().count("test")
    paths = index.column("path").to_pylist()
    chosen = sample(y, groups)

    def measure(columns: NDArray[np.float64]) -> dict[str, Any] | None:
        found = separate(columns[chosen], y[chosen], groups[chosen])
        return None if found is None else found.to_json()

    files, looks = file_columns(images, traits), look_columns(images, traits)
    alone = _first_of_each(index)
    places = near_pairs(traits["thumbnail"][alone], (images["width"] / images["height"])[alone])
    pairs = alone[places] if len(places) else places
    found: dict[str, Any] = {
        "file": {
            "together": measure(np.column_stack(list(files.values()))),
            "by_trait": {trait: measure(columns) for trait, columns in files.items()},
        },
        "look": {
            "together": measure(np.column_stack(list(looks.values()))),
            "by_number": {name: one_sided_auroc(y[chosen], values[chosen]) for name, values in looks.items()},
        },
        "near_duplicates": describe_pairs(pairs, index),
        "balance": describe_balance(y, [name or "" for name in index.column("generator").to_pylist()], paths),
    }
    findings = in_order(judge(found, profile, test_images))
    return {"findings": [finding.to_json() for finding in findings], **found}


def _first_of_each(index: pa.Table) -> NDArray[np.int64]:
    """The places of images of which none before is equal pixel for pixel: equal ones are reported by themselves."""
    hashes = index.column("pixel_sha256").combine_chunks().dictionary_encode().indices
    codes = np.asarray(hashes.fill_null(-1)).astype(np.int64)
    first = np.unique(codes, return_index=True)[1]
    unknown = np.flatnonzero(codes < 0)
    return np.union1d(first, unknown).astype(np.int64)
