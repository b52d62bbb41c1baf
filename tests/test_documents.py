"""docs/security.md and docs/reliability.md say what the code does: the scopes are the table's, the tests exist."""

from __future__ import annotations

import ast
import re

from backend.api.access import ACCESS
from tests.running import ROOT

DOCUMENT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def test_the_scopes_are_those_of_the_code() -> None:
    table = DOCUMENT.split("<!-- table: scopes -->")[1].split("<!-- end -->")[0]
    documented = {
        (route, scope)
        for scope, routes in re.findall(r"^\| `?(\w+)`? \|.*?\| (`.*`) \|$", table, flags=re.MULTILINE)
        for route in re.findall(r"`([^`]+)`", routes)
    }
    assert documented == {(f"{row.method} {row.path}", row.scope or "none") for row in ACCESS}


def functions_of(path: str) -> set[str]:
    """The names of a file's functions."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_threat_names_a_test_that_exists() -> None:
    threats = DOCUMENT.split("## Threat model")[1].split("### Not covered")[0].split("| --- | --- | --- |\n")[1]
    names = {path: functions_of(path) for path in set(re.findall(r"`(tests/[\w/]+\.py)::", threats))}
    rows = [row for row in threats.splitlines() if row.startswith("| ")]
    assert len(rows) > 25
    for row in rows:
        cited = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row)
        assert cited or "make scan" in row, row
        assert not [f"{path}::{name}" for path, name in cited if name not in names[path]]


def test_every_trial_of_the_reliability_document_exists() -> None:
    document = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    cited = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", document)
    assert len(cited) > 10
    assert not [f"{path}::{name}" for path, name in cited if name not in functions_of(path)]
