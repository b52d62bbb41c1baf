"""Which ridge of the traits and which shrinkage of W and B are best, chosen without the images that are asked.

    DEEPFAKE_DATA=... python -m benchmarks.fingerprint_choice [--splits 20] [--folder FOLDER]

The splits are those of `benchmarks.fingerprints`, the evidence is that of its row "correlation and network", batches of
16. To choose, only the enrolled half of a split is used, and halved again: a quarter of each generator's images is
enrolled, another quarter asked. The best setting there, by the mean of the shares named and attributed rightly, is then
tried on the split itself beside the present setting. `--folder` keeps the network's features; that of
`benchmarks.fingerprints` has them. Takes a few minutes.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from itertools import product
from typing import Any

from threadpoolctl import threadpool_limits

from backend.core.fingerprints.denoisers import DEFAULT_DENOISER, residuals
from backend.core.fingerprints.scoring import SHRINK_BETWEEN, SHRINK_WITHIN, SourceModel
from backend.core.fingerprints.traits import RIDGE
from benchmarks.attribution import Pixels, Rows, Split, by_correlation, by_traits, contest_of, measure
from benchmarks.enrolment import summary
from benchmarks.fingerprints import FOREIGN, asked, load, percent
from benchmarks.record import write_result

BATCH = 16
FIGURES = ("closed", "open", "left_out")

RIDGES, WITHIN, BETWEEN = (1.0, 3.0, 10.0), (0.03, 0.1, 0.3), (0.25, 0.5, 1.0)


@dataclass(frozen=True)
class Setting:
    """What is chosen."""

    ridge: float  # of the traits
    within: float  # how far W is drawn towards its diagonal
    between: float  # how far B is


SETTINGS = [Setting(*values) for values in product(RIDGES, WITHIN, BETWEEN)]
PRESENT = Setting(RIDGE, SHRINK_WITHIN, SHRINK_BETWEEN)


@dataclass(frozen=True)
class Sources:
    """All images of each generator, and what is known of them."""

    images: Mapping[str, Pixels]
    noise: Mapping[str, Rows]
    features: Mapping[str, Rows]

    def draw(self, seed: int) -> Split:
        """Halves at random."""
        return Split.draw({name: len(pixels) for name, pixels in self.images.items()}, seed)


def trial(sources: Sources, split: Split, settings: Collection[Setting], seed: int) -> dict[Setting, dict[str, float]]:
    """Setting -> FIGURES of one split."""
    correlation = by_correlation(sources.images, split, DEFAULT_DENOISER, sources.noise, ())
    ridges = {one.ridge for one in settings}
    traits = {ridge: by_traits(sources.features, split, (), ridge=ridge) for ridge in ridges}
    found = {}
    for one in settings:
        fit = partial(SourceModel.fit, shrink_within=one.within, shrink_between=one.between)
        figures = measure(contest_of([correlation, traits[one.ridge]], (), fit), (BATCH,), (), seed)[str(BATCH)]
        found[one] = {figure: figures[figure] for figure in FIGURES}
    return found


def choose(found: Mapping[Setting, Mapping[str, float]]) -> Setting:
    """The best one; of equals the present one, else the first."""
    return max(found, key=lambda one: (found[one]["closed"] + found[one]["open"], one == PRESENT))


def choice(sources: Sources, splits: int) -> dict[str, Any]:
    """Figures of every setting in the enrolled halves, and of the one that is chosen there in the splits themselves."""
    inner, chosen, present, names = [], [], [], []
    for seed in range(splits):
        split = sources.draw(seed)
        inner.append(trial(sources, split.inner(seed), SETTINGS, seed))
        names.append(choose(inner[-1]))
        outer = trial(sources, split, {names[-1], PRESENT}, seed)
        chosen.append(outer[names[-1]])
        present.append(outer[PRESENT])
        print(seed, names[-1], chosen[-1], file=sys.stderr, flush=True)
    times = Counter(names)
    gains = [{f: new[f] - old[f] for f in FIGURES} for new, old in zip(chosen, present, strict=True)]
    return {
        "settings": [{**asdict(one), "chosen": times[one], **over([run[one] for run in inner])} for one in SETTINGS],
        "present": asdict(PRESENT),
        "outer": {"chosen in each split": over(chosen), "present": over(present), "difference": over(gains)},
    }


def over(runs: list[dict[str, float]]) -> dict[str, Any]:
    """Mean and interval of each figure over splits."""
    return {figure: summary([run[figure] for run in runs]) for figure in FIGURES}


def table(result: dict[str, Any]) -> str:
    """A Markdown table of the enrolled halves: shares named and attributed rightly, in per cent.

    In brackets, in how many splits a setting was the best. Who is named does not depend on B, which describes foreign
    sources alone.
    """
    lines = [
        f"| ridge | W | named rightly | {' | '.join(f'attributed rightly (chosen), B {b:g}' for b in BETWEEN)} |",
        "| --- | --- | --- |" + " --- |" * len(BETWEEN),
    ]
    rows: dict[tuple[float, float], list[dict[str, Any]]] = {}
    for one in result["settings"]:
        rows.setdefault((one["ridge"], one["within"]), []).append(one)
    for (ridge, within), found in rows.items():
        cells = [f"{100 * one['open']['mean']:.1f} ({one['chosen']})" for one in found]
        lines.append(f"| {ridge:g} | {within:g} | {100 * found[0]['closed']['mean']:.1f} | {' | '.join(cells)} |")
    return "\n".join(lines)


def outer_table(result: dict[str, Any]) -> str:
    """A Markdown table of the splits themselves: the setting chosen in the enrolled half, and the present one."""
    lines = ["| setting | named rightly | attributed rightly | attributed when left out |", "| --- | --- | --- | --- |"]
    for name, found in result["outer"].items():
        lines.append(f"| {name} | {' | '.join(percent(found[figure]) for figure in FIGURES)} |")
    return "\n".join(lines)


def main() -> None:
    """Measures and writes the result."""
    with asked(__doc__) as (folder, splits):
        everything, features = load(folder, ["network"])
    images = {name: pixels for name, pixels in everything.items() if name not in FOREIGN}
    noise = {name: residuals(pixels, DEFAULT_DENOISER) for name, pixels in images.items()}
    with threadpool_limits(1):  # of small matrices, threads of BLAS wait for each other most of the time
        result = choice(Sources(images, noise, features["network"]), splits)
    result |= {"splits": splits, "images": {name: len(pixels) for name, pixels in images.items()}}
    print(table(result), outer_table(result), sep="\n\n")
    print(write_result("fingerprint_choice", result, seed=0))


if __name__ == "__main__":
    main()
