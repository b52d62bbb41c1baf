"""The settings of a fit in words: their names, their help, and a list of those that a fit was given."""

from __future__ import annotations

from typing import Any

from frontend.formatting import rate
from frontend.texts import TEXTS, say_known, say_option, say_text
from frontend.training.form import read_config
from frontend.transport import Json

RATES = frozenset({"validation_fraction", "test_fraction", "target_fpr", "doubt"})


def label_of(setting: str) -> str:
    """The name of a setting as text; what is not known here stands as the service calls it."""
    return say_known(f"setting.{setting}", setting.replace("_", " "))


def choice_of(kind: str, name: str) -> str:
    """The name of a choice as text, with the service's own name; `kind` is "extractor", "head" or "stages"."""
    key = f"choice.{kind}.{name}"
    return f"{say_text(key)} ({name})" if key in TEXTS else name


def help_of(kind: str, row: Json) -> str:
    """The service's sentence on a choice or an option, which it calls `row["name"]`."""
    return say_option(f"option.{kind}.{row['name']}", str(row["help"]))


def describe_config(options: Json, config: Json) -> list[tuple[str, str]]:
    """Name and value, as text, of what a fit with `config` uses, in the order of the form."""
    chosen = read_config(options, config)
    rows = [(label_of("extractor"), ", ".join(choice_of("extractor", name) for name in chosen["extractors"]))]
    for key, value in chosen.items():
        extractor, _, option = key.partition(".")
        if extractor == "finetune":
            if option:
                rows.append((label_of(key), value_of(key, value)))
        elif option:
            several = len(chosen["extractors"]) > 1
            shown = name_fingerprints(options, value) if option == "fingerprints" else value
            rows.append((f"{label_of(option)} ({extractor})" if several else label_of(option), value_of(option, shown)))
    rows.append((label_of("head"), choice_of("head", chosen["head"])))
    settings = [key for key in chosen if "." not in key and key not in ("extractors", "head", "notes", "finetune")]
    rows += [(label_of(key), value_of(key, chosen[key])) for key in settings if chosen[key] != ""]
    return rows


def name_fingerprints(options: Json, names: list[str]) -> list[str]:
    """The generators of fingerprints, as far as the service knows them still; else the beginning of the digest."""
    known = {row["name"]: str(row["help"]) for row in options["fingerprints"]}
    return [known.get(name, f"{name[:16]}…") for name in names]


def value_of(setting: str, value: Any) -> str:
    """The value of a setting as text."""
    if value is None and setting in ("C", "target_fpr", "doubt"):
        return say_text(f"setting.{setting}.auto")
    if setting in RATES:
        return rate(float(value), 2).replace(".00 ", " ")
    if isinstance(value, bool) or setting == "class_weight":
        return say_text("yes" if value else "no")
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    if setting == "stages":
        return choice_of("stages", value)
    return plain_number(value) if isinstance(value, float) else str(value)


def plain_number(value: float) -> str:
    """A factor as people write it: 0.000001, 0.05, 1000."""
    return f"{value:.10f}".rstrip("0").rstrip(".")
