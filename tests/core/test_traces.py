"""The common direction of several generators: it transfers to another one, and REAL images keep its limit."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.core.errors import TooFewImages
from backend.core.held_out import Rows
from backend.core.traces import FEWEST_FAKES, FEWEST_REAL, REFUSED, Traces, fit_traces, traces_of

WIDTH = 30
SCALES = np.logspace(-2, 2, WIDTH)


def make_real(count: int, seed: int) -> NDArray[np.float32]:
    """Photographs: features of very different scales."""
    return (np.random.default_rng(seed).normal(size=(count, WIDTH)) * SCALES + 3.0).astype(np.float32)


def make_fakes(name: int, count: int) -> NDArray[np.float32]:
    """A generator's images: something that all generators share, and something of its own."""
    shift = np.zeros(WIDTH)
    shift[0], shift[1 + name] = 2.0, 4.0
    return (make_real(count, 100 + name) + shift * SCALES).astype(np.float32)


@pytest.fixture(scope="module")
def traces() -> Traces:
    found = fit_traces(make_real(2000, 1), {str(name): make_fakes(name, 60) for name in range(6)}, make_real(900, 2), 0)
    assert found is not None
    return found


def test_real_images_keep_the_limit(traces: Traces) -> None:
    leans = traces.lean(make_real(4000, 3))
    assert leans.mean() == pytest.approx(0.0, abs=0.1)
    assert leans.std() == pytest.approx(1.0, abs=0.1)
    assert (leans > traces.limit).mean() == pytest.approx(REFUSED, abs=0.03)


def test_fakes_of_a_generator_that_was_left_out_lean_towards_the_others(traces: Traces) -> None:
    assert (traces.lean(make_fakes(20, 500)) > traces.limit).mean() > 2 * REFUSED


def test_the_scale_of_a_feature_does_not_matter(traces: Traces) -> None:
    factors = np.logspace(-2, 2, WIDTH).astype(np.float32)
    scaled = fit_traces(
        make_real(2000, 1) * factors,
        {str(name): make_fakes(name, 60) * factors for name in range(6)},
        make_real(900, 2) * factors,
        0,
    )
    assert scaled is not None
    rows = make_fakes(20, 100)
    assert scaled.lean(rows * factors) == pytest.approx(traces.lean(rows), abs=1e-2)


def test_a_generator_with_few_images_is_left_out_and_three_are_needed() -> None:
    many = {str(name): make_fakes(name, FEWEST_FAKES) for name in range(3)}
    few = {"few": make_fakes(9, FEWEST_FAKES - 1)}
    found = fit_traces(make_real(FEWEST_REAL, 1), many | few, make_real(200, 2), 0)
    assert found is not None
    assert found.generators == ("0", "1", "2")
    del many["2"]
    assert fit_traces(make_real(FEWEST_REAL, 1), many | few, make_real(200, 2), 0) is None


def test_too_few_photographs_give_nothing() -> None:
    fakes = {str(name): make_fakes(name, FEWEST_FAKES) for name in range(3)}
    assert fit_traces(make_real(FEWEST_REAL - 1, 1), fakes, make_real(200, 2), 0) is None
    assert fit_traces(make_real(FEWEST_REAL, 1), fakes, make_real(99, 2), 0) is None


def make_rows(real: int, generators: int) -> Rows:
    """REAL images and 40 fakes of each generator, and 40 of a generator without a name."""
    names = ["", *(str(name) for name in range(generators))]
    fakes = [make_fakes(name, 40) for name in range(len(names))]
    X, y = np.concatenate([make_real(real, 1), *fakes]), np.repeat([0, 1], [real, 40 * len(names)]).astype(np.int8)
    return Rows(X, y, np.arange(len(y)), np.repeat(["", *names], [real, *[40] * len(names)]))


def test_a_fit_that_is_to_doubt_learns_it_from_the_named_generators() -> None:
    train, held_out = make_rows(600, 3), make_rows(300, 0)
    assert traces_of(train, held_out, None, 0) is None
    found = traces_of(train, held_out, 0.1, 0)
    assert found is not None
    assert found.generators == ("0", "1", "2")
    assert found.beyond(held_out.X[held_out.y == 0]).mean() == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize(("real", "held_out", "generators"), [(600, 300, 2), (499, 300, 3), (600, 99, 3)])
def test_a_fit_that_cannot_doubt_says_what_it_lacks(real: int, held_out: int, generators: int) -> None:
    said = f"are {generators} named generators .* {real} REAL training images and {held_out} REAL"
    with pytest.raises(TooFewImages, match=said) as caught:
        traces_of(make_rows(real, generators), make_rows(held_out, 0), 0.18, 0)
    assert "leave `doubt` out" in caught.value.hint
