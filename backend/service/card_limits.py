"""What a foreign card says of its model's limits: figures that every reader can show, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from backend.core.errors import InvalidInput

Shape = Mapping[str, Callable[[Any], bool]]
"""Key -> whether its value can be used."""

_MOST = 2**53  # every count up to here is a number in every program that reads JSON


def check_limits(card: Mapping[str, Any]) -> None:
    """Raises InvalidInput unless `edited` and `left_out_generators` are as `core` makes them, in kind and range.

    See `measure_edited`, `measure_left_out`. None, or no such key, is what cards of older versions have; keys of later
    versions are not looked at.
    """
    for name, check in (("edited", _check_edited), ("left_out_generators", _check_left_out)):
        if card.get(name) is not None:
            check(card[name], name)


def _check_edited(edited: Any, place: str) -> None:
    _check(edited, place, {"images": _is_count, "kinds": _is_list, "whole_images_only": _is_flag})
    _check_rows(edited["kinds"], f"{place}.kinds", {"kind": _is_text, "recall": _is_share, "interval": _is_interval})
    _check(edited, place, {"source": _is_text, "fpr": _is_share} if edited["kinds"] else {"reason": _is_text})


def _check_left_out(left_out: Any, place: str) -> None:
    _check(left_out, place, {"generators": _is_list})
    rows, shares = left_out["generators"], {"recall": _is_share, "auroc": _is_share}
    _check_rows(rows, f"{place}.generators", {"generator": _is_text, "n": _is_count, "intervals": _is_object, **shares})
    for number, row in enumerate(rows):
        limits = dict.fromkeys(shares, _is_interval_or_none)
        _check(row["intervals"], f"{place}.generators[{number}].intervals", limits)
    means = {"worst": _is_text, "fpr": _is_share, "head": _is_text, **shares}
    _check(left_out, place, means if rows else {"reason": _is_text})


def _check_rows(rows: list[Any], place: str, shape: Shape) -> None:
    for number, row in enumerate(rows):
        _check(row, f"{place}[{number}]", shape)


def _check(value: Any, place: str, shape: Shape) -> None:
    if not isinstance(value, dict):
        raise _unusable(place)
    for name, is_usable in shape.items():
        if not is_usable(value.get(name)):
            raise _unusable(f"{place}.{name}")


def _unusable(place: str) -> InvalidInput:
    return InvalidInput(f"card.json has no usable {place!r}.", "Export the model again.")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _is_interval(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_share, value)) and value[0] <= value[1]


def _is_interval_or_none(value: Any) -> bool:
    return value is None or _is_interval(value)
