"""Lines of the log, as text and as JSON, each with the job that it is about."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

PROGRAM = """
import logging, sys
from backend.service.logs import about_job, configure_logging, write_line
configure_logging("info", sys.argv[1])
log = logging.getLogger("backend.trial")
log.debug("too quiet")
logging.getLogger("somebody.else").setLevel("DEBUG")
logging.getLogger("somebody.else").info("not ours")
logging.getLogger("somebody.else").warning("but this")
with about_job("job-1"):
    log.info("within\\nthe job")
write_line(logging.getLogger("deepfake.access"), "GET /models", {"status": 200})
try:
    1 / 0
except ZeroDivisionError:
    log.exception("failed")
"""


def log_as(form: str) -> list[str]:
    ran = subprocess.run([sys.executable, "-c", PROGRAM, form], capture_output=True, text=True, check=True)
    assert ran.stdout == ""
    return ran.stderr.splitlines()


def test_json_is_one_object_a_line() -> None:
    warning, within, request, failed = [json.loads(line) for line in log_as("json")]
    assert (warning["logger"], warning["level"], warning["message"]) == ("somebody.else", "warning", "but this")
    assert (within["job_id"], within["message"]) == ("job-1", "within\nthe job")
    assert (request["message"], request["status"]) == ("GET /models", 200)
    assert "job_id" not in request
    assert "ZeroDivisionError" in failed["traceback"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", failed["time"])


@pytest.mark.parametrize(
    "expected", ["WARNING somebody.else: but this", "the job job_id=job-1", "GET /models status=200"]
)
def test_text_says_the_same(expected: str) -> None:
    assert expected in "\n".join(log_as("text"))
