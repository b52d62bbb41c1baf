"""The figures of a result: how good a detector is, in numbers first and then in curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from frontend.charts import evaluation, show_chart
from frontend.formatting import MISSING, count, number, rate
from frontend.texts import plain, say, say_text
from frontend.transport import Json

SPLITS = ("test", "test_without_duplicates", "validation", "train")  # on a phone the last ones are out of sight
RATES = frozenset({"accuracy", "balanced_accuracy", "recall", "fpr", "unsure_share", "sure_accuracy"})
ROWS = (
    "n",
    "accuracy",
    "balanced_accuracy",
    "auroc",
    "log_loss",
    "hinge_loss",
    "brier",
    "ece",
    "ece_equal_mass",
    "recall",
    "fpr",
    "unsure_share",
    "sure_accuracy",
)
FINE = frozenset({"auroc", "brier", "ece", "ece_equal_mass"})
"""Figures whose fourth decimal tells something."""


def show_result(card: Json) -> None:
    """Headline, table by split and curves of one model; a sentence where it was not measured."""
    metrics = card["metrics"]
    measured = [split for split in ("test", "validation", "train") if metrics.get(split)]
    if not measured:
        st.info(say("figures.none"))
        return
    if metrics.get("test"):
        left_out = card.get("left_out_generators") or {}
        unseen = {
            "other": card.get("held_out_generators"),
            "left_out": left_out if left_out.get("generators") else None,
        }
        show_headline(metrics["test"], str(card["loss"]), {name: found for name, found in unseen.items() if found})
    else:
        st.info(say("figures.not_tested", split=say_text(f"figures.split.{measured[0]}")))
    show_table(metrics)
    st.subheader(say("figures.curves"))
    with st.grid(2, min_column_width=340):
        with st.container():
            show_roc([card], measured[0])
        with st.container():
            show_reliability([card], measured[0])
        if card.get("finetuned"):
            with st.container():
                show_losses(card["finetuned"]["history"], say("figures.losses.finetune"))
        if card["head"].get("history"):
            with st.container():
                show_losses(card["head"]["history"], say("figures.losses"))
        if (card["head"].get("chosen") or {}).get("candidates"):
            with st.container():
                show_c_search(card["head"]["chosen"])
    groups = metrics[measured[0]].get("by_class")
    if groups and len(groups) > 1:
        show_by_class(groups)
    generators = metrics.get("by_generator") or metrics[measured[0]].get("by_generator")
    if generators:
        show_by_generator(generators)


def show_headline(test: Json, loss: str, unseen: Mapping[str, Json] | None = None) -> None:
    """The few figures that matter, each with its 95 % interval; beside them what is found of other generators.

    `unseen` has those figures by the name of their tile; the first is shown.
    """
    names = ("accuracy", "auroc", "hinge_loss" if loss == "hinge" else "log_loss", "fpr", "recall")
    others = list((unseen or {}).items())[:1]
    with st.grid(len(names) + len(others), min_column_width=140, gap="xsmall"):
        for name in names:
            interval = show_span(name, test["intervals"].get(name))
            label, value, help_ = say(f"figures.tile.{name}"), show(name, test[name]), say(f"figures.help.{name}")
            st.metric(label, value, plain(interval), delta_color="off", delta_arrow="off", help=help_, border=True)
        for name, found in others:
            least = say("generators.tile.worst", worst=found["worst"])
            label, help_ = say(f"generators.tile.{name}"), say(f"generators.tile.help.{name}")
            value = rate(found["recall"])
            st.metric(label, value, least, delta_color="off", delta_arrow="off", help=help_, border=True)
    st.caption(say("figures.measured", count=count(test["n"])))


def show(name: str, value: float | None) -> str:
    """A figure in its own unit: a share in percent, everything else as it is."""
    if name == "n":
        return count(None if value is None else int(value))
    return rate(value) if name in RATES else number(value, 4 if name in FINE else 3)


def show_span(name: str, interval: Sequence[float] | None) -> str:
    """A 95 % interval in the figure's own unit, such as "96.3–96.8 %"; "" where there is none."""
    if not interval:
        return ""
    low, high = (show(name, end) for end in interval)
    return f"{low.removesuffix(' %')}–{high}"


def show_table(metrics: Json) -> None:
    """A row a figure, a column a part of the data set; parts that do not exist are left out."""
    splits = [split for split in SPLITS if metrics.get(split)]
    rows = [name for name in ROWS if any(name in metrics[split] for split in splits)]  # older cards have fewer
    table = {say("figures.column"): [say(f"figures.name.{name}") for name in rows]}
    for split in splits:
        table[say(f"figures.split.{split}")] = [show(name, metrics[split].get(name)) for name in rows]
    st.subheader(say("figures.table"))
    st.table(table, border="horizontal", hide_index=True, alt=say_text("figures.table"))
    if "train" in splits and "test" in splits:
        st.caption(say("figures.overfit"))


def show_roc(cards: Sequence[Json], split: str = "test") -> None:
    """ROC curves with a switch that shows only the corner that matters in practice."""
    st.markdown(f"**{say('figures.roc')}**")
    chart = st.container()  # above the switch, so that the charts of a row begin at one height
    several = len(cards) > 1  # they differ in the corner, so that comes first where all their thresholds lie in it
    near = several and all(100 * card["metrics"][split]["fpr"] <= evaluation.CORNER_PERCENT for card in cards)
    corner = st.toggle(say("figures.roc.zoom"), value=near, key=f"figures.corner.{several}.{near}")
    points = [
        say_text("figures.roc.point", model=name, **{key: show(key, card["metrics"][split][key]) for key in _POINT})
        for name, card in zip(evaluation.name_series(cards), cards, strict=True)
    ]
    figures = cards[0]["metrics"][split]
    reading = (
        say("figures.roc.readings")
        if several
        else say("figures.roc.reading", recall=rate(figures["recall"]), fpr=rate(figures["fpr"]))
    )
    alternative = say_text("figures.roc.alternative", points=" ".join(points))
    with chart:
        show_chart(evaluation.roc(cards, split, corner=corner), reading, alternative)


_POINT = ("auroc", "recall", "fpr")


def show_reliability(cards: Sequence[Json], split: str = "test") -> None:
    """Whether the probabilities that the models give hold."""
    st.markdown(f"**{say('figures.reliability')}**")
    points = [
        say_text("figures.reliability.point", model=name, ece=number(card["metrics"][split]["ece"], 4))
        for name, card in zip(evaluation.name_series(cards), cards, strict=True)
    ]
    alternative = say_text("figures.reliability.alternative", points=" ".join(points))
    show_chart(evaluation.reliability(cards, split), say("figures.reliability.reading"), alternative)


def show_losses(history: Sequence[Json], title: str) -> None:
    """The loss of each epoch; with a job that still runs, of those so far."""
    last = {split: number(history[-1].get(f"{split}_loss"), 4) for split in ("train", "validation")}
    st.markdown(f"**{title}**")
    alternative = say_text("figures.losses.alternative", epochs=len(history), **last)
    show_chart(evaluation.losses(history), say("figures.losses.reading"), alternative)


def show_c_search(chosen: Json) -> None:
    """What cross-validation said of each C."""
    st.markdown(f"**{say('figures.c')}**")
    points = ", ".join(f"C = {value}: {number(loss, 4)}" for value, loss in chosen["candidates"].items())
    reading = say("figures.c.reading", chosen=f"{chosen['C']:g}")
    chart = evaluation.c_search(chosen["candidates"], float(chosen["C"]))
    show_chart(chart, reading, say_text("figures.c.alternative", points=points))


def show_by_class(groups: dict[str, Json]) -> None:
    """Which kinds of pictures are hard."""
    st.markdown(f"**{say('figures.by_class')}**")
    worst = min(groups, key=lambda name: groups[name]["accuracy"])
    points = ", ".join(f"{name} {rate(figures['accuracy'])}" for name, figures in groups.items())
    reading = say("figures.by_class.reading", worst=worst)
    show_chart(evaluation.by_class(groups), reading, say_text("figures.by_class.alternative", points=points))


def show_by_generator(groups: dict[str, Json]) -> None:
    """Figures on the images of each generator, where the evaluation has them."""
    names = ("n", "accuracy", "auroc", "recall", "fpr")
    table = {say("figures.generator"): [plain(name) for name in groups]}
    for name in names:
        table[say(f"figures.name.{name}")] = [
            show(name, figures.get(name)) if isinstance(figures, dict) else MISSING for figures in groups.values()
        ]
    st.markdown(f"**{say('figures.by_generator')}**")
    st.table(table, border="horizontal", hide_index=True, alt=say_text("figures.by_generator"))
