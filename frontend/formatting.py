"""Figures as people read them."""

from __future__ import annotations

from datetime import datetime

from frontend.texts import say_text

MISSING = "–"


def percent(share: float) -> str:
    """A probability of 0..1 in whole percent: never 0 or 100, which would claim certainty."""
    if share > 0.99:
        return say_text("percent.most")
    if share < 0.01:
        return say_text("percent.least")
    return f"{share * 100:.0f} %"


def rate(share: float | None, digits: int = 1) -> str:
    """A measured share of 0..1 in percent, such as an accuracy; a dash where it was not measured."""
    return MISSING if share is None else f"{share * 100:.{digits}f} %"


def number(value: float | None, digits: int = 3) -> str:
    """A figure with `digits` decimals; a dash where there is none."""
    return MISSING if value is None else f"{value:.{digits}f}"


def count(value: int | None) -> str:
    """A whole number in groups of three digits (narrow no-break spaces: no comma or point to mistake)."""
    return MISSING if value is None else f"{value:,}".replace(",", "\u202f")


def size(n_bytes: int) -> str:
    """Bytes in the unit that gives a short number."""
    value = float(n_bytes)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if value >= 10 or unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def duration(seconds: float | None) -> str:
    """Seconds as seconds, minutes or hours; a dash where they are not known."""
    if seconds is None:
        return MISSING
    if seconds < 99.5:
        return say_text("unit.seconds", count=f"{seconds:.0f}")
    if seconds < 5940:
        return say_text("unit.minutes", count=f"{seconds / 60:.0f}")
    return say_text("unit.hours", count=f"{seconds / 3600:.1f}")


def moment(text: str | None) -> str:
    """An ISO 8601 time of the service (UTC) to the minute; a dash where there is none."""
    return MISSING if not text else f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M} UTC"
