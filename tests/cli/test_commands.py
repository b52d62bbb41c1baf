"""The command line from end to end, in folders of its own: what is printed where, and with which exit status."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from typer.testing import CliRunner

from backend.cli import app
from backend.core.extractors import EXTRACTORS
from backend.core.heads import HEADS
from backend.service.database import Database
from backend.service.jobs import Jobs
from backend.settings import load_settings

SPECTRUM = ("--extractor", "spectrum", "--C", "1")
"""An extractor without weights: no torch, no export."""


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Shell:
    """Runs `deepfake` in one folder with one set of data and models, which its environment names."""

    folder: Path

    def run(self, *arguments: str) -> Ran:
        """Runs in this process: quick, for commands that start no worker processes."""
        result = CliRunner().invoke(app, arguments)
        return Ran(result.exit_code, result.stdout, result.stderr)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts a process of its own."""
        command = [sys.executable, "-m", "backend.cli", *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.folder, stdout=pipe, stderr=pipe, text=True, start_new_session=True)

    def work(self, *arguments: str) -> Ran:
        """Runs as a process of its own, for commands that start worker processes."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=240)
        return Ran(process.returncode, out, err)

    def json(self, *arguments: str, status: int = 0, work: bool = False) -> Any:
        """What a command printed with --json: one document, whatever its status."""
        ran = (self.work if work else self.run)(*arguments, "--json")
        assert ran.status == status, ran.out + ran.err
        return json.loads(ran.out)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A folder with pictures/ and pictures.zip, the data set "pictures", and an active model "first" on it."""
    folder = tmp_path_factory.mktemp("shell")
    random = np.random.default_rng(0)
    for label in ("REAL", "FAKE"):
        (folder / "pictures" / label).mkdir(parents=True)
        for number in range(40):
            picture = Image.fromarray(random.integers(0, 255, (32, 32, 3), dtype=np.uint8))
            if label == "FAKE":
                picture = picture.resize((8, 8)).resize((32, 32), Image.Resampling.BICUBIC)
            picture.save(folder / "pictures" / label / f"{number}.png")
    with zipfile.ZipFile(folder / "pictures.zip", "w") as archive:
        for path in (folder / "pictures").rglob("*.png"):
            archive.write(path, path.relative_to(folder / "pictures"))
    for name in ("broken.zip", "broken.json", "broken.png"):
        (folder / name).write_text("{")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("DEEPFAKE_DATA_DIR", str(folder / "data"))
        patch.setenv("DEEPFAKE_MODELS_DIR", str(folder / "models"))
        patch.setenv("DEEPFAKE_SHIPPED_DIR", str(folder / "nothing"))  # the registry begins empty
        patch.setenv("DEEPFAKE_WORKERS", "1")
        shell = Shell(folder)
        assert shell.json("datasets", "import", "pictures.zip", work=True)["name"] == "pictures"
        card = shell.json("fit", "--dataset", "pictures", *SPECTRUM, "--name", "first", "--seed", "3", work=True)
        assert (card["config"]["seed"], card["config"]["head"]["name"], card["name"]) == (3, "logreg", "first")
        yield shell


def test_labels_are_changed_and_images_dropped(shell: Shell) -> None:
    shell.json("datasets", "import", "pictures", "--name", "to revise", work=True)
    info = shell.json("datasets", "revise", "to revise", "--real", "0-2, 4", "--fake", "79", "--drop", "5,7")
    assert (info["version"], info["images"], info["dropped"]) == (2, 78, 2)
    assert shell.json("datasets", "show", "to revise") == info
    assert "version 2, 78 images, 2 dropped" in shell.run("datasets", "show", "to revise").out
    again = shell.json("datasets", "revise", "to revise", "--real", "5", "--version", "2")
    assert (again["version"], again["dropped"]) == (3, 1)
    stale = shell.json("datasets", "revise", "to revise", "--drop", "6", "--version", "2", status=1)
    assert stale["error"]["code"] == "conflict"
    for wrong in (("--drop", "x"), ("--drop", "3-"), ("--drop", "9-3"), ("--real", "1", "--drop", "1"), ()):
        told = shell.json("datasets", "revise", "to revise", *wrong, status=1)
        assert told["error"]["code"] == "invalid_input"
        assert told["error"]["hint"]
    beyond = shell.json("datasets", "revise", "to revise", "--drop", "80", status=1)
    assert beyond["error"]["code"] == "dataset.label_mismatch"
    assert shell.json("datasets", "show", "to revise") == again
    shell.json("datasets", "delete", "to revise")


def test_a_folder_and_a_zip_give_the_same_data_set_and_progress_goes_to_standard_error(shell: Shell) -> None:
    ran = shell.work("datasets", "import", "pictures", "--name", "from folder")
    assert ran.status == 0, ran.err
    assert "of 80" in ran.err
    assert "from folder" in ran.out
    assert "of 80" not in ran.out
    info = shell.json("datasets", "show", "from folder")
    assert info["counts"] == {"": {"REAL": 40, "FAKE": 40}} == shell.json("datasets", "show", "pictures")["counts"]
    assert [item["name"] for item in shell.json("datasets", "list")] == ["pictures", "from folder"]
    assert "from folder" in shell.run("datasets", "list").out
    assert shell.json("datasets", "delete", info["id"]) == {"deleted": info["id"]}
    assert [item["name"] for item in shell.json("datasets", "list")] == ["pictures"]


def test_statistics_are_named_with_commas(shell: Shell) -> None:
    for pooling, code in (("mean,std", "not_found"), ("mean", "not_found"), ("mean,colour", "config")):
        error = shell.json("fit", "--dataset", "nothing", "--pooling", pooling, status=1)["error"]
        assert error["code"] == code, pooling


def test_a_reader_that_wants_no_more_gets_no_message(shell: Shell) -> None:
    with shell.start("options", "--json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_data_sets_are_exported_in_both_formats(shell: Shell) -> None:
    assert shell.json("datasets", "export", "pictures", "out.zip")["path"] == "out.zip"
    names = zipfile.ZipFile(shell.folder / "out.zip").namelist()
    assert len([name for name in names if name.endswith(".png")]) == 80
    shell.json("datasets", "export", "pictures", "out.parquet")
    again = shell.json("datasets", "import", "out.parquet", "--name", "again", work=True)
    assert again["counts"] == {"": {"REAL": 40, "FAKE": 40}}
    shell.json("datasets", "delete", "again")


def test_a_data_set_is_profiled_once(shell: Shell) -> None:
    assert shell.json("eda", "pictures", work=True)["images"] == 80
    began = time.monotonic()
    text = shell.run("eda", "pictures").out
    assert time.monotonic() - began < 2  # the second time it is only read
    assert "mean R, G, B" in text


def test_an_audit_is_printed_in_words_and_as_json(shell: Shell) -> None:
    findings = shell.json("datasets", "audit", "pictures", work=True)["findings"]
    printed = shell.run("datasets", "audit", "pictures").out
    assert all(f"{found['severity'].upper()} {found['title']} ({found['code']})" in printed for found in findings)


def test_models_are_fitted_listed_shown_chosen_exported_and_deleted(shell: Shell) -> None:
    config = {"head": {"name": "svm", "C": 0.5}, "extractor": {"name": "npr"}, "notes": "from a file"}
    (shell.folder / "config.json").write_text(json.dumps(config))
    arguments = ["--dataset", "pictures", "--config", "config.json", "--C", "0.25", "--name", "second", "--no-test"]
    card = shell.json("fit", *arguments, "--target-fpr", "0.05", work=True)
    assert card["config"]["target_fpr"] == 0.05
    assert card["fpr_promise"]["reason"] in shell.run("models", "show", card["id"]).out
    assert (card["config"]["head"]["name"], card["config"]["head"]["C"]) == ("svm", 0.25)
    assert (card["config"]["notes"], card["name"], card["activation"]) == ("from a file", "second", "identity")
    assert card["metrics"]["test"] is None
    first = next(card["id"] for card in shell.json("models") if card["active"])
    assert f"*  {first}" in shell.run("models").out
    assert shell.json("models", "delete", first, status=1)["error"]["code"] == "conflict"
    assert "second" in shell.run("models", "show", card["id"]).out
    shell.json("models", "export", card["id"], "model.zip")
    assert any(name.endswith("card.json") for name in zipfile.ZipFile(shell.folder / "model.zip").namelist())
    unread = shell.json("models", "compare", first, card["id"], status=1)
    assert unread["error"]["code"] == "models.not_comparable"
    assert "not evaluated on test images" in unread["error"]["message"]
    assert shell.json("set", card["id"])["active"]
    assert shell.json("set", first)["id"] == first
    assert shell.json("models", "delete", card["id"]) == {"deleted": card["id"]}
    assert [card["id"] for card in shell.json("models")] == [first]


def test_a_model_is_evaluated_by_generator(shell: Shell) -> None:
    model_id = shell.json("models")[0]["id"]
    arguments = ("evaluate", "--model", model_id, "--dataset", "pictures")
    found = shell.json(*arguments, work=True)
    assert [(row["generator"], row["seen"]) for row in found["generators"]] == [("unnamed (pictures)", True)]
    shown = shell.work(*arguments)
    assert "unnamed (pictures)" in shown.out
    assert "left out" in shown.out


def test_a_generator_is_enrolled_from_a_folder_of_its_pictures(shell: Shell) -> None:
    random = np.random.default_rng(1)
    (shell.folder / "striped").mkdir()
    for number in range(12):
        pixels = random.integers(0, 255, (32, 32, 3), dtype=np.uint8)
        pixels[::2] //= 4
        Image.fromarray(pixels).save(shell.folder / "striped" / f"{number}.png")
    first = next(card["id"] for card in shell.json("models") if card["active"])
    command = ("enrol", "striped", "--model", first, "--generator", "stripes")
    shown = shell.work(*command)
    assert shown.status == 0, shown.err
    lines = shown.out.splitlines()
    assert lines[0] == "images of stripes: 12"
    assert [line.split(":")[0] for line in lines[1:3]] == ["stripes before", "stripes after"]
    assert lines[3].startswith("accuracy on the model's test images before: ")
    card = next(card for card in shell.json("models") if card["name"] == "first and stripes")
    (answer,) = shell.json("predict", "striped/0.png", "--model", card["id"])["predictions"]
    assert (answer["label"], answer["closest_generator"]) == ("FAKE", "stripes")
    compared = shell.json("models", "compare", first, card["id"])
    assert compared["n"] == card["metrics"]["test"]["n"]
    told = shell.run("models", "compare", first, card["id"], "--split", "validation").out
    assert first in told
    assert "validation images: both are right on" in told
    assert "McNemar's exact test: p = " in told
    assert shell.run("models", "compare", first, card["id"], "--split", "all").status == 2
    for wrong in (("--dataset", "pictures"), ()):
        twice = shell.json("enrol", *wrong, *command[1 if wrong else 2 :], status=1)
        assert twice["error"]["code"] == "invalid_input"
    shell.json("models", "delete", card["id"])


def test_predict_takes_files_folders_and_patterns(shell: Shell) -> None:
    (shell.folder / "pictures" / "REAL" / "notes.txt").write_text("no picture, and not asked for")
    answer = shell.json("predict", "pictures/FAKE/0.png", "pictures/FAKE", "pictures/REAL/1*.png", "broken.png")
    assert len(answer["predictions"]) == 40 + 11  # a file that is named twice is answered once
    assert [(error["filename"], error["code"]) for error in answer["errors"]] == [("broken.png", "image.not_an_image")]
    right = [item["label"] == Path(item["filename"]).parent.name for item in answer["predictions"]]
    assert sum(right) > 45
    table = shell.run("predict", "pictures/FAKE/0.png", "broken.png")
    assert table.out.splitlines()[0].startswith("verdict")
    assert "pictures/FAKE/0.png" in table.out
    assert table.err.startswith("broken.png: ")


def test_predict_tells_what_a_file_says_of_its_origin_when_asked(shell: Shell) -> None:
    info = PngInfo()
    info.add_text("Software", "GIMP\n2.10")
    Image.linear_gradient("L").convert("RGB").save(shell.folder / "painted.png", pnginfo=info)
    (item,) = shell.json("predict", "painted.png", "--provenance")["predictions"]
    assert item["provenance"]["evidence"][0]["statement"] == "edited"
    assert (
        "painted.png: PNG text 'Software' (plain): edited: GIMP 2.10"
        in shell.run("predict", "painted.png", "--provenance").out.splitlines()
    )
    assert "provenance" not in shell.json("predict", "painted.png")["predictions"][0]
    (shell.folder / "painted.png").unlink()


def test_predict_searches_folders_within_folders_only_when_asked(shell: Shell) -> None:
    assert "--recursive" in shell.json("predict", "pictures", status=1)["error"]["hint"]
    assert shell.json("predict", "nothing.png", status=1)["error"]["hint"] == ""
    assert len(shell.json("predict", "pictures", "--recursive")["predictions"]) == 80


def test_predict_fails_when_no_file_was_read(shell: Shell) -> None:
    assert len(shell.json("predict", "broken.png", status=1)["errors"]) == 1


def test_robustness_is_measured_by_corruption_and_strength(shell: Shell) -> None:
    ran = shell.work("robustness", "--dataset", "pictures", "--images", "20")
    assert ran.status == 0, ran.err
    head, first, *rows = ran.out.splitlines()
    assert head.split() == ["corruption", "strength", "accuracy", "recall", "FPR", "AUROC"]
    assert first.startswith("as they are")
    assert any(row.startswith("jpeg") and " 30 " in row for row in rows)
    unknown = shell.json("robustness", "--dataset", "nothing", status=1, work=True)
    assert unknown["error"]["code"] == "not_found"


def test_predict_in_a_new_process_is_quick_and_imports_no_torch(shell: Shell) -> None:
    program = (
        "import sys; from backend.cli import app\n"
        "try: app(['predict', 'pictures/FAKE/0.png'])\n"
        "finally: assert not {'torch', 'timm'} & set(sys.modules)"
    )
    began = os.times()
    ran = subprocess.run([sys.executable, "-c", program], cwd=shell.folder, capture_output=True, text=True, check=False)
    ended = os.times()
    assert ran.returncode == 0, ran.stderr
    assert ended.children_user - began.children_user < 4  # processor time: other load does not count


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["datasets", "show", "nothing"], "not_found"),
        (["datasets", "delete", "nothing"], "not_found"),
        (["datasets", "import", "nothing.zip"], "not_found"),
        (["datasets", "import", "nothing"], "dataset.unknown_source"),
        (["datasets", "import", "pictures.zip", "--name", "pictures"], "conflict"),
        (["datasets", "export", "pictures", "out.tar"], "invalid_input"),
        (["datasets", "export", "pictures", "missing/out.zip"], "not_found"),
        (["fit", "--dataset", "nothing"], "not_found"),
        (["fit", "--dataset", "pictures", "--head", "forest"], "config.unknown_head"),
        (["fit", "--dataset", "pictures", "--extractor", "magic"], "config.unknown_extractor"),
        (["fit", "--dataset", "pictures", "--extractor", "{"], "config"),
        (["fit", "--dataset", "pictures", "--extractor", "npr", "--stages", "last"], "config"),
        (["fit", "--dataset", "pictures", "--C", "-1"], "config"),
        (["fit", "--dataset", "pictures", "--target-fpr", "0.6"], "config"),
        (["fit", "--dataset", "pictures", "--config", "broken.json"], "config"),
        (["fit", "--dataset", "pictures", "--config", "missing.json"], "file"),
        (["evaluate", "--model", "nothing", "--dataset", "pictures"], "not_found"),
        (["evaluate", "--model", "nothing", "--dataset", "pictures", "--split", "train"], "invalid_input"),
        (["cross-evaluate", "--dataset", "nothing"], "not_found"),
        (["cross-evaluate", "--dataset", "pictures"], "invalid_input"),
        (["cross-evaluate", "--dataset", "pictures", "--head", "forest"], "config.unknown_head"),
        (["set", "nothing"], "not_found"),
        (["models", "show", "nothing"], "not_found"),
        (["models", "export", "nothing", "out.zip"], "not_found"),
        (["models", "compare", "nothing", "nowhere"], "not_found"),
        (["eda", "nothing"], "not_found"),
        (["predict", "nothing.png"], "not_found"),
        (["predict", "pictures/REAL/0.png", "--model", "nothing"], "not_found"),
        (["demo", "missing/demo.zip"], "not_found"),
    ],
)
def test_a_failure_is_one_document_and_status_1(shell: Shell, arguments: list[str], code: str) -> None:
    assert shell.json(*arguments, status=1)["error"]["code"] == code


def test_a_job_that_fails_gives_its_own_reason(shell: Shell) -> None:
    failed = shell.json("datasets", "import", "broken.zip", "--name", "broken", status=1, work=True)
    assert failed["error"]["code"] == "archive.broken"


def test_a_failure_without_json_is_a_sentence_on_standard_error(shell: Shell) -> None:
    ran = shell.run("set", "nothing")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("Error: There is no model 'nothing'.")


@pytest.mark.parametrize(
    "arguments", [["fit"], ["evaluate"], ["predict"], ["datasets", "import"], ["nothing"], ["fit", "--C", "x"]]
)
def test_wrong_usage_is_status_2(shell: Shell, arguments: list[str]) -> None:
    ran = shell.run(*arguments)
    assert (ran.status, ran.out) == (2, "")


def test_a_wrong_setting_is_a_sentence(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPFAKE_WORKERS", "many")
    assert "DEEPFAKE_WORKERS" in shell.json("models", status=1)["error"]["message"]


def test_options_lists_what_exists(shell: Shell) -> None:
    options = shell.json("options")
    assert set(HEADS) == {head["name"] for head in options["heads"]}
    assert set(EXTRACTORS) == {extractor["name"] for extractor in options["extractors"]}
    assert set(HEADS) <= set(shell.run("options").out.split())


def test_ctrl_c_cancels_the_job(shell: Shell) -> None:
    process = shell.start("datasets", "import", "demo", "--name", "interrupted", "--json")
    jobs = Jobs(Database(load_settings().database), load_settings())
    deadline = time.monotonic() + 60
    while not jobs.list(state="running")[0] and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    jobs.database.close()
    assert process.returncode == 1, out + err
    assert json.loads(out)["error"]["code"] == "job.cancelled"
    assert "interrupted" not in [info["name"] for info in shell.json("datasets", "list")]


def test_demo_writes_a_zip_of_both_classes_and_three_generators(shell: Shell) -> None:
    shell.json("demo", "demo.zip")
    names = zipfile.ZipFile(shell.folder / "demo.zip").namelist()
    assert any(name.startswith("REAL/") for name in names)
    assert len({name.split("/")[1] for name in names if name.startswith("FAKE/")}) >= 3
