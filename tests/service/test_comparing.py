"""Models compared image by image: which images count, and which models cannot be compared."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from backend.core.errors import IntegrityError, NotComparable, NotFound
from backend.service.app import Service, open_service
from backend.service.comparing import compare_models
from backend.service.model_files import CARD, PREDICTIONS
from tests.service.conftest import make_settings

OTHER = "other-1"
Alter = Callable[[dict[str, Any], pa.Table], tuple[dict[str, Any], pa.Table | None]]


@pytest.fixture
def altered(service: Service, model: str, tmp_path: Path) -> Iterator[Callable[[Alter], Service]]:
    """Makes a service that has the model, and as OTHER a copy with its card and predictions altered."""
    opened: list[Service] = []

    def make(alter: Alter) -> Service:
        settings = make_settings(tmp_path)
        for name in (model, OTHER):
            shutil.copytree(service.registry.root / model, settings.models_dir / name)
        folder = settings.models_dir / OTHER
        card, table = alter(
            {**json.loads((folder / CARD).read_text()), "id": OTHER}, pq.read_table(folder / PREDICTIONS)
        )
        (folder / CARD).write_text(json.dumps(card))
        (folder / PREDICTIONS).unlink()
        if table is not None:
            pq.write_table(table, folder / PREDICTIONS)
        opened.append(open_service(settings, run_jobs=False))
        return opened[0]

    yield make
    for one in opened:
        one.close()


def replaced(table: pa.Table, name: str, values: Any) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, pa.array(values))


def test_each_model_is_judged_at_its_own_threshold(altered: Callable[[Alter], Service], model: str) -> None:
    def call_nothing_fake(card: dict[str, Any], table: pa.Table) -> tuple[dict[str, Any], pa.Table]:
        return {**card, "threshold": 2.0}, table

    registry = altered(call_nothing_fake).registry
    confusion = registry.get(model)["metrics"]["test"]["confusion"]
    found = compare_models(registry, model, OTHER)
    assert found["both_right"] == confusion["tn"]
    assert found["only_first"] == confusion["tp"]
    assert found["only_second"] == confusion["fp"]
    assert found["neither"] == confusion["fn"]
    assert found["accuracy_first"] == pytest.approx(registry.get(model)["accuracy"]["test"])


def test_an_image_that_trained_one_of_them_does_not_count(altered: Callable[[Alter], Service], model: str) -> None:
    def resplit(card: dict[str, Any], table: pa.Table) -> tuple[dict[str, Any], pa.Table]:
        """As another seed does it: every second test image is a training image, and 7 training images are tested."""
        split = np.asarray(table["split"].to_pylist(), dtype=object)
        tested, trained = np.flatnonzero(split == "test"), np.flatnonzero(split == "train")
        split[tested[::2]], split[trained[:7]] = "train", "test"
        table = replaced(table, "split", split.tolist())
        return card, table.take(np.random.default_rng(0).permutation(table.num_rows))  # rows in any order

    registry = altered(resplit).registry
    tested = registry.get(model)["metrics"]["test"]["n"]
    found = compare_models(registry, model, OTHER)
    assert found["n"] == tested // 2
    assert (found["only_first"], found["only_second"], found["p"]) == (0, 0, 1.0)  # the same scores, matched by image
    assert compare_models(registry, model, OTHER, "train")["n"] == registry.get(model)["metrics"]["train"]["n"] - 7


def test_the_same_number_of_another_image_does_not_match(altered: Callable[[Alter], Service], model: str) -> None:
    def renumber(card: dict[str, Any], table: pa.Table) -> tuple[dict[str, Any], pa.Table]:
        return card, replaced(table, "row", table["row"].to_numpy() + 1)  # as where an image before was dropped

    with pytest.raises(NotComparable, match="No test image"):
        compare_models(altered(renumber).registry, model, OTHER)


def test_models_of_other_data_are_not_comparable(altered: Callable[[Alter], Service], model: str) -> None:
    def of_other_data(card: dict[str, Any], table: pa.Table) -> tuple[dict[str, Any], pa.Table]:
        return {**card, "dataset": {**card["dataset"], "digest": "0" * 64}}, table

    with pytest.raises(NotComparable, match="different data sets"):
        compare_models(altered(of_other_data).registry, model, OTHER)


def test_models_without_a_word_on_their_data_are_not_comparable(
    altered: Callable[[Alter], Service], model: str
) -> None:
    registry = altered(lambda card, table: ({**card, "dataset": None}, table)).registry
    with pytest.raises(NotComparable, match="different data sets"):
        compare_models(registry, OTHER, model)


@pytest.mark.parametrize("kept", [True, False])
def test_a_model_that_was_not_tested_is_named(altered: Callable[[Alter], Service], model: str, kept: bool) -> None:
    def leave_out(card: dict[str, Any], table: pa.Table) -> tuple[dict[str, Any], pa.Table | None]:
        return card, table.filter(pc.not_equal(table["split"], "test")) if kept else None

    with pytest.raises(NotComparable, match=f"'{OTHER}' was not evaluated on test images"):
        compare_models(altered(leave_out).registry, model, OTHER)


def test_what_is_no_pair_of_models_is_refused(altered: Callable[[Alter], Service], model: str) -> None:
    registry = altered(lambda card, table: (card, table)).registry
    with pytest.raises(NotComparable, match="itself"):
        compare_models(registry, model, model)
    for pair in ((model, "nothing"), ("nothing", model), ("nothing", "nothing")):
        with pytest.raises(NotFound):
            compare_models(registry, *pair)
    (registry.root / OTHER / PREDICTIONS).write_bytes(b"no Parquet")
    with pytest.raises(IntegrityError):
        compare_models(registry, model, OTHER)
