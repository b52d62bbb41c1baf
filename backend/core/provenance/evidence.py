"""One piece of evidence from a file, with every value cleaned: files may hold anything."""

from __future__ import annotations

import unicodedata
from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal["c2pa", "exif", "xmp", "iptc", "text"]

Statement = Literal["made_by_ai", "edited_with_ai", "edited", "captured", "made_by_software", "claims", "unreadable"]
"""What the file says. claims: something else, told in the detail; unreadable: the block is damaged."""

Strength = Literal["trusted", "signed", "plain", "none"]
"""trusted: signed and unchanged since, by a signer of the trust list; signed: the same by a signer that nobody vouches
for here; plain: metadata that anybody can write, change or remove; none: damaged, or changed after it was signed."""

STRENGTHS: tuple[Strength, ...] = ("trusted", "signed", "plain", "none")

MOST_LETTERS = 300


@dataclass(frozen=True)
class Evidence:
    """What one block of a file says."""

    kind: Kind
    source: str  # where it stands: the block and the field
    statement: Statement
    detail: str  # the value itself, or what is wrong with it; cleaned, at most MOST_LETTERS
    strength: Strength
    intact: bool | None = None  # c2pa: whether nothing was changed after signing; None for what is not signed
    trusted: bool | None = None  # c2pa: whether the signer stands on the trust list

    def to_json(self) -> dict[str, Any]:
        """Plain values under the field's names."""
        return asdict(self)


def plain(kind: Kind, source: str, statement: Statement, detail: object) -> Evidence:
    """Evidence that nothing protects."""
    return Evidence(kind, source, statement, clean(detail), "plain")


def unreadable(kind: Kind, source: str, why: object) -> Evidence:
    """A block that is there and cannot be read."""
    return Evidence(kind, source, "unreadable", clean(why), "none")


def clean(value: object, most: int = MOST_LETTERS) -> str:
    """The value as one line of at most `most` letters, without control and invisible characters."""
    if isinstance(value, bytes):
        value = value[: 4 * most].decode("utf-8", "replace")
    text = str(value)[: 8 * most]
    shown = "".join(" " if unicodedata.category(letter) in ("Cc", "Zl", "Zp") else letter for letter in text)
    shown = "".join(letter for letter in shown if unicodedata.category(letter) not in ("Cf", "Cs", "Co", "Cn"))
    one_line = " ".join(shown.split())
    return one_line if len(one_line) <= most else one_line[: most - 1] + "…"
