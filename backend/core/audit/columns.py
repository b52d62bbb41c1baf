"""The numbers that the audit's classifiers see: what files say of themselves, and how images look on the whole."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Columns = NDArray[np.float64]


def file_columns(images: NDArray[Any], traits: NDArray[Any]) -> dict[str, Columns]:
    """`{trait: (n, d)}` of what can be read off a file without looking at the picture; NaN where it is not there.

    images: records of eda_partial.IMAGE_NUMBERS; traits: records of traits.TRAITS of the same images.
    """
    width, height = images["width"].astype(np.float64), images["height"].astype(np.float64)
    size = images["bytes"].astype(np.float64)
    size[size <= 0] = np.nan
    return {
        "size": np.log(np.column_stack([width, height, width * height, width / height])),
        "format": _one_hot(traits["format"]),
        "jpeg": _known(np.column_stack([images["jpeg_quality"], traits["luma_table"], traits["chroma_table"]])),
        "sampling": _known(np.column_stack([traits["sampling"], np.where(traits["progressive"], 1, 0)])),
        "metadata": np.column_stack([traits[name] for name in ("exif", "icc", "xmp", "text")]).astype(np.float64),
        "bytes_per_pixel": np.log(size / (width * height))[:, None],
    }


def look_columns(images: NDArray[Any], traits: NDArray[Any]) -> dict[str, Columns]:
    """`{number: (n,)}` of how a picture looks on the whole, whatever it shows; band_1 is the coarsest."""
    plain = {
        name: images[name].astype(np.float64) for name in ("brightness", "contrast", "saturation", "colour_spread")
    }
    sharpness = np.log(np.maximum(images["sharpness"].astype(np.float64), 0.01))
    bands = {f"band_{k + 1}": traits["bands"][:, k].astype(np.float64) for k in range(traits["bands"].shape[1])}
    return {**plain, "sharpness": sharpness, **bands}


def _one_hot(names: NDArray[Any]) -> Columns:
    return np.column_stack([names == name for name in np.unique(names)]).astype(np.float64)


def _known(values: NDArray[Any]) -> Columns:
    numbers = values.astype(np.float64)
    numbers[numbers < 0] = np.nan
    return numbers
