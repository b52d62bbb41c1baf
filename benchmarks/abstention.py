"""How many fakes of a generator that a detector never saw are answered `real`, with and without abstention.

    DEEPFAKE_DATA=... python -m benchmarks.abstention

Each generator is left out in turn: detector, limits and directions come from CIFAKE's training images and the fakes of
the others; the share of the generator's fakes that are still answered `real` is measured. Every rule may refuse at
most 10 % of CIFAKE's test images; its limit comes from held-out images.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.calibration import choose_threshold, fit_platt, probability
from backend.core.domain import DomainCheck, fit_domain
from backend.core.extractors import DEFAULT_SPEC, Extractor, create
from backend.core.heads import FittedHead, HeadConfig, fit_head
from backend.core.intervals import wilson
from backend.core.metrics import auroc
from backend.core.traces import Traces, fit_traces
from benchmarks.image_sets import Rows, features, read_cifake, read_generators
from benchmarks.record import ROOT, write_result

COUNTS = {"train": 10_000, "held out": 3_000, "test": 3_000}
"""Images of each class of CIFAKE."""

CIFAKE = "stable-diffusion-1.4"
OTHERS, ALONE = "all the other generators", "CIFAKE alone"
"""What the detectors were trained on."""

LARGER = 128
"""Pixels a side of the inputs that the tables compare with the default's."""

REPEATS = 4
"""How often an image of a generator other than CIFAKE's counts in a fit: there are fewer than a thousand."""

BUDGET = 0.096
"""Share of CIFAKE's 6,000 held-out images that a rule refuses: one standard error of such a share below 10 %."""

RULES: dict[str, tuple[str, ...]] = {
    "none": (),
    "unsure band": ("band",),
    "domain check": ("domain",),
    "both": ("band", "domain"),
    "traces": ("traces",),
    "traces and domain check": ("traces", "domain"),
}
"""Rule -> the measures that refuse; the budget is parted evenly."""

Floats = NDArray[np.float64]
Masks = NDArray[np.bool_]


@dataclass(frozen=True)
class Part:
    """Images with what is known of them."""

    X: Rows
    y: NDArray[np.int8]  # 1 for FAKE


@dataclass(frozen=True)
class Judge:
    """A detector with all that may refuse."""

    head: FittedHead
    margin: float  # of the head: an image above it is called FAKE
    domain: DomainCheck
    traces: Traces

    def refused(self, rule: str, X: Rows, held_out: Part) -> Masks:
        """Which images get no verdict by the rule. (n,)."""
        share = BUDGET / max(1, len(RULES[rule]))
        refused = np.zeros(len(X), dtype=bool)
        for name in RULES[rule]:
            refused |= self._refused(name, X, held_out.X, share)
        return refused

    def _refused(self, name: str, X: Rows, held_out: Rows, share: float) -> Masks:
        """By one measure, which refuses that share of the held-out images; only `domain` looks at those called FAKE."""
        measure = {"band": self.head.scores, "domain": self.domain.strangeness, "traces": self.traces.lean}[name]
        if name == "domain":
            return np.asarray(measure(X) > np.quantile(measure(held_out), 1.0 - share))
        called_real = held_out[self.head.scores(held_out) < self.margin]
        limit = np.quantile(measure(called_real), 1.0 - min(1.0, share * len(held_out) / len(called_real)))
        return np.asarray((self.head.scores(X) < self.margin) & (measure(X) > limit))


def fit_detector(train: Part, fakes: Mapping[str, Rows], held_out: Part) -> tuple[FittedHead, float]:
    """A logistic regression on CIFAKE's images and the fakes, and the margin that its threshold is at."""
    X = np.concatenate([train.X, *[rows for rows in fakes.values() for _ in range(REPEATS)]])
    y = np.concatenate([train.y, np.ones(len(X) - len(train.y), dtype=np.int8)])
    head = fit_head(X, y, HeadConfig(name="logreg", C=0.01))
    scores = head.scores(held_out.X)
    slope, intercept = fit_platt(scores, held_out.y)
    threshold = choose_threshold(probability(scores, slope, intercept), held_out.y)
    return head, float((np.log(threshold / (1.0 - threshold)) - intercept) / slope)


def measure(judge: Judge, fakes: Rows, held_out: Part, test: Part) -> dict[str, Any]:
    """What the detector says of the left-out fakes and of CIFAKE's test images, by rule."""
    scores, of_test = judge.head.scores(fakes), judge.head.scores(test.X)
    real = test.X[test.y == 0]
    y = np.repeat([0, 1], [len(real), len(fakes)]).astype(np.int8)
    rules = {}
    for rule in RULES:
        called_real = int(((scores < judge.margin) & ~judge.refused(rule, fakes, held_out)).sum())
        answered = ~judge.refused(rule, test.X, held_out)
        right = (of_test >= judge.margin) == (test.y == 1)
        rules[rule] = {
            "called_real": called_real / len(fakes),
            "interval": wilson(called_real, len(fakes)),
            "refused_cifake": float(1.0 - answered.mean()),
            "accuracy_cifake": float(right[answered].mean()),
        }
    return {
        "images": len(fakes),
        "auroc_detector": auroc(y, np.concatenate([judge.head.scores(real), scores])),
        "auroc_traces": auroc(y, np.concatenate([judge.traces.lean(real), judge.traces.lean(fakes)])),
        "rules": rules,
    }


def summary(generators: Mapping[str, Any]) -> dict[str, Any]:
    """Means over the generators; `left` is the share called real over what it is without abstention."""
    means: dict[str, Any] = {}
    for rule in RULES:
        rows = [values["rules"][rule] for values in generators.values()]
        means[rule] = {key: float(np.mean([row[key] for row in rows])) for key in rows[0] if key != "interval"}
        means[rule]["left"] = means[rule]["called_real"] / means["none"]["called_real"]
    return means


def table(result: dict[str, Any], detector: str) -> str:
    """A Markdown table: a row a generator, the share of its fakes answered `real` by rule."""
    lines = [f"| left out | images | {' | '.join(RULES)} |", f"| --- | --- | {' | '.join('---' for _ in RULES)} |"]
    rows = result["detectors"][detector]
    for name, values in rows["generators"].items():
        shares = [f"{100 * values['rules'][rule]['called_real']:.0f} %" for rule in RULES]
        lines.append(f"| {name} | {values['images']} | {' | '.join(shares)} |")
    lines += [f"| **{words}** | | {shares} |" for words, shares in means(rows["mean"])]
    return "\n".join(lines)


def short_table(result: dict[str, Any], size: int) -> str:
    """A Markdown table: the means by rule of both detectors at that input size."""
    lines = [f"| trained on | | {' | '.join(RULES)} |", f"| --- | --- | {' | '.join('---' for _ in RULES)} |"]
    for detector in (OTHERS, ALONE):
        mean = result["detectors"][at(size, detector)]["mean"]
        lines += [f"| {detector} | {words} | {shares} |" for words, shares in means(mean)]
    return "\n".join(lines)


def means(mean: dict[str, Any]) -> list[tuple[str, str]]:
    """(what it is, its cells by rule) for each row of means."""
    rows = (
        ("mean", "called_real"),
        ("of what it is without", "left"),
        ("CIFAKE refused", "refused_cifake"),
        ("accuracy on the rest of CIFAKE", "accuracy_cifake"),
    )
    return [(words, " | ".join(f"{100 * mean[rule][key]:.1f} %" for rule in RULES)) for words, key in rows]


def at(size: int, detector: str) -> str:
    """The detector's name in the result, at that input size."""
    return detector if size == DEFAULT_SPEC["input_size"] else f"{detector}, {size} px"


def leave_out(
    of: Extractor, cifake: Mapping[str, Mapping[str, list[bytes]]], others: Mapping[str, list[bytes]]
) -> dict[str, dict[str, Any]]:
    """Detector -> left-out generator -> figures, by the features of `of`."""
    parts = {
        name: Part(features([*drawn["REAL"], *drawn["FAKE"]], of), np.repeat([0, 1], COUNTS[name]).astype(np.int8))
        for name, drawn in cifake.items()
    }
    train, held_out, test = parts["train"], parts["held out"], parts["test"]
    rows = {name: features(images, of) for name, images in others.items()}
    domain = fit_domain(train.X, held_out.X, np.arange(len(held_out.y)), of.feature_names, seed=0)
    real, real_held_out = train.X[train.y == 0], held_out.X[held_out.y == 0]
    alone = fit_detector(train, {}, held_out)
    detectors: dict[str, dict[str, Any]] = {OTHERS: {}, ALONE: {}}
    for left_out, fakes in rows.items():
        rest = {name: its for name, its in rows.items() if name != left_out}
        traces = fit_traces(real, {CIFAKE: train.X[train.y == 1], **rest}, real_held_out, seed=0)
        if domain is None or traces is None:
            raise SystemExit("too few images")
        heads = {OTHERS: fit_detector(train, rest, held_out), ALONE: alone}
        for detector, (head, margin) in heads.items():
            judge = Judge(head, margin, domain, traces)
            detectors[detector][left_out] = measure(judge, fakes, held_out, test)
        print(left_out, detectors[OTHERS][left_out], flush=True)
    return detectors


def main() -> None:
    """Leaves each generator out, prints the tables, writes the result."""
    cifake, others = read_cifake(COUNTS, seed=0), read_generators()
    detectors: dict[str, Any] = {}
    for size in (DEFAULT_SPEC["input_size"], LARGER):
        of = create({**DEFAULT_SPEC, "input_size": size}, backbones=ROOT / "data" / "benchmark-backbones", threads=2)
        for name, rows in leave_out(of, cifake, others).items():
            detectors[at(size, name)] = {"generators": rows, "mean": summary(rows)}
    result = {"counts": COUNTS, "detectors": detectors}
    for name in detectors:
        print(name, table(result, name), sep="\n")
    print(write_result("abstention", result, seed=0))


if __name__ == "__main__":
    main()
