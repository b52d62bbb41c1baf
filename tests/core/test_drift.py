"""The population stability index against its definition, and on samples whose drift is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from backend.core.drift import BINS, bin_edges, count_bins, stability_index

RNG = np.random.default_rng(0)


def test_it_is_what_its_definition_says() -> None:
    e, a = [0.25, 0.75], [0.5, 0.5]
    by_hand = sum((y - x) * math.log(y / x) for x, y in zip(e, a, strict=True))
    large = 10**9  # so that the half that is counted into each bin does not show
    got = stability_index([int(x * large) for x in e], [int(x * large) for x in a])
    assert got == pytest.approx(by_hand, abs=1e-6)


def test_equal_shares_do_not_drift() -> None:
    assert stability_index([10, 20, 30], [100, 200, 300]) == pytest.approx(0, abs=1e-3)


def test_bins_are_filled_evenly_by_the_reference() -> None:
    reference = RNG.beta(0.5, 0.5, 10_000)
    counts = count_bins(reference, bin_edges(reference))
    assert len(counts) == BINS
    assert counts.min() > 900
    assert counts.sum() == 10_000


def test_scores_that_are_all_alike_make_one_edge() -> None:
    same = np.full(100, 0.5)
    assert count_bins(same, bin_edges(same)).tolist() == [0, 100]


def test_a_sample_of_the_same_scores_is_stable_and_a_shifted_one_is_not() -> None:
    reference = RNG.beta(2, 5, 5_000)
    edges = bin_edges(reference)
    expected = count_bins(reference, edges)
    same = stability_index(expected, count_bins(RNG.beta(2, 5, 1_000), edges))
    shifted = stability_index(expected, count_bins(RNG.beta(5, 2, 1_000), edges))
    assert same < 0.05
    assert shifted > 0.5
