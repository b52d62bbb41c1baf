"""Profile `scale`: two replicas behind HTTPS, PostgreSQL, an object store, a scheduler and two workers."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from frontend.client import Client
from frontend.transport import ApiError
from tests.deploy.composition import Composition, wait_until_ready
from tests.deploy.job import CONFIG, DATASET, check, check_protection, do_main_job, find_again

Step = Callable[[str], AbstractContextManager[None]]
_UP = ("--profile", "scale", "up", "--detach", "--scale", "replica=2", "--scale", "worker=2", "balancer", "worker")


def try_scale(composition: Composition, environment: dict[str, str], folder: Path, step: Step) -> None:
    """The main job through the proxy, with a replica and a worker killed in the middle of a fit."""
    url = f"https://localhost:{environment['API_HTTPS_PORT']}"
    with step("profile scale: up, until the service can predict"):
        composition.run(*_UP)
        os.environ["REQUESTS_CA_BUNDLE"] = str(composition.read_authority("balancer", folder))
        wait_until_ready(url)
    with step("profile scale: keys"):
        check_protection(url, composition.inside("web", "cat", "/keys/web"))
        client = Client(url, composition.make_key("replica", "admin"))
    with step("profile scale: import, fit, set, predict over HTTPS"):
        outcome = do_main_job(client)
    with step("profile scale: a replica and a worker killed during a fit, the job is done all the same"):
        job = client.fit(DATASET, {**CONFIG, "name": "survivor", "extractor": "residual"})
        with asked_meanwhile(client) as failures:
            composition.kill(composition.containers("replica")[0])
            composition.kill(composition.containers("worker")[0])
            client.wait(job["id"], timeout_s=300)
            assert len(client.models(q="survivor")["items"]) == 1
        find_again(client, outcome)
        print(f"  predictions meanwhile: {failures.asked}, refused or lost: {len(failures.seen)}", flush=True)
        assert all(error.status in (0, 502, 503) for error in failures.seen), failures.seen


class asked_meanwhile:  # noqa: N801 (used as a block)
    """Asks for predictions from another thread while the block runs; `seen` are those that failed."""

    def __init__(self, client: Client) -> None:
        self.asked = 0
        self.seen: list[ApiError] = []
        self._client = client
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> asked_meanwhile:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._stop.is_set():
            self.asked += 1
            try:
                check(self._client)
            except ApiError as error:
                self.seen.append(error)
            time.sleep(0.1)
