"""Requests made from the OpenAPI document by schemathesis, right and wrong ones: none may end in a server error.

`make contract` runs it with many more examples (CONTRACT_EXAMPLES for each operation).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from backend.api.main import create_app
from backend.settings import load_settings
from tests.running import RunningService

EXAMPLES = int(os.environ.get("CONTRACT_EXAMPLES", "6"))
ALLOWED = {503, 507}
"""Busy or full is no mistake, where the document says that it can happen."""

SCHEMA = schemathesis.openapi.from_dict(create_app(load_settings()).openapi())
OPERATIONS = {operation.label: operation for operation in (found.ok() for found in SCHEMA.get_all_operations())}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A server of its own: these requests leave whatever they leave."""
    service = RunningService(tmp_path_factory.mktemp("fuzzed"))
    service.environment |= {"DEEPFAKE_MAX_QUEUED_JOBS": "3", "DEEPFAKE_MAX_DATASETS": "3"}
    service.start()
    yield service
    service.stop()


@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_no_request_ends_in_a_server_error(server: RunningService, label: str) -> None:
    operation = OPERATIONS[label]
    documented = {int(status) for status in operation.definition.raw["responses"] if status.isdecimal()}

    with requests.Session() as session:

        def ask(case: Any) -> None:
            if "wait" in (case.query or {}):
                case.query["wait"] = 0
            answer = case.call(base_url=server.url, session=session, timeout=60)
            assert answer.status_code < 500 or answer.status_code in ALLOWED & documented, answer.text
            if answer.status_code >= 400:
                assert answer.headers["content-type"] == ["application/problem+json"], answer.text

        takes_nothing = not (operation.definition.raw.get("parameters") or operation.definition.raw.get("requestBody"))
        for mode in (GenerationMode.POSITIVE, *(() if takes_nothing else (GenerationMode.NEGATIVE,))):
            check = settings(
                max_examples=EXAMPLES,
                derandomize=True,
                database=None,
                deadline=None,
                phases=[Phase.explicit, Phase.generate],
                suppress_health_check=list(HealthCheck),
            )(given(case=operation.as_strategy(generation_mode=mode))(ask))
            check()
