"""Measures of an audit -> findings. All thresholds stand here."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from backend.core.audit.findings import Finding, Severity
from backend.core.intervals import wilson

CRITICAL_AUROC, WARNING_AUROC, INFO_AUROC = 0.9, 0.7, 0.55
"""Reached by the lower limit of the interval, so that a few lucky images raise no alarm."""

GREY_RATIO, GREY_SHARE = 2.0, 0.02
"""Near-grey images are a finding where they are that much more frequent in one class, with intervals apart, and that
frequent in it."""

UNBALANCED, FEW_OF_GENERATOR, CONTENT_DISTANCE = 3.0, 50, 0.2

TRAITS = {
    "size": ("Size alone tells the classes apart", "Scale all images to one size, or take crops of one size."),
    "format": ("The file format alone tells the classes apart", "Save all images in one format."),
    "jpeg": (
        "JPEG quality and tables alone tell the classes apart",
        "Save all images once more with the same encoder and quality.",
    ),
    "sampling": (
        "JPEG colour sub-sampling alone tells the classes apart",
        "Save all images once more with the same encoder and sub-sampling.",
    ),
    "metadata": (
        "Metadata blocks (EXIF, colour profile, XMP, text) alone tell the classes apart",
        "Detectors here see no metadata, but they may see what came with them: collect both classes alike.",
    ),
    "bytes_per_pixel": (
        "Bytes per pixel alone tell the classes apart",
        "Save all images once more with the same encoder and quality.",
    ),
}


def judge(measures: dict[str, Any], profile: dict[str, Any], test_images: int) -> list[Finding]:
    """The findings that follow from the measures of `report.audit` and from a profile; `test_images` are named ones."""
    return [
        *_on_classes(measures["balance"]),
        *_on_files(measures["file"]),
        *_on_looks(measures["look"]),
        *_on_grey(profile["near_grey"]["by_class"], measures["balance"]["classes"]),
        *_on_duplicates(profile["duplicates"], test_images),
        *_on_near_duplicates(measures["near_duplicates"]),
        *_on_generators(measures["balance"]),
        *_on_contents(measures["balance"]),
    ]


def _severity(figure: dict[str, Any] | None) -> Severity | None:
    """By the lower limit of an AUROC's interval; None where there is nothing to tell."""
    if figure is None or figure["interval"][0] < INFO_AUROC:
        return None
    low = figure["interval"][0]
    return "critical" if low >= CRITICAL_AUROC else "warning" if low >= WARNING_AUROC else "info"


def _figures(figure: dict[str, Any]) -> dict[str, Any]:
    return {"auroc": figure["auroc"], "low": figure["interval"][0], "high": figure["interval"][1], "n": figure["n"]}


def _auroc_sentence(figure: dict[str, Any]) -> str:
    low, high = figure["interval"]
    return f"AUROC {figure['auroc']:.3f} ({low:.3f} to {high:.3f}) on {figure['n']:,} images"


def _on_classes(balance: dict[str, Any]) -> Iterator[Finding]:
    real, fake = balance["classes"]["REAL"], balance["classes"]["FAKE"]
    figures = {"real": real, "fake": fake}
    if min(real, fake) == 0:
        yield Finding(
            "one_class",
            "warning",
            "There is only one class",
            f"REAL {real:,}, FAKE {fake:,}: nothing can be compared, and it alone cannot train a detector.",
            "Add images of the other class.",
            figures,
        )
    elif max(real, fake) > UNBALANCED * min(real, fake):
        yield Finding(
            "unbalanced",
            "warning",
            "One class is much larger",
            f"REAL {real:,}, FAKE {fake:,}: accuracy looks good then by guessing the larger one.",
            "Read the balanced accuracy and AUROC, or even the classes out.",
            figures,
        )


def _on_files(file: dict[str, Any]) -> Iterator[Finding]:
    told = False
    for trait, (title, hint) in TRAITS.items():
        figure = file["by_trait"][trait]
        severity = _severity(figure)
        if severity is None:
            continue
        told = True
        weak = title.replace("tells the", "hints at the").replace("tell the", "hint at the").removesuffix(" apart")
        yield Finding(
            f"file.{trait}",
            severity,
            weak if severity == "info" else title,
            f"A classifier that sees nothing else reaches {_auroc_sentence(figure)}. A detector may learn this instead "
            "of the traces of generation, and its figures will look better than it is.",
            hint,
            _figures(figure),
        )
    together = file["together"]
    severity = _severity(together)
    if severity is not None and not told:
        yield Finding(
            "file.together",
            severity,
            "What files say of themselves tells the classes apart, all of it together",
            f"A classifier that never looks at the picture reaches {_auroc_sentence(together)}.",
            "Bring all images into one format, size and quality.",
            _figures(together),
        )


def _on_looks(look: dict[str, Any]) -> Iterator[Finding]:
    figure = look["together"]
    severity = _severity(figure)
    if severity is None:
        return
    best, area = max(look["by_number"].items(), key=lambda item: item[1] or 0.0)
    yield Finding(
        "look",
        "warning" if severity == "critical" else "info",
        "Brightness, colour, sharpness and spectrum alone go far in telling the classes apart",
        f"A classifier on a few numbers of the whole picture reaches {_auroc_sentence(figure)}; the number that tells "
        f"most is {best.replace('_', ' ')} (alone {area:.3f}). A detector's figures on this data set start from that "
        "floor, not from 0.5.",
        "Test the detector on images of other sources before you believe it.",
        {**_figures(figure), "best": best, "best_auroc": area},
    )


def _on_grey(by_class: dict[str, Any], images: dict[str, int]) -> Iterator[Finding]:
    if not {"REAL", "FAKE"} <= by_class.keys():
        return
    share = {label: by_class[label]["share"] for label in ("REAL", "FAKE")}
    more, less = ("FAKE", "REAL") if share["FAKE"] >= share["REAL"] else ("REAL", "FAKE")
    limits = {label: wilson(by_class[label]["images"], images[label]) or (0.0, 1.0) for label in (more, less)}
    if share[more] < max(GREY_SHARE, GREY_RATIO * share[less]) or limits[more][0] <= limits[less][1]:
        return
    times = share[more] / share[less] if share[less] else math.inf
    often = f"{times:.1f} times as often" if math.isfinite(times) else "and those of the other class never"
    yield Finding(
        "near_grey",
        "warning",
        f"Near-grey images are more frequent in {more}",
        f"{more} images are almost without colour {often}: REAL {share['REAL']:.1%}, FAKE {share['FAKE']:.1%}. A "
        "detector may take missing colour for a sign of the class.",
        "Look at these images, and test the detector on grey images of the other class.",
        {"label": more, "times": times if math.isfinite(times) else None, "real": share["REAL"], "fake": share["FAKE"]},
    )


def _on_duplicates(duplicates: dict[str, Any], test_images: int) -> Iterator[Finding]:
    crossing, conflicting = duplicates["crossing_train_test"], duplicates["conflicting_labels"]
    if crossing:
        yield Finding(
            "duplicates.crossing",
            "warning",
            "Test images stand in train",
            f"Test images that are in train as well, pixel for pixel: {crossing:,}. A detector has seen them before it "
            f"is tested on them; there are {test_images:,} test images in all.",
            "Figures on test are given with and without them: read those without.",
            {"images": crossing, "test_images": test_images},
        )
    if conflicting:
        yield Finding(
            "duplicates.conflicting",
            "warning",
            "Equal images are labelled REAL and FAKE at once",
            f"Groups of images that are equal pixel for pixel and have both labels: {conflicting:,}. One of the labels "
            "is wrong.",
            "Open them under Duplicates, and relabel or drop them.",
            {"groups": conflicting},
        )
    if duplicates["groups"] and not crossing and not conflicting:
        yield Finding(
            "duplicates",
            "info",
            "Some images are there several times",
            f"Groups of images that are equal pixel for pixel: {duplicates['groups']:,}, with {duplicates['images']:,} "
            "images in them. Splits keep a group together.",
            "",
            {"groups": duplicates["groups"], "images": duplicates["images"]},
        )


def _on_near_duplicates(found: dict[str, Any]) -> Iterator[Finding]:
    if found["test_images_like_train"]:
        yield Finding(
            "near_duplicates.crossing",
            "warning",
            "Test images have a near-duplicate in train",
            f"Test images that nearly equal a training image (saved again, scaled, retouched): "
            f"{found['test_images_like_train']:,}. Figures on test are too good by them.",
            "Drop them from test, or give both the same group.",
            {"images": found["test_images_like_train"]},
        )
    elif found["across_groups"]:
        yield Finding(
            "near_duplicates.apart",
            "info",
            "Near-duplicates that nothing keeps together",
            f"Pairs of images that nearly agree and belong to no common group: {found['across_groups']:,}. A split may "
            "put one into train and the other into test.",
            "Name a group for them in metadata.csv.",
            {"pairs": found["across_groups"]},
        )
    if found["across_classes"]:
        yield Finding(
            "near_duplicates.classes",
            "info",
            "REAL and FAKE images that nearly agree",
            f"Pairs of a REAL and a FAKE image that nearly agree: {found['across_classes']:,}. Where the fakes were "
            "made from these photographs that is as it should be; otherwise a label is wrong.",
            "Look at a few of them.",
            {"pairs": found["across_classes"]},
        )


def _on_generators(balance: dict[str, Any]) -> Iterator[Finding]:
    named = {name: number for name, number in balance["generators"].items() if name}
    if not named:
        if balance["classes"]["FAKE"]:
            yield Finding(
                "generators.unknown",
                "info",
                "Nothing says which generators made the FAKE images",
                "Figures by generator cannot be given.",
                "Put FAKE images into folders named after their generator.",
            )
        return
    if len(named) == 1:
        yield Finding(
            "generators.one",
            "warning",
            "All FAKE images come from one generator",
            f"A detector learns the traces of {next(iter(named))!r} alone and misses most fakes of others.",
            "Add images of other generators, or read the detector's verdicts as being about this one.",
            {"generator": next(iter(named))},
        )
    few = sorted(name for name, number in named.items() if number < FEW_OF_GENERATOR)
    if few and len(named) > 1:
        yield Finding(
            "generators.few",
            "info",
            "Some generators have few images",
            f"Generators with fewer than {FEW_OF_GENERATOR} images: {', '.join(few[:10])}. Figures about them "
            "are vague.",
            f"Add images until each has at least {FEW_OF_GENERATOR}.",
            {"generators": few[:10], "count": len(few)},
        )


def _on_contents(balance: dict[str, Any]) -> Iterator[Finding]:
    distance = balance["content_distance"]
    if distance is None or distance < CONTENT_DISTANCE:
        return
    yield Finding(
        "content",
        "warning",
        "REAL and FAKE show different things",
        f"By their names, {distance:.0%} of one class would have to show something else to match the other. A detector "
        "may learn what is shown.",
        "Even out what both classes show.",
        {"distance": distance},
    )
