"""What an audit found, in plain words: code, severity, figures, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["info", "warning", "critical"]

SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")
"""The worst first."""


@dataclass(frozen=True)
class Finding:
    """One thing that a person should know before training on the data set."""

    code: str  # stable, for programs and for other languages: letters, digits, dots and underscores
    severity: Severity  # critical: figures will mislead; warning: they may; info: worth knowing
    title: str
    detail: str = ""
    hint: str = ""  # what to do
    figures: Mapping[str, Any] = field(default_factory=dict)  # the numbers and names in the sentences

    def to_json(self) -> dict[str, Any]:
        """Plain values under the field's names."""
        return {**vars(self), "figures": dict(self.figures)}


def in_order(findings: list[Finding]) -> list[Finding]:
    """The findings with the worst first; those of one severity keep their order."""
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))
