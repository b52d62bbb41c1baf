"""The fields of the form for a fit. What is chosen stays for the session, whatever page is opened in between."""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st

from frontend.texts import plain, say, say_text
from frontend.training.choosing import choose_one, choose_several, put_choice
from frontend.training.finetune_fields import show_finetune
from frontend.training.form import (
    extractors_of,
    format_widths,
    head_settings,
    in_order,
    parse_stages,
    parse_widths,
    powers_with,
)
from frontend.training.setting_words import choice_of, help_of, label_of, plain_number
from frontend.transport import Json

PERSIST: Literal["session"] = "session"
PREFIX = "train."
TYPED = ""
"""The choice of "another", whose name is typed."""
NAMED = {"backbone": "backbones", "stages": "stages", "network": "networks"}
"""Option of an extractor -> the list of /options that it is chosen from."""
SHARES = {"target_fpr": (0.01, 50.0, 0.5), "doubt": (1.0, 50.0, 1.0)}
"""Least, most and step of what can be asked for in per cent of REAL: called FAKE, and doubted."""
FIRST = ("backbone", "input_size", "network", "fingerprints")
"""Options of extractors that stand among the first fields; the others are in "More settings"."""


def show_fields(options: Json) -> dict[str, Any]:
    """Draws the form but for the data set; returns what is chosen, as `training_form.build_config` takes it."""
    chosen: dict[str, Any] = {"extractors": choose_extractors(options)}
    extractors = [row for row in extractors_of(options) if row["name"] in chosen["extractors"]]
    for extractor in extractors:
        for option in extractor["options"]:
            if option["name"] in FIRST:
                chosen[f"{extractor['name']}.{option['name']}"] = show_option(options, extractor, option)
    chosen |= show_finetune(options, chosen["extractors"], _keep, PREFIX)
    chosen["head"] = choose_head(options)
    chosen["name"] = st.text_input(
        say("setting.name"), key=_keep("name", ""), help=say("help.name"), max_chars=100, persist_state=PERSIST
    )
    with st.expander(say("train.more"), icon=":material/tune:"):
        for extractor in extractors:
            for option in extractor["options"]:
                if option["name"] not in FIRST:
                    chosen[f"{extractor['name']}.{option['name']}"] = show_option(options, extractor, option)
        chosen |= show_head_settings(options, chosen["head"])
        chosen |= show_splitting(options)
    return chosen


def choose_extractors(options: Json) -> list[str]:
    """Names of the extractors to use, with a sentence on each."""
    rows = extractors_of(options)
    known = {row["name"]: row for row in rows}
    chosen = choose_several(
        say("setting.extractor"),
        list(known),
        f"{PREFIX}extractors",
        format_func=lambda name: choice_of("extractor", name),
        default=[options["defaults"]["extractor"]],
        placeholder=say_text("train.choose"),
        help=say("help.extractor"),
    )
    for name in chosen:
        sentence = help_of("extractor", known[name])
        st.caption(plain(f"{name}: {sentence}" if len(chosen) > 1 else sentence))
    return chosen


def show_option(options: Json, extractor: Json, option: Json) -> Any:
    """A field for one option of an extractor, made from what the service says of its type; returns its value."""
    name, default = f"{extractor['name']}.{option['name']}", option["default"]
    label, help = plain(label_of(option["name"])), plain(help_of(extractor["name"], option))
    if option["name"] in NAMED:
        return _choose_named(options[NAMED[option["name"]]], option, name, label, help)
    if option["name"] == "fingerprints":
        key = _keep(name, default, [row["name"] for row in options["fingerprints"]])
        return _choose_fingerprints(options["fingerprints"], key, label, help)
    if option["type"] == "bool":
        return st.toggle(label, key=_keep(name, default), help=help, persist_state=PERSIST)
    if option["type"] == "int":
        low, high = (option["minimum"], option["maximum"]) if option["maximum"] else (None, None)
        key = _keep(name, default)
        return st.number_input(
            label, low, high, key=key, step=16 if low == 16 else 1, help=help, persist_state=PERSIST
        )  # steps of 16 keep sizes that networks halve evenly
    if option["choices"]:
        key = _keep(name, default, option["choices"])
        picked = st.multiselect(label, option["choices"], key=key, help=help, select_all=False, persist_state=PERSIST)
        return in_order(picked, option["choices"])
    return st.text_input(label, key=_keep(name, default), help=help, persist_state=PERSIST)


def _choose_named(rows: list[Json], option: Json, name: str, label: str, help: str) -> Any:
    """One of `rows`, or a name that is typed: several, with commas between, where the option may be a list."""
    setting, several = option["name"], "list" in option["type"]
    names = [row["name"] for row in rows]
    picked = choose_one(
        label,
        [*names, TYPED],
        PREFIX + name,
        format_func=lambda value: _named(setting, value, rows) if value else say_text(f"train.typed.{setting}"),
        default=option["default"],
        help=help,
    )
    if picked != TYPED:
        if setting == "stages":
            sentence = help_of("stages", next(row for row in rows if row["name"] == picked))
            st.caption(plain(sentence[:1].upper() + sentence[1:]))
        return picked
    typed = st.text_input(
        say(f"train.typed.{setting}.name"), key=_keep(f"{name}.typed", ""), persist_state=PERSIST, max_chars=1000
    )
    st.caption(say(f"train.typed.{setting}.help"))
    return parse_stages(typed) if several else typed.strip()


def _choose_fingerprints(rows: list[Json], key: str, label: str, help: str) -> list[str]:
    """Several of `rows`, in their order."""
    known = {row["name"]: str(row["help"]) for row in rows}
    picked = st.multiselect(
        label,
        list(known),
        key=key,
        format_func=lambda name: known.get(name, name),
        help=help,
        placeholder=say_text("train.choose"),
        persist_state=PERSIST,
    )
    return in_order(picked, known)


def _named(setting: str, value: str, rows: list[Json]) -> str:
    """A choice of a list in words; a network by the model that it belongs to and the beginning of its digest."""
    if setting == "network":
        return f"{next(row['help'] for row in rows if row['name'] == value)} ({value[:8]})"
    return choice_of(setting, value)


def choose_head(options: Json) -> str:
    """The name of the head, with its sentence."""
    known = {row["name"]: row for row in options["heads"]}
    head = choose_one(
        say("setting.head"),
        list(known),
        f"{PREFIX}head",
        format_func=lambda name: choice_of("head", name),
        default=options["defaults"]["head"],
        help=say("help.head"),
    )
    st.caption(plain(help_of("head", known[head])))
    return str(head)


def show_head_settings(options: Json, head: str) -> dict[str, Any]:
    """Fields for the settings that the head uses."""
    used, defaults = head_settings(options, head), options["defaults"]
    chosen: dict[str, Any] = {}
    if "C" in used:
        auto = st.toggle(say("train.auto_c"), key=_keep("auto_c", True), help=say("help.C"), persist_state=PERSIST)
        chosen["C"] = None if auto else _choose_c()
    if "class_weight" in used:
        key = _keep("balanced", defaults["class_weight"] == "balanced")
        balanced = st.toggle(say("setting.class_weight"), key=key, help=say("help.class_weight"), persist_state=PERSIST)
        chosen["class_weight"] = "balanced" if balanced else None
    if "hidden" in used:
        key = _keep("hidden", format_widths(defaults["hidden"]))
        help = say("help.hidden")
        typed = st.text_input(say("setting.hidden"), key=key, help=help, max_chars=100, persist_state=PERSIST)
        chosen["hidden"] = parse_widths(typed)
    for name, (low, high, step) in NUMBERS.items():
        if name in used:
            key = _keep(name, defaults[name])
            chosen[name] = st.number_input(
                say(f"setting.{name}"),
                low,
                high,
                key=key,
                step=step,
                help=say(f"help.{name}"),
                persist_state=PERSIST,
                format="%g" if name in FINE else None,
            )
    return chosen


NUMBERS: dict[str, tuple[float, float, float]] = {
    "epochs": (1, 1000, 1),
    "components": (10, 5000, 100),
    "gamma": (0.0001, 10000.0, 0.1),
    "dropout": (0.0, 0.9, 0.1),
    "mixup": (0.0, 10.0, 0.1),
    "learning_rate": (0.000001, 1.0, 0.0005),
    "weight_decay": (0.0, 10.0, 0.01),
    "ensemble": (1, 10, 1),
}
"""Least, most and step of heads' numbers. The service has the last word: what it refuses, it says."""

FINE = ("learning_rate", "weight_decay")
"""Numbers whose last digits Streamlit's own format would hide."""


def _choose_c() -> float:
    key = _keep("C", 1.0)
    offered = powers_with(st.session_state[key])
    help = say("help.C.value")
    return float(
        st.select_slider(say("setting.C"), offered, format_func=plain_number, key=key, help=help, persist_state=PERSIST)
    )


def show_splitting(options: Json) -> dict[str, Any]:
    """Fields for the settings that every fit has: splits, threshold, seed, notes."""
    defaults = options["defaults"]
    chosen: dict[str, Any] = {}
    for name in ("validation_fraction", "test_fraction"):
        key = _keep(name, round(100 * defaults[name]))
        percent = st.slider(
            say(f"setting.{name}"), 2, 50, key=key, format="%d %%", help=say(f"help.{name}"), persist_state=PERSIST
        )
        chosen[name] = percent / 100
    for name, (least, most, step) in SHARES.items():
        share = st.number_input(
            say(f"train.{name}"),
            least,
            most,
            key=_keep(name, None),
            step=step,
            placeholder=say_text(f"setting.{name}.auto"),
            help=say(f"help.{name}"),
            persist_state=PERSIST,
        )
        chosen[name] = None if share is None else round(share / 100, 8)
    for name in ("evaluate_test", "measure_limits"):
        key = _keep(name, defaults[name])
        chosen[name] = st.toggle(say(f"setting.{name}"), key=key, help=say(f"help.{name}"), persist_state=PERSIST)
    key, help = _keep("seed", defaults["seed"]), say("help.seed")
    chosen["seed"] = st.number_input(
        say("setting.seed"), 0, 2**32 - 1, key=key, step=1, help=help, persist_state=PERSIST
    )
    key, help = _keep("notes", ""), say("help.notes")
    chosen["notes"] = st.text_area(say("setting.notes"), key=key, help=help, max_chars=10_000, persist_state=PERSIST)
    return chosen


def fill_fields(options: Json, chosen: dict[str, Any]) -> None:
    """Puts `chosen` (as `training_form.read_config` gives it) into the fields, before they are drawn."""
    values = {"finetune": False, **chosen}
    if "C" in values:
        values["auto_c"] = values["C"] is None
        values["C"] = 1.0 if values["C"] is None else float(values["C"])
    if "hidden" in values:
        values["hidden"] = format_widths(values["hidden"])
    if "class_weight" in values:
        values["balanced"] = values.pop("class_weight") == "balanced"
    for name in ("validation_fraction", "test_fraction"):
        values[name] = round(100 * values[name])
    for name, (least, most, _) in SHARES.items():
        if values.get(name) is not None:
            values[name] = min(max(round(100 * values[name], 6), least), most)
    for extractor in extractors_of(options):
        for option in extractor["options"]:
            name = f"{extractor['name']}.{option['name']}"
            if option["name"] in NAMED and name in values:
                names = [row["name"] for row in options[NAMED[option["name"]]]]
                if values[name] not in names:
                    typed = values[name]
                    values[f"{name}.typed"] = ", ".join(typed) if isinstance(typed, list) else typed
                    values[name] = TYPED
    for name, value in values.items():
        put_choice(PREFIX + name, value)


def _keep(name: str, default: Any, choices: list[Any] | None = None) -> str:
    """The key of a field, which starts as `default`; what is not among `choices` any more is forgotten."""
    key = PREFIX + name
    value = st.session_state.get(key, default)
    if choices is not None:
        several = isinstance(value, list)
        kept = [item for item in (value if several else [value]) if item in choices]
        value = kept if several else kept[0] if kept else default
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
    return key
