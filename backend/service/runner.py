"""Runs jobs: takes them under a lease, follows their progress, passes cancels on, and records how they end."""

from __future__ import annotations

import fcntl
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import IO, Any

from backend.core.errors import Cancelled, InvalidInput, Unreachable
from backend.service.failures import describe_failure, log_failure
from backend.service.job_context import JobContext
from backend.service.jobs import Job, Jobs
from backend.service.leases import Leases
from backend.service.logs import about_job

logger = logging.getLogger(__name__)

Workflow = Callable[[JobContext, dict[str, Any]], dict[str, Any]]

_TICK_SECONDS = 0.25
_IDLE_SECONDS = 0.5
_TIDY_SECONDS = 3600.0
_LONGEST_PAUSE = 60.0


class Runner:
    """Runs up to `settings.concurrent_jobs` jobs at a time, each in a thread.

    With worker processes of our own, one of all processes that share a folder runs jobs, whoever holds the lock file;
    the others stand by and take over when it ends or dies. With an existing scheduler every process takes jobs.
    `prepare` is called once, before the first job (to start the worker processes), `tidy` after it and every hour.
    `workflows` maps a job's kind to the function that does it: (context, params) -> result.

    A job that meets a database, an object store or a scheduler that does not answer goes back to the queue, uncounted.
    """

    def __init__(
        self,
        jobs: Jobs,
        workflows: Mapping[str, Workflow],
        service: Any,
        prepare: Callable[[], None] = lambda: None,
        tidy: Callable[[], None] = lambda: None,
    ) -> None:
        settings = jobs.settings
        self._jobs, self._workflows, self._service = jobs, workflows, service
        self._prepare, self._tidy = prepare, tidy
        self._alone = not settings.dask_scheduler_address
        self._leases = Leases(jobs.database, settings.job_lease, settings.job_attempts)
        self._running: dict[str, JobContext] = {}
        self._stop = threading.Event()
        self._lock_file: IO[str] | None = None
        self._keeper = threading.Thread(target=self._keep, name="job-keeper", daemon=True)
        self._workers = [
            threading.Thread(target=self._work, name=f"job-{n}", daemon=True) for n in range(settings.concurrent_jobs)
        ]

    @property
    def is_owner(self) -> bool:
        """Whether this process runs jobs."""
        return self._lock_file is not None or not self._alone

    def start(self) -> None:
        """Begin to run jobs, or to stand by."""
        self._keeper.start()

    def close(self, seconds: float = 15.0) -> None:
        """Stop running jobs go back to the queue, uncounted. Waits at most that long for them to notice."""
        self._stop.set()
        self._jobs.submitted.set()
        for context in list(self._running.values()):
            context.stop()
        deadline = time.monotonic() + seconds
        for thread in (self._keeper, *self._workers):
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))
        if self._lock_file is not None and not self._running:
            self._lock_file.close()
            self._lock_file = None

    def _keep(self) -> None:
        """The keeper thread: waits for the lock, then renews leases, writes progress and passes cancels on."""
        while self._alone and not self._take_lock():
            if self._stop.wait(_IDLE_SECONDS):
                return
        try:
            self._prepare()
        except Exception as error:  # a job that needs what is missing says so itself
            log_failure(logger, "The start was not complete", error)
        for thread in self._workers:
            thread.start()
        renewed = tidied = float("-inf")
        while not self._stop.wait(_TICK_SECONDS) or self._running:
            if self._stop.is_set():
                time.sleep(_TICK_SECONDS)  # jobs are ending: keep their leases until they have
            now = time.monotonic()
            try:
                if now - tidied > _TIDY_SECONDS:
                    tidied = now
                    threading.Thread(target=self._tidy_up, name="job-tidy", daemon=True).start()
                if now - renewed > self._leases.seconds / 3:  # first: whatever else fails, the jobs stay ours
                    self._renew()
                    renewed = now
                self._follow()
            except Unreachable as error:
                logger.warning("The jobs' state could not be written: %s", error.message)
                self._stop.wait(1.0)
            except Exception as error:
                log_failure(logger, "The job keeper stumbled", error)

    def _tidy_up(self) -> None:
        try:
            self._tidy()
        except Exception as error:
            log_failure(logger, "What earlier servers left could not be tidied up", error)

    def _take_lock(self) -> bool:
        self._jobs.root.mkdir(parents=True, exist_ok=True)
        file = (self._jobs.root / ".runner.lock").open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return False
        self._lock_file = file
        return True

    def _follow(self) -> None:
        for context in list(self._running.values()):
            context.write_progress()
        for job_id in self._leases.cancel_requests(list(self._running)):
            if requested := self._running.get(job_id):
                requested.cancel()

    def _renew(self) -> None:
        running = list(self._running)
        for job_id in set(running) - self._leases.renew(running):
            if lost := self._running.get(job_id):
                logger.warning("The job %s was taken over by another server.", job_id)
                lost.abandon()

    def _work(self) -> None:
        """A job thread."""
        pause = 1.0
        while not self._stop.is_set():
            self._jobs.submitted.clear()
            try:
                job = self._leases.claim(list(self._running))
            except Unreachable as error:
                logger.warning("No job could be taken: %s", error.message)
                self._stop.wait(1.0)
                continue
            except Exception as error:
                log_failure(logger, "No job could be taken", error)
                job = None
            if job is None:
                self._jobs.submitted.wait(_IDLE_SECONDS)
            elif self._run(job):
                pause = 1.0
            else:
                self._stop.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _run(self, job: Job) -> bool:
        """Whether the job met with all that it needs; False: it is in the queue again."""
        with about_job(job.id):
            return self._run_here(job)

    def _run_here(self, job: Job) -> bool:
        try:
            context = JobContext(job, self._service, self._jobs)
        except Unreachable as error:
            self._put_back_unstarted(job, error)
            return False
        except Exception as error:  # it has no folder, as on a full disk; this thread lives on for the next job
            self._fail_unstarted(job, error)
            return True
        self._running[job.id] = context
        if self._stop.is_set():  # close() may have looked before the line above
            context.stop()
        logger.info("The job %s (%s) starts, attempt %d.", job.id, job.kind, job.attempts)
        result, failure = self._attempt(job, context)
        try:
            self._record_patiently(job, context, result, failure)
        except Exception as unwritten:
            log_failure(logger, f"The end of job {job.id} could not be recorded; it will be resumed", unwritten)
        finally:
            del self._running[job.id]
        return not isinstance(failure, Unreachable)

    def _put_back(self, job: Job, reason: Unreachable) -> bool:
        """Puts the job back in the queue as if this start had not been; False where its lease was lost meanwhile."""
        logger.warning("The job %s (%s) waits: %s", job.id, job.kind, reason.message)
        return self._leases.release(job.id)

    def _put_back_unstarted(self, job: Job, reason: Unreachable) -> None:
        try:
            self._put_back(job, reason)
        except Unreachable as error:  # nor does the database: the lease runs out by itself
            logger.warning("The job %s could not be put back: %s", job.id, error.message)

    def _fail_unstarted(self, job: Job, error: Exception) -> None:
        log_failure(logger, f"The job {job.id} ({job.kind}) could not start", error)
        failure = describe_failure(error)
        try:
            self._leases.finish(job.id, "failed", reason=failure.reason, code=failure.code)
        except Exception as unwritten:
            log_failure(logger, f"The end of job {job.id} could not be recorded; it will be resumed", unwritten)

    def _attempt(self, job: Job, context: JobContext) -> tuple[dict[str, Any] | None, Exception | None]:
        try:
            workflow = self._workflows.get(job.kind)
            if workflow is None:
                raise InvalidInput(
                    f"There are no jobs of kind {job.kind!r}.", f"The kinds: {', '.join(self._workflows)}."
                )
            result = workflow(context, job.params)
            json.dumps(result, allow_nan=False)
        except Exception as error:
            return None, error
        return result, None

    def _record_patiently(
        self, job: Job, context: JobContext, result: dict[str, Any] | None, error: Exception | None
    ) -> None:
        """As _record, again and again while the database does not answer: what was done is not to be done anew."""
        pause = 1.0
        while True:
            try:
                return self._record(job, context, result, error)
            except Unreachable:
                if self._stop.wait(pause):
                    raise
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _record(self, job: Job, context: JobContext, result: dict[str, Any] | None, error: Exception | None) -> None:
        if context.abandoned:
            return  # somebody else's job by now
        context.write_progress()
        kept = False
        if error is None:
            known = self._leases.finish(job.id, "done", result=result)
        elif context.cancel_requested and isinstance(error, Cancelled):
            known = self._leases.finish(job.id, "cancelled")
        elif isinstance(error, Cancelled):  # this process ends, or its turn was over for another reason
            known, kept = self._leases.release(job.id), True
        elif isinstance(error, Unreachable):
            known, kept = self._put_back(job, error), True
        else:
            failure = describe_failure(error)
            if not failure.expected:
                log_failure(logger, f"The job {job.id} ({job.kind}) failed", error)
            known = self._leases.finish(job.id, "failed", reason=failure.reason, code=failure.code)
            kept = failure.may_succeed_later
        if not known:
            logger.warning("The job %s ended here, but another server had taken it over.", job.id)
        elif not kept:
            with suppress(Unreachable):  # it has ended all the same; the folder is swept later
                context.remove_folder()
        logger.info("The job %s (%s) has left this server.", job.id, job.kind)
