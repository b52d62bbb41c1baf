import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import update

from backend.service.job_context import JobContext
from backend.service.leases import Leases, current_owner, owner_is_dead
from backend.service.tables import JobRow
from tests.service.job_workflows import STEPS, lines, open_jobs, wait_for

ROOT = Path(__file__).parents[2]


@pytest.fixture
def spawn(tmp_path):
    """Starts a process that runs jobs, killed at the end."""
    processes = []

    def start(*arguments):
        command = [sys.executable, "-m", "tests.service.job_workflows", *map(str, arguments or (tmp_path,))]
        processes.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()


def test_closing_puts_a_running_job_back_uncounted(jobs, run, tmp_path):
    runner = run()
    file = tmp_path / "a"
    job = jobs.submit("count", {"file": str(file)})
    wait_for(lambda: len(lines(file)) >= 3)
    runner.close()
    job = jobs.get(job.id)
    assert (job.state, job.attempts, job.cancel_requested) == ("queued", 0, False)
    run()
    assert jobs.wait(job.id, 10).state == "done"
    assert [int(line.split()[0]) for line in lines(file)] == list(range(STEPS))


def test_processes_never_run_a_job_twice(tmp_path, spawn):
    """Two data folders: no lock file keeps them apart, only the leases in the database do."""
    jobs = open_jobs(tmp_path, max_queued_jobs=100)
    address = jobs.settings.database.removeprefix("sqlite:///")
    for name in ("one", "two"):
        assert spawn(tmp_path / name, address).stdout.readline() == "owner\n"
    ids = [jobs.submit("once", {"file": str(tmp_path / "a")}).id for _ in range(60)]
    for job_id in ids:
        assert jobs.wait(job_id, 20).state == "done"
    ran = [line.split() for line in lines(tmp_path / "a")]
    assert sorted(job_id for job_id, _ in ran) == sorted(ids)
    assert len(Counter(pid for _, pid in ran)) == 2
    jobs.database.close()


def test_a_killed_runners_job_is_resumed_at_once_by_the_process_that_stood_by(jobs, spawn, tmp_path):
    first = spawn()
    assert first.stdout.readline() == "owner\n"
    second = spawn()
    file = tmp_path / "a"
    job = jobs.submit("count", {"file": str(file), "steps": 30, "pause": 0.1})
    wait_for(lambda: len(lines(file)) >= 5)
    os.kill(first.pid, signal.SIGKILL)
    killed = time.monotonic()
    assert second.stdout.readline() == "owner\n"
    assert jobs.get(job.id).state == "running"
    done = len(lines(file))
    wait_for(lambda: len(lines(file)) > done)
    assert time.monotonic() - killed < 5  # far less than the lease
    job = jobs.wait(job.id, 20)
    assert (job.state, job.attempts) == ("done", 2)
    assert [int(line.split()[0]) for line in lines(file)] == list(range(30))
    assert {int(line.split()[1]) for line in lines(file)} == {first.pid, second.pid}


def test_a_job_that_always_kills_its_server_fails_in_the_end(tmp_path, spawn):
    file = tmp_path / "a"
    jobs = open_jobs(tmp_path)
    job = jobs.submit("die", {"file": str(file)})
    for _ in range(jobs.settings.job_attempts):
        assert spawn().wait(timeout=20) == 9
    spawn()
    job = jobs.wait(job.id, 20)
    assert (job.state, job.error_code, job.attempts) == ("failed", "job.worker_lost", 5)
    assert "5 times" in job.reason
    assert len(lines(file)) == 5
    jobs.database.close()


def test_a_silent_owners_job_is_taken_over_and_the_owner_lets_go(jobs):
    mine, theirs = (Leases(jobs.database, seconds, 5) for seconds in (0.2, 30.0))
    job = jobs.submit("count", {})
    assert mine.claim().id == job.id
    assert theirs.claim() is None
    assert mine.renew([job.id]) == {job.id}
    time.sleep(0.3)
    assert theirs.claim().attempts == 2
    assert mine.renew([job.id]) == set()
    assert not mine.finish(job.id, "done", result={})
    assert not mine.release(job.id)
    assert theirs.finish(job.id, "done", result={"a": 1})
    assert jobs.get(job.id).result == {"a": 1}


def test_a_runner_drops_a_job_that_another_took(jobs, run, tmp_path):
    run(open_jobs(tmp_path, job_lease=1.0))
    job = jobs.submit("inspect", {"file": str(tmp_path / "seen")})
    wait_for((jobs.folder(job.id) / "upload").exists)
    thief = str(current_owner())
    with jobs.database.session() as session:
        session.execute(update(JobRow).values(lease_owner=thief, lease_until=time.time() + 60))
    wait_for((tmp_path / "seen").exists)
    time.sleep(0.2)
    assert jobs.get(job.id).state == "running"


def test_a_dead_owners_job_that_was_cancelled_ends(jobs, run):
    job = jobs.submit("count", {})
    with jobs.database.session() as session:
        session.execute(update(JobRow).values(state="running", attempts=1, lease_owner="gone", lease_until=0.0))
    assert jobs.cancel(job.id).state == "running"
    run()
    assert jobs.wait(job.id, 10).state == "cancelled"


def test_who_is_dead():
    owner = str(current_owner())
    assert not owner_is_dead(owner)
    host, boot, namespace, _, token = owner.split("|")
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert owner_is_dead("|".join((host, boot, namespace, f"{child.pid}@1.00", token)))
    assert owner_is_dead("|".join((host, boot, namespace, f"{os.getpid()}@1.00", token)))  # the id is used again
    assert not owner_is_dead("|".join(("elsewhere", boot, namespace, f"{child.pid}@1.00", token)))
    assert not owner_is_dead("|".join((host, boot, "pid:[1]", f"{child.pid}@1.00", token)))
    assert not owner_is_dead("nonsense")


def test_a_start_that_stumbles_does_not_stop_the_jobs(jobs, run, tmp_path, caplog):
    def stumble():
        raise RuntimeError("no cluster")

    run(prepare=stumble)
    assert jobs.wait(jobs.submit("once", {"file": str(tmp_path / "a")}).id, 10).state == "done"
    assert "no cluster" in caplog.text


def test_a_job_that_cannot_have_its_folder_fails_and_the_next_one_runs(jobs, run, tmp_path, caplog):
    job = jobs.submit("once", {"file": str(tmp_path / "a")})
    jobs.root.mkdir(parents=True)
    jobs.folder(job.id).write_text("a file stands where the folder should")
    following = jobs.submit("once", {"file": str(tmp_path / "b")})
    run()
    assert jobs.wait(following.id, 10).state == "done"
    ended = jobs.get(job.id)
    assert (ended.state, ended.error_code) == ("failed", "internal")
    assert "could not start" in caplog.text


def test_a_job_whose_turn_passes_without_a_word_waits_again(jobs, run, tmp_path):
    """As where a server that lost the job long ago ends only now, and says to its workers that they should stop."""
    run()
    job = jobs.submit("watch", {"file": str(tmp_path / "a")})
    wait_for((tmp_path / "a").exists)
    (jobs.folder(job.id) / "turn").write_bytes(b"")
    job = jobs.wait(job.id, 10)
    assert (job.state, job.attempts) == ("done", 1)


def test_an_owner_never_takes_its_own_running_job_again(jobs):
    """Its lease is over where the whole process, or its machine, stood still for a while."""
    leases = Leases(jobs.database, 0.1, 5)
    job = jobs.submit("count", {})
    assert leases.claim().id == job.id
    time.sleep(0.2)
    assert leases.claim([job.id]) is None
    assert leases.claim().attempts == 2


def test_a_server_that_lost_a_job_without_knowing_removes_nothing(jobs):
    job = jobs.submit("count", {})
    lost, present = JobContext(job, None, jobs), JobContext(job, None, jobs)
    error = ValueError("whatever it met")
    assert lost.goes_on_elsewhere(error)
    assert not present.goes_on_elsewhere(error)
    present.stop()
    assert present.goes_on_elsewhere(error)
    asked = JobContext(job, None, jobs)
    asked.cancel()
    assert not asked.goes_on_elsewhere(error)
