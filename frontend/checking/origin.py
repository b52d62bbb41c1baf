"""What a file says of its own origin, in words, as text: the same on the page, in reports and in the bot."""

from __future__ import annotations

from frontend.texts import say_known, say_text
from frontend.transport import Json


def describe_evidence(evidence: list[Json]) -> list[tuple[str, str]]:
    """(where it stands, what it says and what that is worth) of each piece, as text."""
    return [
        (str(item["source"]), f"{describe_statement(item)}: {item['detail']} ({describe_worth(item)})")
        for item in evidence
    ]


def provenance_rows(prediction: Json) -> list[tuple[str, str]]:
    """The rows of a report, with what they are worth as the last; none where the file says nothing."""
    evidence = (prediction.get("provenance") or {}).get("evidence") or []
    return [*describe_evidence(evidence), ("", say_text("provenance.note"))] if evidence else []


def describe_statement(item: Json) -> str:
    """What kind of statement it is, such as "says: made by AI"."""
    return say_known(f"provenance.says.{item['statement']}", str(item["statement"]))


def describe_worth(item: Json) -> str:
    """What it is worth, such as that anybody can write it."""
    return say_known(f"provenance.strength.{item['strength']}", str(item["strength"]))
