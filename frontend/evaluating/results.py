"""An evaluation as a page shows it: figures by generator, the heat-map of a matrix, the conclusion in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from frontend.charts import generators as charts
from frontend.charts import show_chart
from frontend.formatting import count, number, rate
from frontend.texts import TEXTS, plain, say, say_text
from frontend.training.choosing import choose_one
from frontend.transport import Json

SHARES = ("answered_real", "unsure_share", "accuracy", "recall_at_1_fpr", "recall_at_5_fpr")


def show_evaluation(found: Json) -> None:
    """All that an evaluation of either kind found."""
    if found["kind"] == "matrix":
        show_matrix(found)
    else:
        show_model(found)


def show_model(found: Json) -> None:
    """What one model finds of each generator's fakes."""
    rows = found["generators"]
    show_notes(found, rows)
    show_conclusion(found.get("conclusion"), say("generators.conclusion"))
    if found["fpr"] is not None:
        interval = show_interval(found["intervals"]["fpr"])
        st.markdown(say("generators.reals", count=count(found["n"]["REAL"]), fpr=rate(found["fpr"]), interval=interval))
        if found.get("unsure_share") is not None:
            st.markdown(say("generators.reals.unsure", share=rate(found["unsure_share"])))
    if rows:
        show_recalls(rows)
        show_table(rows)


def show_matrix(found: Json) -> None:
    """The heat-maps of detectors of one generator and of all others, each with its conclusion."""
    show_notes(found, [cell for row in found["rows"][:1] for cell in row["generators"]])
    measure = choose_one(
        say("generators.measure"),
        charts.MEASURES,
        "generators.measure",
        format_func=lambda name: say_text(f"generators.measure.{name}"),
        width=420,
    )
    parts = (
        ("alone", "conclusion", "generators.conclusion"),
        ("without", "leave_one_out", "generators.conclusion.left_out"),
    )
    for kind, conclusion, title in parts:
        rows = [row for row in found["rows"] if row["kind"] == kind]
        if rows:
            show_conclusion(found.get(conclusion), say(title))
            show_heat(rows, kind, measure)


def show_heat(rows: Sequence[Json], kind: str, measure: str) -> None:
    """One heat-map of a measure, with the same figures and the false alarms as a table below."""

    def told(cell: Json) -> str:
        return number(cell[measure]) if measure == "auroc" else rate(cell[measure])

    names = [row["generator"] for row in rows]
    if kind == "without":
        names = [say_text("generators.heat.row.without", generator=name) for name in names]
    cells = [", ".join(f"{cell['generator']} {told(cell)}" for cell in row["generators"]) for row in rows]
    lines = [f"{name}: {line}" for name, line in zip(names, cells, strict=True)]
    st.markdown(f"**{say(f'generators.heat.{kind}')}**")
    reading = say("generators.heat.reading" if kind == "alone" else "generators.heat.reading.without")
    value = say_text(f"generators.measure.{measure}")
    alternative = say_text("generators.heat.alternative", measure=value, rows="; ".join(lines))
    show_chart(charts.draw_heat(rows, names, measure), reading, alternative)
    with st.expander(say("generators.heat")):
        columns: dict[str, list[str]] = {say("generators.heat.y"): [plain(name) for name in names]}
        columns[say("generators.alarms")] = [rate(row["fpr"]) for row in rows]
        for place, cell in enumerate(rows[0]["generators"]):
            columns[plain(cell["generator"])] = [told(row["generators"][place]) for row in rows]
        st.table(columns, border="horizontal", hide_index=True, alt=say_text("generators.heat"))


def show_recalls(rows: Sequence[Json]) -> None:
    """The chart of what is found of each generator."""
    st.markdown(f"**{say('generators.chart')}**")
    points = ", ".join(f"{row['generator']} {rate(row['recall'])}" for row in rows)
    alternative = say_text("generators.chart.alternative", points=points)
    show_chart(charts.draw_recalls(rows), say("generators.chart.reading"), alternative)


def show_table(rows: Sequence[Json]) -> None:
    """All figures, a line a generator; columns that nothing is known of are left out."""
    ordered = sorted(rows, key=lambda row: row["recall"])
    columns: dict[str, list[str]] = {
        "generator": [plain(row["generator"]) for row in ordered],
        "n": [count(row["n"]) for row in ordered],
        "recall": [rate(row["recall"]) for row in ordered],
        "interval": [show_interval(row["intervals"]["recall"]) for row in ordered],
    }
    if any("seen" in row for row in ordered):
        columns["seen"] = [say("yes" if row.get("seen") else "no") for row in ordered]
    for name in SHARES:
        columns[name] = [rate(row.get(name)) for row in ordered]
    columns["auroc"] = [number(row.get("auroc"), 3) for row in ordered]
    known = {name: values for name, values in columns.items() if any(value != rate(None) for value in values)}
    table = {say(f"generators.column.{name}"): values for name, values in known.items()}
    st.table(table, border="horizontal", hide_index=True, alt=say_text("generators.table"))


def show_notes(found: Json, rows: Sequence[Json]) -> None:
    """What limits the figures, and how many images were left out."""
    for note in found["notes"]:
        st.warning(describe_note(note))
    few = [row["generator"] for row in rows if any(note["code"] == "few_images" for note in row["notes"])]
    if few:
        st.warning(say("generators.note.few_images", generators=", ".join(few)))
    if left_out := found["excluded"]["in_training"]:
        st.caption(say("generators.excluded", count=count(left_out)))


def describe_note(note: Json) -> str:
    """A note of the service in the visitor's language where its code is known here, as Markdown."""
    key = f"generators.note.{note['code']}"
    return say(key) if key in TEXTS else plain(note["message"])


def show_conclusion(conclusion: Any, title: str) -> None:
    """The verdict on the hypothesis and the figures that it rests on; nothing where there is no pair."""
    if not conclusion:
        return
    low, high, drop = (f"{100 * value:.1f}" for value in (*conclusion["mean_drop_interval"], conclusion["mean_drop"]))
    names = {"own": "recall_own", "other": "recall_other", "fpr": "fpr"}
    values = {name: rate(conclusion[key]) for name, key in names.items()}
    counts = {name: count(conclusion[name]) for name in ("significant", "tests")}
    said = say(f"generators.verdict.{conclusion['verdict']}")
    figures = say("generators.found", drop=drop, low=low, high=high, **values, **counts)
    st.info(f"**{title}.** {said} {figures}", icon=":material/science:")


def show_interval(limits: Sequence[float] | None) -> str:
    """A 95 % interval of a share, such as "3.1–7.8 %"; a dash where there is none."""
    if not limits:
        return rate(None)
    low, high = (rate(limit) for limit in limits)
    return f"{low.removesuffix(' %')}–{high}"
