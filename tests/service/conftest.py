"""A real service on a temporary folder: database, worker processes, job runner."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.core.config import FitConfig
from backend.core.heads import HeadConfig
from backend.service.app import Service, open_service
from backend.service.runner import Runner
from backend.settings import Settings, load_settings
from tests.service.job_workflows import WORKFLOWS, open_jobs

QUICK = FitConfig(extractor={"name": "spectrum"}, head=HeadConfig("logreg", C=1.0), name="Quick")
"""A fit without a network: its features take a second."""


def make_settings(folder: Path) -> Settings:
    """Settings of a service with its own folders and two worker processes."""
    return load_settings(
        data_dir=folder / "data",
        models_dir=folder / "models",
        shipped_dir=folder / "shipped",
        workers=2,
        worker_niceness=0,  # on a machine that is busy with other tests, 10 would be hardly anything
    )


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One running service for all tests of this folder that want one."""
    opened = open_service(make_settings(tmp_path_factory.mktemp("service")))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def demo(service: Service) -> str:
    """Id of the demonstration set."""
    job = service.jobs.submit("import", {"name": "Demo", "source": {"kind": "demo"}})
    return str(finished(service, job.id)["dataset_id"])


@pytest.fixture(scope="session")
def model(service: Service, demo: str) -> str:
    """Id of a model fitted on the demonstration set."""
    job = service.jobs.submit("fit", {"dataset_id": demo, "config": QUICK.to_json()})
    return str(finished(service, job.id)["model_id"])


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service whose jobs run in this process, with `run_here`; one for each file of tests."""
    from tests.service.working_here import open_here  # which takes its settings from this module

    opened = open_here(tmp_path_factory.mktemp("here"))
    yield opened
    opened.close()


@pytest.fixture
def jobs(tmp_path):
    jobs = open_jobs(tmp_path)
    yield jobs
    jobs.database.close()


@pytest.fixture
def run(jobs):
    """Starts a runner in this process, stopped at the end."""
    with contextlib.ExitStack() as stack:

        def start(jobs=jobs, **more):
            runner = Runner(jobs, WORKFLOWS, "the service", **more)
            stack.callback(runner.close)
            runner.start()
            return runner

        yield start


def finished(service: Service, job_id: str, seconds: float = 120) -> dict[str, object]:
    """The result of a job that must end well."""
    job = service.jobs.wait(job_id, seconds)
    assert job.state == "done", (job.state, job.reason, job.progress)
    assert job.result is not None
    return job.result
