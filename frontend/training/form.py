"""What a person chose for a fit, as the service's JSON and back; and what stands in the way of one. No widgets here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from frontend.transport import Json

TOGETHER = "concat"
"""The service's name for several extractors side by side, which the form offers as a choice of several."""
FINETUNED_ALONE = "cnn"
"""The extractor whose network can be fine-tuned, where it is chosen alone."""
ALREADY_TUNED = "finetuned"
"""The extractor that runs a network of an earlier fit: there must be one."""
AGAINST_FINGERPRINTS = "fingerprint"
"""The extractor that compares with fingerprints: there must be some."""
SPLITTING = (
    "validation_fraction",
    "test_fraction",
    "target_fpr",
    "doubt",
    "evaluate_test",
    "measure_limits",
    "seed",
    "name",
    "notes",
)
"""Settings that every fit has; the others depend on the head."""
POWERS = tuple(10.0**power for power in range(-6, 7))
"""Values of C that are offered."""


@dataclass(frozen=True)
class Obstacle:
    """Why a fit cannot start: the key of a text and its values."""

    key: str
    values: dict[str, object] = field(default_factory=dict)


def extractors_of(options: Json) -> list[Json]:
    """The extractors to choose from: without the one that joins others, and what there is nothing for."""
    needed = {ALREADY_TUNED: options["networks"], AGAINST_FINGERPRINTS: options["fingerprints"]}
    absent = {TOGETHER, *(name for name, there in needed.items() if not there)}
    return [extractor for extractor in options["extractors"] if extractor["name"] not in absent]


def head_settings(options: Json, head: str) -> list[str]:
    """Names of the settings that a head uses, in the service's order."""
    return next((list(row["options"]) for row in options["heads"] if row["name"] == head), [])


def build_config(options: Json, chosen: Mapping[str, Any]) -> Json:
    """The `config` of a fit: what is used and differs from the default, nothing else.

    `chosen` has "extractors" (names), their options as "<extractor>.<option>", "head", and settings by the service's
    own names. Extractors come in the service's order, so that the order of the clicks makes no other model.
    """
    specs = [_spec(row, chosen) for row in extractors_of(options) if row["name"] in chosen["extractors"]]
    names = ["head", *head_settings(options, str(chosen["head"])), *SPLITTING]
    config = {name: chosen[name] for name in names if name in chosen}
    config["extractor"] = specs[0] if len(specs) == 1 else specs
    if chosen.get("finetune") and list(chosen["extractors"]) == [FINETUNED_ALONE]:
        config["finetune"] = _finetune(options, chosen)
    return {name: value for name, value in config.items() if value != options["defaults"].get(name)}


def _finetune(options: Json, chosen: Mapping[str, Any]) -> Json | bool:
    """The settings of fine-tuning that differ from their defaults; True where none does."""
    given = {row["name"]: chosen.get(f"finetune.{row['name']}", row["default"]) for row in options["finetune"]}
    return {
        row["name"]: given[row["name"]] for row in options["finetune"] if given[row["name"]] != row["default"]
    } or True


def _spec(extractor: Json, chosen: Mapping[str, Any]) -> Json | str:
    name = extractor["name"]
    given = {
        option["name"]: chosen.get(f"{name}.{option['name']}", option["default"]) for option in extractor["options"]
    }
    changed = {o["name"]: given[o["name"]] for o in extractor["options"] if given[o["name"]] != o["default"]}
    return {"name": name, **changed} if changed else name


def read_config(options: Json, config: Json) -> dict[str, Any]:
    """What was chosen for the fit whose job or model has `config`: the reverse of `build_config`."""
    spec = config["extractor"]
    specs = spec["parts"] if spec["name"] == TOGETHER else [spec]
    chosen: dict[str, Any] = {"extractors": [part["name"] for part in specs], "head": config["head"]["name"]}
    defaults = {row["name"]: {o["name"]: o["default"] for o in row["options"]} for row in extractors_of(options)}
    for part in specs:
        given = {**defaults.get(part["name"], {}), **part}
        chosen |= {f"{part['name']}.{name}": value for name, value in given.items() if name != "name"}
    if finetune := config.get("finetune"):
        settings = finetune if isinstance(finetune, dict) else {}
        chosen["finetune"] = True
        chosen |= {f"finetune.{row['name']}": settings.get(row["name"], row["default"]) for row in options["finetune"]}
    settings = {**config["head"], **config}
    names = [*head_settings(options, chosen["head"]), *SPLITTING]
    return chosen | {name: settings[name] for name in names if name in settings}


def parse_stages(text: str) -> list[str]:
    """The stages in a text such as "stem, block3"."""
    return [part for part in (piece.strip() for piece in text.split(",")) if part]


def parse_widths(text: str) -> list[int]:
    """The widths in a text such as "512, 128"; what is no whole number counts as 0, which the service refuses."""
    return [int(part) if part.isdecimal() else 0 for part in parse_stages(text)]


def format_widths(widths: Iterable[int]) -> str:
    """The text that `parse_widths` reads."""
    return ", ".join(map(str, widths))


def powers_with(value: float) -> list[float]:
    """The values of C that are offered, with `value` among them."""
    return sorted({*POWERS, value})


def in_order(values: Iterable[Any], choices: Iterable[Any]) -> list[Any]:
    """`values` in the order of `choices`."""
    wanted = set(values)
    return [choice for choice in choices if choice in wanted]


def obstacle_in_choices(chosen: Mapping[str, Any]) -> Obstacle | None:
    """What is missing in the form itself."""
    if not chosen["extractors"]:
        return Obstacle("train.obstacle.no_extractor")
    for name in chosen["extractors"]:
        for key, value in chosen.items():
            if key.startswith(f"{name}.") and value in ("", []):
                return Obstacle("train.obstacle.empty", {"setting": key.partition(".")[2]})
    return None


def obstacle_in_data(dataset: Json, least: int) -> Obstacle | None:
    """Why a data set makes no detector, as far as its counts tell; the service wants `least` images of each class.

    Images that the data set names as validation or test images are not trained on. The service may refuse more: it
    keeps some images of the others aside as well.
    """
    counts: dict[str, dict[str, int]] = dataset["counts"]
    everything = {label: sum(split.get(label, 0) for split in counts.values()) for label in ("REAL", "FAKE")}
    trained = {label: sum(counts.get(split, {}).get(label, 0) for split in ("", "train")) for label in everything}
    if missing := [label for label, images in everything.items() if images == 0]:
        return Obstacle("train.obstacle.one_class", {"label": missing[0]})
    if min(everything.values()) < least:
        return Obstacle(
            "train.obstacle.too_few", {"real": everything["REAL"], "fake": everything["FAKE"], "least": least}
        )
    if min(trained.values()) < least:
        return Obstacle(
            "train.obstacle.too_few_to_train", {"real": trained["REAL"], "fake": trained["FAKE"], "least": least}
        )
    return None
