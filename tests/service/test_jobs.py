import json
import logging
import os
import time

import pytest
from sqlalchemy import update

from backend.core.errors import Cancelled, Conflict, InvalidInput, NotFound, QueueFull
from backend.service.job_context import JobContext, sweep_folders
from backend.service.tables import JobRow, ProgressRow
from tests.service import job_workflows
from tests.service.job_workflows import STEPS, WORKFLOWS, lines, open_jobs, wait_for


def test_a_job_runs_and_is_done(jobs, run, tmp_path):
    run()
    job = jobs.submit("count", {"file": str(tmp_path / "a"), "pause": 0.02})
    assert (job.state, job.progress, job.attempts) == ("queued", None, 0)
    job = jobs.wait(job.id, 10)
    assert (job.state, job.result, job.reason, job.attempts) == ("done", {"lines": STEPS}, None, 1)
    assert (job.progress.stage, job.progress.done, job.progress.total) == ("count", STEPS, STEPS)
    assert job.created_at <= job.started_at <= job.finished_at
    assert not jobs.folder(job.id).exists()
    json.dumps(job.to_json())


def test_a_submitted_job_starts_at_once(jobs, run, tmp_path):
    runner = run()
    wait_for(lambda: runner.is_owner)
    time.sleep(0.1)
    start = time.monotonic()
    jobs.wait(jobs.submit("once", {"file": str(tmp_path / "a")}).id, 5)
    assert time.monotonic() - start < 0.45  # less than the runner's idle pause


def test_jobs_run_in_the_order_of_their_submission(jobs, run, tmp_path):
    ids = [jobs.submit("once", {"file": str(tmp_path / "a")}).id for _ in range(5)]
    run()
    jobs.wait(ids[-1], 10)
    assert [line.split()[0] for line in lines(tmp_path / "a")] == ids


def test_speed_does_not_count_what_was_cached(jobs):
    job = jobs.submit("count", {})
    with jobs.database.session() as session:
        session.execute(update(JobRow).values(state="running"))
        values = {"job_id": job.id, "stage": "features", "done": 1500, "total": 2000, "already_done": 1000}
        now = time.time()
        jobs.database.upsert(session, ProgressRow, values | {"started_at": now - 5, "updated_at": now}, "job_id")
    progress = jobs.get(job.id).progress
    assert progress.images_per_second == pytest.approx(100, rel=0.01)
    assert progress.seconds_left == pytest.approx(5, abs=0.5)


@pytest.mark.parametrize("stage", ["fit head", "download", "evaluate"])
def test_per_cents_and_bytes_are_no_images(jobs, stage):
    job = jobs.submit("count", {})
    with jobs.database.session() as session:
        session.execute(update(JobRow).values(state="running"))
        values = {"job_id": job.id, "stage": stage, "done": 50, "total": 100, "already_done": 0}
        now = time.time()
        jobs.database.upsert(session, ProgressRow, values | {"started_at": now - 5, "updated_at": now}, "job_id")
    progress = jobs.get(job.id).progress
    assert progress.images_per_second is None
    assert progress.seconds_left == pytest.approx(5, abs=0.5)


def test_progress_is_written_only_when_the_runner_asks(jobs):
    context = JobContext(jobs.submit("count", {}), None, jobs)
    context.progress("import", 10, 100)
    context.progress("import", 20, 100)
    assert jobs.get(context.job_id).progress is None
    context.write_progress()
    assert jobs.get(context.job_id).progress.done == 20
    context.progress("features", 5, 50)
    context.write_progress()
    progress = jobs.get(context.job_id).progress
    assert (progress.stage, progress.done, progress.images_per_second) == ("features", 5, None)


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("ours", ("dataset.one_class", "There are only REAL images. Add FAKE ones.")),
        ("disk", ("unavailable.storage_full", "The disk is full. Free some space")),
        ("bug", ("internal", "ZeroDivisionError: bad ")),
    ],
)
def test_a_failure_has_a_reason_and_a_code(jobs, run, caplog, how, expected):
    code, reason = expected
    run()
    with caplog.at_level(logging.ERROR):
        job = jobs.wait(jobs.submit("fail", {"how": how}).id, 10)
    assert (job.state, job.error_code, job.result) == ("failed", code, None)
    assert job.reason.startswith(reason)
    assert len(job.reason) <= 500
    assert job.reason.isprintable()
    assert ("Traceback" in caplog.text) == (how == "bug")
    assert "\xff" * 600 not in caplog.text
    assert jobs.folder(job.id).exists() == (how != "ours")  # kept where repeating the job may help


def test_a_result_that_is_no_json_and_an_unknown_kind_fail(jobs, run):
    run()
    odd, unknown = jobs.submit("odd", {}), jobs.submit("dance", {})
    assert jobs.wait(odd.id, 10).error_code == "internal"
    job = jobs.wait(unknown.id, 10)
    assert (job.state, job.error_code) == ("failed", "invalid_input")
    assert "count" in job.reason


def test_retry(jobs, run, tmp_path, monkeypatch):
    job = jobs.submit("die", {"file": str(tmp_path / "a")})
    with pytest.raises(Conflict, match="queued"):
        jobs.retry(job.id)
    monkeypatch.setitem(WORKFLOWS, "die", job_workflows.odd)
    run()
    assert jobs.wait(job.id, 10).state == "failed"
    monkeypatch.setitem(WORKFLOWS, "die", job_workflows.once)
    job = jobs.retry(job.id)
    assert (job.state, job.reason, job.error_code, job.attempts, job.finished_at) == ("queued", None, None, 0, None)
    assert jobs.wait(job.id, 10).state == "done"
    with pytest.raises(Conflict, match="done"):
        jobs.retry(job.id)


def test_retry_without_its_uploads_is_refused(jobs):
    job_id = "0123456789abcdef"
    jobs.folder(job_id).mkdir(parents=True)
    jobs.submit("count", {"source": {"path": str(jobs.folder(job_id) / "upload.zip")}}, id=job_id)
    jobs.cancel(job_id)
    assert not jobs.folder(job_id).exists()
    with pytest.raises(Conflict, match="uploaded"):
        jobs.retry(job_id)


def test_the_queue_has_an_end(tmp_path, run):
    jobs = open_jobs(tmp_path / "small", max_queued_jobs=2)
    first, _ = jobs.submit("once", {}), jobs.submit("once", {})
    with pytest.raises(QueueFull):
        jobs.submit("once", {})
    with pytest.raises(QueueFull):
        jobs.require_room()
    jobs.cancel(first.id)
    jobs.require_room()
    jobs.submit("once", {})
    with pytest.raises(QueueFull):
        jobs.retry(first.id)
    jobs.database.close()


def test_list_and_get(jobs):
    ids = [jobs.submit("once" if n % 2 else "count", {"n": n}).id for n in range(5)]
    jobs.cancel(ids[0])
    assert [job.id for job in jobs.list()[0]] == ids[::-1]
    page, total = jobs.list(limit=2, offset=1)
    assert ([job.id for job in page], total) == (ids[3:1:-1], 5)
    page, total = jobs.list(state="queued", kind="count")
    assert ([job.params["n"] for job in page], total) == ([4, 2], 2)
    assert {job.id for job in jobs.unfinished()} == set(ids[1:])
    with pytest.raises(InvalidInput, match="asleep"):
        jobs.list(state="asleep")
    for method in (jobs.get, jobs.cancel, jobs.retry):
        with pytest.raises(NotFound):
            method("nothing")
    with pytest.raises(Conflict):
        jobs.submit("once", {}, id=ids[0])
    with pytest.raises(InvalidInput):
        jobs.submit("once", {}, id="../../etc/passwd")


def test_a_waiting_job_is_cancelled_at_once_and_never_runs(jobs, run, tmp_path):
    job = jobs.cancel(jobs.submit("once", {"file": str(tmp_path / "a")}).id)
    assert (job.state, job.reason) == ("cancelled", None)
    with pytest.raises(Conflict):
        jobs.cancel(job.id)
    run()
    jobs.wait(jobs.submit("once", {"file": str(tmp_path / "b")}).id, 10)
    assert not (tmp_path / "a").exists()


def test_a_running_job_is_cancelled_within_a_second_and_its_workers_see_a_flag(jobs, run, tmp_path):
    run()
    job = jobs.submit("inspect", {"file": str(tmp_path / "seen")})
    wait_for((jobs.folder(job.id) / "upload").exists)
    other = open_jobs(tmp_path)  # as another process would
    start = time.monotonic()
    assert other.cancel(job.id).state == "running"
    assert other.wait(job.id, 5).state == "cancelled"
    assert time.monotonic() - start < 1
    assert (tmp_path / "seen").read_text() == "True"
    wait_for(lambda: not jobs.folder(job.id).exists())
    other.database.close()


def test_a_context_that_is_stopped_raises_in_progress(jobs):
    context = JobContext(jobs.submit("count", {}), "the service", jobs)
    context.progress("a", 0, 1)
    assert not context.cancelled()
    assert not context.turn()
    context.cancel()
    assert context.cancelled()
    with pytest.raises(Cancelled):
        context.progress("a", 1, 1)
    with pytest.raises(Cancelled):
        context.report("a", 1, 1)  # what a worker calls


def test_folders_that_nobody_owns_are_swept(jobs):
    jobs.root.mkdir(parents=True)
    waiting = jobs.submit("count", {}).id
    for name, age in ((waiting, 2), ("orphan-old", 2), ("orphan-new", 0)):
        folder = jobs.folder(name)
        folder.mkdir()
        os.utime(folder, (time.time() - age * 86_400,) * 2)
    sweep_folders(jobs)
    assert {path.name for path in jobs.root.iterdir()} == {waiting, "orphan-new"}


def test_an_upload_moves_to_where_every_process_finds_it(tmp_path):
    jobs = open_jobs(tmp_path / "data", scratch_dir=tmp_path / "scratch", max_queued_jobs=1)
    for name in ("first-job", "other-job"):
        upload = jobs.folder(name) / "upload"
        upload.mkdir(parents=True)
        (upload / "0000.zip").write_bytes(b"an archive")
    params = {"name": "A", "source": {"kind": "zip", "path": str(jobs.folder("first-job") / "upload" / "0000.zip")}}
    job = jobs.submit("count", params, id="first-job")
    shared = tmp_path / "data" / "jobs" / "first-job" / "upload" / "0000.zip"
    assert job.params["source"] == {"kind": "zip", "path": str(shared)}
    assert shared.read_bytes() == b"an archive"
    assert not jobs.folder("first-job").exists()
    folder = {"source": {"kind": "files", "path": str(jobs.folder("other-job") / "upload")}}
    with pytest.raises(QueueFull):
        jobs.submit("count", folder, id="other-job")
    assert not jobs.shared_folder("other-job").exists()
    assert jobs.folder("other-job").exists()  # still its sender's
    jobs.cancel("first-job")
    assert not shared.exists()
    with pytest.raises(Conflict, match="gone"):
        jobs.retry("first-job")
    jobs.database.close()
