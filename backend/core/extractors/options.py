"""The options of an extractor as data: what `GET /options` shows and what `create` checks a spec against."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from backend.core.errors import ConfigError


@dataclass(frozen=True)
class Option:
    """One setting of an extractor. `type` is "bool", "int", "str", "list" or "str or list"."""

    type: str
    default: Any
    help: str
    choices: tuple[Any, ...] = ()  # of the value, or of each item of a list; empty: anything that fits the type
    minimum: int = 0  # of an int
    maximum: int = 0
    items: str = "str"  # of a list: "str" or "object"
    silent_default: bool = False  # its default stands in no complete spec: for options that came after models were made

    def to_json(self) -> dict[str, Any]:
        """The option as plain JSON values, for a client."""
        known = asdict(self)
        del known["silent_default"]
        return {**known, "choices": list(self.choices)}


MOST_ITEMS = 200
"""Most items of a list: more than any network has stages, few enough to compare each with each."""

_TYPES: dict[str, tuple[type, ...]] = {
    "bool": (bool,),
    "int": (int,),
    "str": (str,),
    "list": (list,),
    "str or list": (str, list),
}


def fill(spec: Mapping[str, Any], options: Mapping[str, Option]) -> dict[str, Any]:
    """`spec` with every default filled in, keys in the order of `options` after `name`.

    The default of an option with `silent_default` is left out: names of graphs and of features are digests of complete
    specs, and an option that did not exist when they were made must not change them.

    Raises ConfigError on an unknown option or a value that does not fit.
    """
    name = spec["name"]
    if unknown := sorted(set(spec) - set(options) - {"name"}):
        known = ", ".join(options) or "none"
        raise ConfigError(f"The extractor {name} has no option {', '.join(unknown)}.", f"Its options: {known}.")
    filled = {"name": name}
    for key, option in options.items():
        value = spec.get(key, option.default)
        value = _checked(f"{name}.{key}", list(value) if isinstance(value, tuple) else value, option)
        if not (option.silent_default and value == option.default):
            filled[key] = value
    return filled


def _checked(label: str, value: Any, option: Option) -> Any:
    if not isinstance(value, _TYPES[option.type]) or (isinstance(value, bool) and option.type != "bool"):
        raise ConfigError(f"{label} is {value!r}.", f"It must be of type {option.type}.")
    items = value if isinstance(value, list) else [value]
    if isinstance(value, list):
        if not 0 < len(value) <= MOST_ITEMS:
            raise ConfigError(f"{label} has {len(value)} items.", f"Name at least one and at most {MOST_ITEMS}.")
        if any(items.count(item) > 1 for item in items):
            raise ConfigError(f"{label} names an item twice: {value!r}.", "Name each once.")
    if isinstance(value, list) and option.items == "str" and not all(isinstance(item, str) for item in items):
        raise ConfigError(f"{label} is {value!r}.", "Its items must be of type str.")
    if option.choices and (bad := [item for item in items if item not in option.choices]):
        raise ConfigError(f"{label} has no choice {bad[0]!r}.", f"Choices: {', '.join(map(str, option.choices))}.")
    if option.type == "int" and isinstance(value, int) and not option.minimum <= value <= option.maximum:
        raise ConfigError(f"{label} is {value}.", f"It must be between {option.minimum} and {option.maximum}.")
    return value


def digest_of(*parts: Any) -> str:
    """Hex SHA-256 over the canonical JSON of `parts`."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
