"""The job "profile" and its audit on real worker processes, and what a model's card takes from it."""

from __future__ import annotations

import json

from backend.service.app import Service
from backend.service.dataset_info import PROFILE
from tests.service.conftest import QUICK, finished


def test_a_profile_holds_the_audit_and_later_models_name_its_findings(service: Service, demo: str, model: str) -> None:
    before = service.registry.get(model)
    path = service.datasets.folder(demo) / PROFILE
    path.unlink(missing_ok=True)
    finished(service, service.jobs.submit("profile", {"dataset_id": demo}).id)
    audit = json.loads(path.read_text())["audit"]
    assert audit["file"]["by_trait"]["size"]["auroc"] == 0.5, "all are 64 pixels wide"
    assert audit["look"]["together"]["n"] > 100
    assert sum(audit["balance"]["classes"].values()) == service.datasets.get(demo).images
    job = service.jobs.submit("fit", {"dataset_id": demo, "config": QUICK.to_json()})
    card = service.registry.get(str(finished(service, job.id)["model_id"]))
    assert card["audit"] == [{k: f[k] for k in ("code", "severity", "title")} for f in audit["findings"]]
    assert before["audit"] is None or before["audit"] == card["audit"]


def test_a_profile_of_an_earlier_program_is_made_anew(service: Service, demo: str) -> None:
    path = service.datasets.folder(demo) / PROFILE
    path.write_text(json.dumps({"images": 1}))
    assert service.profile(demo) is None
    finished(service, service.jobs.submit("profile", {"dataset_id": demo}).id)
    profile = service.profile(demo)
    assert profile is not None
    assert profile["audit"]["findings"] is not None
