"""Images of a generator that another data set brings to a fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from backend.core.enrolment import check_enrolment, measure_gain
from backend.core.errors import ConfigError
from backend.core.heads import HeadConfig, load_head
from backend.core.held_out import Rows, both
from backend.service.dataset_info import DatasetInfo
from backend.service.datasets import DatasetStore, FeatureChunk
from backend.service.features import FeatureStore
from backend.service.model_files import read_arrays
from backend.settings import StorePath

if TYPE_CHECKING:
    from backend.service.app import Service

HEAD = "multi"
_OWN_SET = "Bring the images of the new generator as a data set of theirs."


@dataclass(frozen=True)
class Enrolment:
    """The FAKE images of one data set, taken as those of one generator."""

    info: DatasetInfo
    chunks: tuple[FeatureChunk, ...]
    generator: str


@dataclass(frozen=True)
class Enrolling:
    """What a fit enrols, and into which model."""

    parts: tuple[Enrolment, ...]  # the last of them is new
    before: dict[str, Any]  # card of the model
    arrays: dict[str, NDArray[Any]]  # of its head
    datasets: StorePath

    @property
    def chunks(self) -> list[FeatureChunk]:
        """All images whose features are needed."""
        return [chunk for one in self.parts for chunk in one.chunks]


def enrol_params(service: Service, model_id: str, dataset_id: str, generator: str, name: str = "") -> dict[str, Any]:
    """The parameters of the job "fit" that enrols the FAKE images of a data set as `generator`.

    It fits the head multi on the model's own data set, with the images that the model has enrolled before, and these.
    Raises NotFound, ConfigError, TooFewImages.
    """
    card, info = service.registry.get(model_id), service.datasets.get(dataset_id)
    own = service.datasets.get(card["dataset"]["id"])
    if info.id == own.id:
        raise ConfigError("These images are the model's own training set.", _OWN_SET)
    check_enrolment(sum(split["FAKE"] for split in info.counts.values()), generator)
    known = [{key: one[key] for key in ("dataset_id", "generator")} for one in card.get("enrolled") or ()]
    if generator in [*own.generators, *(one["generator"] for one in known)]:
        raise ConfigError(f"The model knows {generator} already.", "Choose another name.")
    head = {**card["config"]["head"], "name": HEAD}
    title = name or f"{card['name']} and {generator}"
    config = {**card["config"], "extractor": card["extractor"]["spec"], "finetune": None, "head": head, "name": title}
    return {
        "dataset_id": own.id,
        "config": config,
        "enrol": [*known, {"dataset_id": info.id, "generator": generator}],
        "before": card["id"],
    }


def find_enrolling(service: Service, params: Mapping[str, Any]) -> Enrolling | None:
    """What the parameters of a job "fit" enrol, None for nothing. Raises NotFound where a data set or model is gone."""
    if not params.get("enrol"):
        return None
    found = [(service.datasets.get(one["dataset_id"]), one["generator"]) for one in params["enrol"]]
    parts = tuple(Enrolment(info, tuple(service.datasets.chunks(info.id)), name) for info, name in found)
    before = service.registry.get(params["before"])
    return Enrolling(parts, before, read_arrays(service.registry.folder(before["id"])), service.datasets.root)


def enrol(
    task: Enrolling, train: Rows, validation: Rows, features: FeatureStore, *, digest: str, head: HeadConfig
) -> tuple[Rows, dict[str, Any]]:
    """(the training images with those that other data sets bring, what the card says of them).

    Of the last of them it says what was gained: figures before and after, by cross-validation. `digest` is that of the
    extractor, `head` what is fitted.
    """
    first, parts = int(max(train.groups.max(), validation.groups.max(initial=0))) + 1, []
    for one in task.parts:
        parts.append(_rows(task.datasets, features, one, digest, first))
        check_enrolment(len(parts[-1].y), one.generator)
        first = int(parts[-1].groups.max()) + 1
    old = load_head(task.before["head"]["kind"], task.arrays)
    earlier = reduce(both, parts[:-1], train)
    gain = measure_gain(earlier, validation.X[validation.y == 0], parts[-1], old.scores, head)
    enrolled = [
        {"dataset_id": one.info.id, "generator": one.generator, "images": len(rows.y)}
        for one, rows in zip(task.parts, parts, strict=True)
    ]
    test = {"test_accuracy_before": task.before["accuracy"]["test"]}
    about = {"generator": task.parts[-1].generator, "into": task.before["id"], **gain, **test}
    return both(earlier, parts[-1]), {"enrolled": enrolled, "enrolment": about}


def _rows(datasets: StorePath, features: FeatureStore, one: Enrolment, digest: str, first_group: int) -> Rows:
    """The enrolled images' features; their groups are numbered from `first_group`."""
    index = DatasetStore(datasets).index(one.info, ["row", "label", "group_id"])
    fake = index["label"].to_numpy() == 1
    mask = np.zeros(sum(chunk.rows for chunk in one.chunks), bool)
    mask[index["row"].to_numpy()[fake]] = True
    X = features.load(one.chunks, digest, mask)
    groups = first_group + index["group_id"].to_numpy()[fake].astype(np.int64)
    return Rows(X, np.ones(len(X), np.int8), groups, np.full(len(X), one.generator))
