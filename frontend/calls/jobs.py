"""Jobs, and waiting for one."""

from __future__ import annotations

import time
from collections.abc import Callable

from frontend.calls.base import Calls, id_of
from frontend.transport import ApiError, Json

FINISHED = frozenset({"done", "failed", "cancelled"})


class Jobs(Calls):
    """Jobs, and waiting for one."""

    def jobs(self, *, state: str | None = None, kind: str | None = None, limit: int = 50, offset: int = 0) -> Json:
        """A page of jobs, newest first."""
        params = {"state": state, "kind": kind, "limit": limit, "offset": offset}
        return self._http.json("GET", "/jobs", params=params)

    def job(self, job_id: str) -> Json:
        """State, progress, and the reason of a failure."""
        return self._http.json("GET", f"/jobs/{id_of(job_id)}")

    def cancel_job(self, job_id: str) -> Json:
        """The job, told to stop."""
        return self._http.json("DELETE", f"/jobs/{id_of(job_id)}")

    def retry_job(self, job_id: str) -> Json:
        """A failed or cancelled job, queued again."""
        return self._http.json("POST", f"/jobs/{id_of(job_id)}/retry")

    def wait(
        self,
        job_id: str,
        *,
        on_progress: Callable[[Json], None] | None = None,
        timeout_s: float | None = None,
        outage_s: float = 60.0,
        every_s: float = 0.5,
    ) -> Json:
        """The job once it is done; this is the only polling loop.

        It outlives a restart of the service of up to `outage_s` seconds. Raises ApiError with the job's own code and
        reason where it failed or was cancelled, and "job.still_running" after `timeout_s` seconds.
        """
        started = last_answer = time.monotonic()
        while True:
            try:
                job = self.job(job_id)
            except ApiError as error:
                if error.status != 0 or time.monotonic() - last_answer > outage_s:
                    raise
            else:
                last_answer = time.monotonic()
                if on_progress is not None:
                    on_progress(job)
                if job["state"] in FINISHED:
                    return _done(job)
            if timeout_s is not None and time.monotonic() - started > timeout_s:
                raise ApiError("job.still_running", f"The job {job_id} still runs after {timeout_s:g} seconds.")
            time.sleep(every_s)


def _done(job: Json) -> Json:
    if job["state"] == "done":
        return job
    state = "was cancelled" if job["state"] == "cancelled" else "failed"
    raise ApiError(
        str(job.get("error_code") or f"job.{job['state']}"), str(job.get("reason") or f"The job {job['id']} {state}.")
    )
