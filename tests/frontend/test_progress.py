"""A job's progress in words: its steps, its bar, its speed, and what is not known."""

from __future__ import annotations

from typing import Any

import pytest

from frontend.progress import describe_progress, share_done, steps_of

Json = dict[str, Any]


def job(stage: str | None = None, done: int = 0, total: int = 0, **values: Any) -> Json:
    """A running fit in `stage`."""
    progress = None
    if stage is not None:
        progress = {"stage": stage, "done": done, "total": total, "images_per_second": None, "seconds_left": None}
        progress |= {name: values.pop(name) for name in list(values) if name in progress}
    return {"kind": "fit", "state": "running", "params": {"dataset_id": "x"}, "progress": progress, **values}


def states(given: Json) -> dict[str, str]:
    return {step.name: step.state for step in steps_of(given)}


def test_a_fit_shows_what_is_over_under_way_and_to_come() -> None:
    assert states(job("features", 1, 2)) == {"features": "now", "fit": "later", "evaluate": "later"}
    assert states(job("evaluate", 0, 2)) == {"features": "done", "fit": "done", "evaluate": "now"}


@pytest.mark.parametrize("stage", ["fit", "choose C", "kernel features", "fit head"])
def test_parts_of_the_fit_are_one_step(stage: str) -> None:
    assert states(job(stage, 1, 100))["fit"] == "now"


def test_images_that_come_along_are_a_step_of_their_own() -> None:
    assert next(iter(states(job("import", 1, 2, params={"source": {"kind": "zip"}})))) == "import"
    assert states(job("download", 1, 2, params={"source": {"kind": "cifake"}}))["import"] == "now"


@pytest.mark.parametrize("stage", ["gather", "fine-tune"])
def test_fine_tuning_is_a_step_of_the_fits_that_ask_for_it(stage: str) -> None:
    assert next(iter(states(job(stage, 1, 9, params={"config": {"finetune": {"epochs": 2}}})))) == "fine-tune"


def test_a_stage_of_a_later_version_shows_as_it_comes() -> None:
    unknown = job("polishing", 3, 4)
    assert steps_of(unknown) == []
    assert describe_progress(unknown) == "polishing · 3 of 4"


def test_a_waiting_job_has_everything_before_it() -> None:
    waiting = job("features", 1, 2, state="queued")
    assert set(states(waiting).values()) == {"later"}
    assert share_done(waiting) == 0.0
    assert describe_progress(waiting).startswith("Waiting")


def test_jobs_of_one_step_show_no_list() -> None:
    assert steps_of(job("profile", 1, 2, kind="profile")) == []


def test_what_cannot_be_measured_is_said_in_words() -> None:
    assert "not known yet" in describe_progress(job("import", 0, 0))
    assert share_done(job("import", 0, 0)) == 0.0
    assert describe_progress(job()).startswith("Starting")


def test_images_bytes_and_percent_are_told_apart() -> None:
    assert describe_progress(job("features", 1200, 2400)) == "Computing features · 1\u202f200 of 2\u202f400 images"
    assert describe_progress(job("download", 5_000_000, 10_000_000)) == "Downloading · 5.0 MB of 10 MB"
    assert describe_progress(job("fit head", 40, 100)) == "Fitting the classifier · 40 %"


def test_speed_and_time_left_are_told_while_they_mean_something() -> None:
    going = job("features", 10, 100, images_per_second=731.4, seconds_left=94.1)
    assert describe_progress(going).endswith("731 images a second · about 94 s left")
    assert share_done(going) == 0.1
    assert "left" not in describe_progress(job("features", 100, 100, images_per_second=3.21, seconds_left=0.0))
    assert "3.2 images a second" in describe_progress(job("features", 1, 2, images_per_second=3.21))
    assert share_done(job("features", 3, 2)) == 1.0
