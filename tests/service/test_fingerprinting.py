"""Enrolling sources of images by their fingerprints, and asking which of them made an image."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from backend.core.config import FitConfig
from backend.core.errors import (
    BrokenArchive,
    Cancelled,
    ConfigError,
    Conflict,
    IntegrityError,
    InvalidInput,
    NoImages,
    NotFound,
    TooFewImages,
    Unreachable,
)
from backend.core.extractors import check_spec, concatenation, create, irreplaceable_files
from backend.core.heads import HeadConfig
from backend.core.images import decode
from backend.service.app import Service
from backend.service.attributing import Attributor
from backend.service.backup import back_up, restore
from backend.service.fingerprint_sums import SumTask, sum_chunk
from backend.service.fingerprinting import fingerprint_params
from backend.service.fingerprints import Fingerprints, Records
from backend.service.freezing import freeze_fingerprints
from backend.service.irreplaceable import sweep_unused
from backend.service.jobs import named_datasets
from backend.service.model_import import import_model
from tests.running import ROOT
from tests.service.working_here import open_here, run_here
from tests.traced import traced_png, write_traced

SOURCES = ("checks", "dots", "waves")


def ready(folder: Path) -> Service:
    """A service that has the network of the traits, so that nothing is exported."""
    shutil.copytree(ROOT / "models" / "backbones", folder / "models" / "backbones")
    return open_here(folder)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = ready(tmp_path_factory.mktemp("here"))
    yield service
    service.close()


@pytest.fixture(scope="module")
def dataset(here: Service, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Id of a data set of three generators, 40 images each with five twice, one grey and one small; and REAL ones."""
    folder = tmp_path_factory.mktemp("traced")
    for source in SOURCES:
        write_traced(folder / "FAKE" / source, source, 40)
    write_traced(folder / "REAL", "camera", 24)
    for number in range(5):
        shutil.copy(folder / "FAKE" / "dots" / f"{number}.png", folder / "FAKE" / "dots" / f"again-{number}.png")
    Image.new("RGB", (32, 32), (90, 90, 90)).save(folder / "FAKE" / "dots" / "grey.png")
    Image.effect_noise((24, 24), 50).convert("RGB").save(folder / "FAKE" / "dots" / "small.png")
    params = {"name": "Traced", "source": {"kind": "folder", "path": str(folder)}}
    return str(run_here(here, "import", params)["dataset_id"])


@pytest.fixture(scope="module")
def enrolled(here: Service, dataset: str) -> dict[str, str]:
    """Generator -> id of its fingerprint."""
    found = {}
    for source in SOURCES:
        params = fingerprint_params(here, source, dataset_id=dataset, source_generator=source)
        found[source] = str(run_here(here, "fingerprint", params)["fingerprint_id"])
    return found


def files(source: str, count: int) -> list[tuple[int, bytes]]:
    """New images of a source."""
    return [(number, traced_png(source, 1000 + number)) for number in range(count)]


def test_an_enrolment_says_what_it_was_made_of(here: Service, dataset: str, enrolled: dict[str, str]) -> None:
    record = here.fingerprints.get(enrolled["dots"])
    assert (record["generator"], record["label"], record["denoiser"]) == ("dots", "FAKE", "gaussian")
    assert (record["height"], record["width"], record["count"]) == (32, 32, 40)
    assert record["left_out"] == {"duplicates": 5, "constant": 1, "other_size": 1}
    assert record["codecs"] == {"PNG": 41}
    assert record["dataset"]["id"] == dataset
    described = here.attributor.describe(record)
    assert described["own"]["mean"] > described["others"]["mean"] + 0.1
    assert described["indistinguishable"] == []
    page, total = here.fingerprints.list(q="DOT", sort="generator")
    assert total == 1
    assert page[0]["id"] == record["id"]
    assert "radial" not in page[0]
    assert here.fingerprints.picture(record["id"], "spectrum").startswith(b"\x89PNG")
    with pytest.raises(NotFound, match="no picture"):
        here.fingerprints.picture(record["id"], "face")


def test_sums_are_kept_and_go_with_the_features(here: Service, dataset: str, enrolled: dict[str, str]) -> None:
    kept = {path.name for path in here.features.root.rglob("*.safetensors")}
    assert kept == {f"{chunk.digest}.safetensors" for chunk in here.datasets.chunks(dataset)}
    params = fingerprint_params(here, "checks", dataset_id=dataset, source_generator="checks", denoiser="median")
    assert dataset in named_datasets(params)
    other = str(run_here(here, "fingerprint", params)["fingerprint_id"])  # one of each denoiser is no conflict
    assert {here.attributor.enrolled(None).denoiser, here.attributor.enrolled("median").denoiser} == {
        "gaussian",
        "median",
    }
    here.fingerprints.delete(other)
    assert not here.fingerprints.path(other).exists()


def test_a_chunk_stops_when_the_job_is_cancelled(here: Service, dataset: str, enrolled: dict[str, str]) -> None:
    chunk = here.datasets.chunks(dataset)[0]
    mask = np.packbits(np.ones(chunk.rows, bool)).tobytes()
    path = here.features.root / "stopped" / "x.safetensors"
    task = SumTask(chunk, mask, (32, 32), "gaussian", here.settings.backbones_dir, path)
    with pytest.raises(Cancelled):
        sum_chunk(task, cancelled=lambda: True)
    assert not path.exists()


def test_a_batch_is_told_apart_and_a_stranger_is_none_of_them(here: Service, enrolled: dict[str, str]) -> None:
    answer = here.attributor.attribute(files("waves", 16), batch=True)
    [found] = answer.attributions
    assert answer.calibrated
    assert found["source"] == "waves"
    assert found["files"] == list(range(16))
    assert found["matches"][0]["id"] == enrolled["waves"]
    assert found["matches"][0]["z"] > 3
    assert found["notes"] == []
    stranger = here.attributor.attribute(files("nobody", 16), batch=True).attributions[0]
    assert stranger["source"] is None
    singles = here.attributor.attribute(files("waves", 3)).attributions
    assert [one["files"] for one in singles] == [[0], [1], [2]]
    assert all(one["matches"][0]["generator"] == "waves" for one in singles)


def test_a_bad_file_does_not_fail_the_others(here: Service, enrolled: dict[str, str]) -> None:
    grey, tiny = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (32, 32)).save(grey, "PNG")
    Image.effect_noise((8, 8), 50).convert("RGB").save(tiny, "PNG")
    large = io.BytesIO()
    Image.effect_noise((700, 40), 50).convert("RGB").save(large, "PNG")
    sent = [*files("dots", 1), (1, b"no image"), (2, grey.getvalue()), (3, large.getvalue())]
    answer = here.attributor.attribute(sent)
    assert [one["files"] for one in answer.attributions] == [[0], [3]]
    assert answer.attributions[1]["cut"] == 1
    assert [note["code"] for note in answer.attributions[1]["notes"]] == ["cropped"]
    assert [(number, error.code) for number, error in answer.errors] == [
        (1, "image.not_an_image"),
        (2, "invalid_input"),
    ]
    with pytest.raises(InvalidInput, match="one colour"):
        here.attributor.attribute([(0, grey.getvalue())], batch=True)
    with pytest.raises(ConfigError, match="false_attribution"):
        here.attributor.attribute(sent, false_attribution=0.9)
    with pytest.raises(ConfigError, match="no denoiser"):
        here.attributor.attribute(sent, denoiser="bm3d")
    with pytest.raises(NotFound, match="No generator"):
        here.attributor.attribute(sent, denoiser="npr")


def test_a_damaged_or_lost_fingerprint_is_left_out_and_named_until_it_is_mended(
    here: Service, enrolled: dict[str, str]
) -> None:
    ids = {one["generator"]: one["id"] for one in here.fingerprints.all()}
    attributor = Attributor(here.fingerprints, here.registry.backbones, 10**6)
    path = here.fingerprints.path(ids["dots"])
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    try:
        answer = attributor.attribute(files("waves", 8), batch=True)
        with pytest.raises(IntegrityError):
            here.fingerprints.read(here.fingerprints.get(ids["dots"]))
        path.write_bytes(whole)
        mended = attributor.enrolled()
        path.unlink()
        [lost] = attributor.enrolled().left_out
    finally:
        path.write_bytes(whole)
    assert mended.left_out == []
    assert "no file" in lost["reason"]
    assert [(one["id"], one["generator"]) for one in answer.left_out] == [(ids["dots"], "dots")]
    assert "damaged" in answer.left_out[0]["reason"]
    assert answer.attributions[0]["source"] == "waves"
    assert {match["generator"] for match in answer.attributions[0]["matches"]} == set(SOURCES) - {"dots"}
    assert not answer.calibrated  # two are left


class Away(Fingerprints):
    """The two oldest fingerprints, in a store that does not answer while `is_away`."""

    is_away = False

    def all(self, denoiser: str | None = None) -> Records:
        return super().all(denoiser)[:2]

    def stamps(self, records: Records) -> list[str | None]:
        if self.is_away:
            raise Unreachable("The object store does not answer.")
        return super().stamps(records)


def test_what_was_read_counts_while_the_store_does_not_answer(here: Service, enrolled: dict[str, str]) -> None:
    store = Away(here.fingerprints.root, here.database)
    attributor = Attributor(store, here.registry.backbones, 10**6)
    before = attributor.enrolled()
    store.is_away = True
    assert attributor.enrolled() is before
    with pytest.raises(Unreachable):
        Attributor(store, here.registry.backbones, 10**6).enrolled()


def test_one_generator_under_two_names_is_told(here: Service, dataset: str, enrolled: dict[str, str]) -> None:
    params = fingerprint_params(here, "points", dataset_id=dataset, source_generator="dots")
    twin = str(run_here(here, "fingerprint", params)["fingerprint_id"])
    pairs = here.attributor.enrolled(None).comparison.to_json()["indistinguishable"]
    assert [{pair["first"], pair["second"]} for pair in pairs] == [{"dots", "points"}]
    assert pairs[0]["shared_images"] == 40
    assert here.attributor.describe(here.fingerprints.get(twin))["indistinguishable"] == pairs
    here.fingerprints.delete(twin)


def test_what_cannot_be_enrolled_is_said(here: Service, dataset: str, enrolled: dict[str, str]) -> None:
    with pytest.raises(Conflict, match="enrolled already"):
        fingerprint_params(here, " dots ", dataset_id=dataset)
    with pytest.raises(ConfigError, match="no name"):
        fingerprint_params(here, "  ", dataset_id=dataset)
    with pytest.raises(ConfigError, match="no denoiser"):
        fingerprint_params(here, "x", dataset_id=dataset, denoiser="bm3d")
    with pytest.raises(NotFound):
        fingerprint_params(here, "x", dataset_id="nothing")
    unknown = fingerprint_params(here, "x", dataset_id=dataset, source_generator="flux")
    with pytest.raises(NoImages, match="'flux'"):
        run_here(here, "fingerprint", unknown)


def test_too_few_images_say_how_many(here: Service, tmp_path: Path) -> None:
    write_traced(tmp_path / "FAKE", "few", 6)
    source = {"kind": "folder", "path": str(tmp_path)}
    params: dict[str, Any] = {**fingerprint_params(here, "few"), "name": "Few", "source": source}
    with pytest.raises(TooFewImages, match="32 x 32 pixels that can be used: 6;"):
        run_here(here, "fingerprint", params)
    here.delete_dataset("Few")


def test_a_backup_brings_them_back_and_lost_files_are_swept(
    here: Service, enrolled: dict[str, str], tmp_path: Path
) -> None:
    file = io.BytesIO()
    back_up(here, file)
    other = ready(tmp_path)
    try:
        file.seek(0)
        restore(other, file)
        record = other.fingerprints.get(enrolled["waves"])
        assert other.fingerprints.read(record).count == record["count"]
        assert {one["generator"] for one in other.fingerprints.all()} == set(SOURCES)
        other.fingerprints.forget_lost({other.fingerprints.path(enrolled["waves"]).name})
        assert [one["generator"] for one in other.fingerprints.all()] == ["waves"]
        other.fingerprints.sweep()  # the other files are new: they may belong to an enrolment under way
        assert len(list(other.fingerprints.root.iterdir())) == 3
    finally:
        other.close()


def test_a_model_keeps_its_fingerprints_whatever_becomes_of_the_enrolment(
    here: Service, dataset: str, enrolled: dict[str, str], tmp_path: Path
) -> None:
    params = fingerprint_params(here, "soon gone", dataset_id=dataset, source_generator="dots")
    gone = str(run_here(here, "fingerprint", params)["fingerprint_id"])
    traces = {"name": "fingerprint", "fingerprints": ["soon gone", enrolled["waves"]]}
    parts: list[dict[str, Any]] = [traces, {"name": "npr"}]
    spec = check_spec(concatenation(parts))
    config = freeze_fingerprints(here, FitConfig(spec, HeadConfig("logreg", C=1.0), measure_limits=False))
    files = [here.registry.backbones / name for name in irreplaceable_files(config.extractor)]
    assert freeze_fingerprints(here, config) == config  # digests of files that are there stay as they are
    here.fingerprints.delete(gone)
    os.utime(str(files[0]), (0, 0))
    id = str(run_here(here, "fit", {"dataset_id": dataset, "config": config.to_json()})["model_id"])
    sweep_unused(here.database, here.registry.backbones)
    card = here.registry.get(id)
    assert [one["generator"] for one in card["fingerprints"]] == ["soon gone", "waves"]
    assert card["extractor"]["dimensions"] == 8 + len(create(parts[1], backbones=tmp_path).feature_names)
    assert card["metrics"]["test"]["auroc"] > 0.8
    images = [decode(traced_png(source, 2000)).pixels for source in (*SOURCES, "camera")]
    answers = here.registry.detector(id).predict(images)
    archive = here.registry.export(id, tmp_path / "model.zip")
    other = open_here(tmp_path / "other")
    try:
        assert import_from(other, archive)["fingerprints"] == card["fingerprints"]
        assert other.registry.detector(id).predict(images) == answers
        copies = [other.registry.backbones / file.name for file in files]
        assert all(copy.exists() for copy in copies)
        other.registry.delete(id)
        assert not any(copy.exists() for copy in copies)
        copies[0].write_bytes(b"damaged")
        with pytest.raises(IntegrityError, match="damaged"):
            import_from(other, archive)
        archive.write_bytes(archive.read_bytes().replace(files[0].name.encode(), b"x" * len(files[0].name)))
        with pytest.raises(BrokenArchive, match="which the model reads"):
            import_from(other, archive)
    finally:
        other.close()


def import_from(service: Service, archive: Path) -> dict[str, Any]:
    with archive.open("rb") as file:
        return import_model(service, file, may_export=False)


def test_a_fit_takes_a_fingerprint_by_every_name_that_is_shown(here: Service, enrolled: dict[str, str]) -> None:
    def freeze(name: str) -> str:
        spec = check_spec({"name": "fingerprint", "fingerprints": [name]})
        [digest] = freeze_fingerprints(here, FitConfig(spec)).extractor["fingerprints"]
        return str(digest)

    record = here.fingerprints.get(enrolled["dots"])
    frozen = {freeze(record[name]) for name in ("generator", "id", "digest")}
    assert {freeze(digest) for digest in frozen} == frozen  # as a model's card shows it
    assert len(frozen) == 1


def test_fingerprints_that_are_not_enrolled_are_refused_when_a_fit_is_asked_for(
    here: Service, dataset: str, enrolled: dict[str, str]
) -> None:
    def ask(*names: str) -> None:
        freeze_fingerprints(here, FitConfig(check_spec({"name": "fingerprint", "fingerprints": list(names)})))

    with pytest.raises(ConfigError, match="no fingerprint of 'flux'") as caught:
        ask("flux")
    assert "checks, dots, waves" in caught.value.hint
    with pytest.raises(ConfigError, match="twice"):
        ask("dots", enrolled["dots"])
    with pytest.raises(ConfigError, match="no fingerprint") as caught:
        ask("0" * 64)
    assert "digest of one that GET /fingerprints lists" in caught.value.hint
