"""Images of a generator that another data set brings to a fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from backend.core.enrolment import check_enrolment, check_generator, measure_gain
from backend.core.errors import ConfigError, NotFound
from backend.core.heads import HeadConfig, load_head
from backend.core.held_out import Rows, both
from backend.service.dataset_info import DatasetInfo
from backend.service.datasets import DatasetStore, FeatureChunk
from backend.service.evaluating import find_training_set
from backend.service.features import FeatureStore
from backend.service.model_files import read_arrays
from backend.settings import StorePath

if TYPE_CHECKING:
    from backend.service.app import Service

HEAD = "multi"
_PIXELS = "pixel_sha256"
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
    info = service.datasets.get(dataset_id)
    if info.id == _own_dataset(service, service.registry.get(model_id)).id:
        raise ConfigError("These images are the model's own training set.", _OWN_SET)
    check_enrolment(_fakes(info), generator)
    return _params(service, model_id, {"dataset_id": info.id, "generator": generator}, name)


def enrol_images_params(
    service: Service, model_id: str, source: Mapping[str, Any], generator: str, name: str = ""
) -> dict[str, Any]:
    """As `enrol_params`, for images that a source brings: the job first makes them a data set, named by the generator.

    How many there are only the import tells. Raises NotFound, ConfigError.
    """
    from backend.service.jobs import new_job_id  # here: workers load this module, and have no database

    check_generator(generator)
    params = _params(service, model_id, {"generator": generator}, name)
    return {**params, "name": f"{generator[:80]} {new_job_id()[:8]}", "source": dict(source)}


def _params(service: Service, model_id: str, new: dict[str, Any], name: str) -> dict[str, Any]:
    """The parameters of a fit that enrols `new` beside what the model has enrolled."""
    card, generator = service.registry.get(model_id), new["generator"]
    own = _own_dataset(service, card)
    known = [{key: one[key] for key in ("dataset_id", "generator")} for one in card.get("enrolled") or ()]
    if generator in [*own.generators, *(one["generator"] for one in known)]:
        raise ConfigError(f"The model knows {generator} already.", "Choose another name.")
    head = {**card["config"]["head"], "name": HEAD}
    title = name or f"{card['name']} and {generator}"
    config = {**card["config"], "extractor": card["extractor"]["spec"], "finetune": None, "head": head, "name": title}
    return {
        "dataset_id": own.id,
        "config": config,
        "enrol": [*known, new],
        "before": card["id"],
    }


def find_enrolling(service: Service, params: Mapping[str, Any], imported: DatasetInfo | None) -> Enrolling | None:
    """What the parameters of a job "fit" enrol, None for nothing; `imported` are the images that came with it, if any.

    Raises NotFound where a data set or model is gone, TooFewImages.
    """
    if not params.get("enrol"):
        return None
    ids = [one["dataset_id"] if imported is None or "dataset_id" in one else imported.id for one in params["enrol"]]
    found = [(service.datasets.get(id), one["generator"]) for id, one in zip(ids, params["enrol"], strict=True)]
    for info, generator in found:
        check_enrolment(_fakes(info), generator)
    parts = tuple(Enrolment(info, tuple(service.datasets.chunks(info.id)), name) for info, name in found)
    before = service.registry.get(params["before"])
    return Enrolling(parts, before, read_arrays(service.registry.folder(before["id"])), service.datasets.root)


def enrol(
    task: Enrolling,
    own: DatasetInfo,
    train: Rows,
    validation: Rows,
    features: FeatureStore,
    *,
    digest: str,
    head: HeadConfig,
) -> tuple[Rows, dict[str, Any]]:
    """(the training images with those that other data sets bring, what the card says of them).

    Of the last of them it says what was gained: figures before and after, by cross-validation. `own` is the data set
    of `train` and `validation`; images with the pixels of any of its own, or of a generator enrolled before, are left
    out and counted. `digest` is that of the extractor, `head` what is fitted. Raises TooFewImages.
    """
    first, parts, excluded = int(max(train.groups.max(), validation.groups.max(initial=0))) + 1, [], []
    taken = [DatasetStore(task.datasets).index(own, [_PIXELS])[_PIXELS]]
    for one in task.parts:
        index = DatasetStore(task.datasets).index(one.info, ["row", "label", "group_id", _PIXELS])
        index = index.filter(pc.equal(index["label"], 1))
        fresh = index.filter(pc.invert(pc.is_in(index[_PIXELS], value_set=_chained(taken))))
        excluded.append(index.num_rows - fresh.num_rows)
        check_enrolment(fresh.num_rows, one.generator, excluded[-1])
        taken.append(fresh[_PIXELS])
        parts.append(_rows(features, one, fresh, digest, first))
        first = int(parts[-1].groups.max()) + 1
    old = load_head(task.before["head"]["kind"], task.arrays)
    earlier = reduce(both, parts[:-1], train)
    gain = measure_gain(earlier, validation.X[validation.y == 0], parts[-1], old.scores, head)
    enrolled = [
        {"dataset_id": one.info.id, "generator": one.generator, "images": len(rows.y), "excluded": known}
        for one, rows, known in zip(task.parts, parts, excluded, strict=True)
    ]
    test = {"test_accuracy_before": task.before["accuracy"]["test"]}
    about = {"generator": task.parts[-1].generator, "into": task.before["id"], **gain, **test}
    return both(earlier, parts[-1]), {"enrolled": enrolled, "enrolment": about}


def _rows(features: FeatureStore, one: Enrolment, index: pa.Table, digest: str, first_group: int) -> Rows:
    """The features of the images in `index`; their groups are numbered from `first_group`."""
    mask = np.zeros(sum(chunk.rows for chunk in one.chunks), bool)
    mask[index["row"].to_numpy()] = True
    X = features.load(one.chunks, digest, mask)
    groups = first_group + index["group_id"].to_numpy().astype(np.int64)
    return Rows(X, np.ones(len(X), np.int8), groups, np.full(len(X), one.generator))


def _own_dataset(service: Service, card: Mapping[str, Any]) -> DatasetInfo:
    """What the model was fitted on, by its id or as the same images under another. Raises NotFound where it is gone."""
    known = card.get("dataset") or {}
    infos = [
        info for info in service.datasets.list() if known.get("id") == info.id or known.get("digest") == info.digest
    ]
    own = find_training_set(infos, card)
    if own is None:
        raise NotFound(
            "The images that the model was trained on are not here, and an enrolment fits on them again.",
            f"Import {known.get('name', 'them')} first, or choose a model that was fitted here.",
        )
    return own


def _fakes(info: DatasetInfo) -> int:
    return sum(split["FAKE"] for split in info.counts.values())


def _chained(columns: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    return pa.chunked_array([chunk for column in columns for chunk in column.chunks], pa.string())
