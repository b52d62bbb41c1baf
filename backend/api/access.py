"""Which route needs which scope of an API key, and which rate it counts for: one table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from re import Pattern
from typing import Literal

from starlette.routing import compile_path

Rate = Literal["predict", "read", "write"]


@dataclass(frozen=True)
class Access:
    """What one route needs."""

    method: str
    path: str  # the route's template
    scope: str | None  # "predict", "fit" or "admin"; None: open to everybody
    rate: Rate

    @property
    def is_audited(self) -> bool:
        """Whether an answer of it is an entry of the audit log: whatever changes something."""
        return self.rate == "write"


ACCESS: tuple[Access, ...] = (
    Access("GET", "/health", None, "read"),
    Access("GET", "/ready", None, "read"),
    Access("GET", "/docs", None, "read"),
    Access("GET", "/openapi.json", None, "read"),
    # answers about images that the caller brings; nothing of other people's images
    Access("POST", "/predict", "predict", "predict"),
    Access("POST", "/eda", "predict", "predict"),
    Access("POST", "/fingerprints/attribute", "predict", "predict"),
    Access("GET", "/options", "predict", "read"),
    Access("GET", "/models", "predict", "read"),
    Access("GET", "/models/{model_id}", "predict", "read"),
    Access("GET", "/fingerprints", "predict", "read"),
    Access("GET", "/fingerprints/comparison", "predict", "read"),
    Access("GET", "/fingerprints/{fingerprint_id}", "predict", "read"),
    # the images that the service keeps, and work on them
    Access("POST", "/fit", "fit", "write"),
    Access("POST", "/enrol", "fit", "write"),
    Access("POST", "/fingerprints", "fit", "write"),
    # the mean of a few images' noise may still show what was in them
    Access("GET", "/fingerprints/{fingerprint_id}/pictures/{picture}", "fit", "read"),
    Access("POST", "/datasets", "fit", "write"),
    Access("GET", "/datasets", "fit", "read"),
    Access("GET", "/datasets/{dataset_id}", "fit", "read"),
    Access("PATCH", "/datasets/{dataset_id}", "fit", "write"),
    Access("GET", "/datasets/{dataset_id}/export", "fit", "read"),
    Access("GET", "/datasets/{dataset_id}/images", "fit", "read"),
    Access("GET", "/datasets/{dataset_id}/images/{n}", "fit", "read"),
    Access("GET", "/datasets/{dataset_id}/images/{n}/thumbnail", "fit", "read"),
    Access("GET", "/eda", "fit", "read"),
    Access("POST", "/robustness", "fit", "write"),
    Access("GET", "/robustness", "fit", "read"),
    Access("PATCH", "/models/{model_id}", "fit", "write"),
    Access("GET", "/models/{model_id}/export", "fit", "read"),
    Access("GET", "/models/{model_id}/predictions", "fit", "read"),
    Access("GET", "/models/{model_id}/against/{other_id}", "fit", "read"),
    Access("POST", "/evaluations", "fit", "write"),
    Access("POST", "/evaluations/matrix", "fit", "write"),
    Access("GET", "/evaluations", "fit", "read"),
    Access("GET", "/evaluations/{evaluation_id}", "fit", "read"),
    Access("GET", "/jobs", "fit", "read"),
    Access("GET", "/jobs/{job_id}", "fit", "read"),
    Access("DELETE", "/jobs/{job_id}", "fit", "write"),
    Access("POST", "/jobs/{job_id}/retry", "fit", "write"),
    # what decides everybody's answers, what cannot be undone, and the operator's figures
    Access("POST", "/set", "admin", "write"),
    Access("POST", "/models", "admin", "write"),
    Access("DELETE", "/models/{model_id}", "admin", "write"),
    Access("DELETE", "/datasets/{dataset_id}", "admin", "write"),
    Access("DELETE", "/evaluations/{evaluation_id}", "admin", "write"),
    Access("DELETE", "/fingerprints/{fingerprint_id}", "admin", "write"),
    Access("GET", "/audit", "admin", "read"),
    Access("GET", "/metrics", "admin", "read"),
)


def find_access(method: str, path: str) -> Access | None:
    """What the route of a request needs, HEAD what GET does; None where the table has no such route."""
    method = "GET" if method == "HEAD" else method
    return _exact().get((method, path)) or next(
        (row for pattern, row in _patterns() if row.method == method and pattern.match(path)), None
    )


@lru_cache(maxsize=1)
def _exact() -> dict[tuple[str, str], Access]:
    return {(row.method, row.path): row for row in ACCESS if "{" not in row.path}


@lru_cache(maxsize=1)
def _patterns() -> list[tuple[Pattern[str], Access]]:
    """The routes, matched as the router itself does: it takes `/set%0A` for `/set`."""
    return [(compile_path(row.path)[0], row) for row in ACCESS]
