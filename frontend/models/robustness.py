"""How a model stands compression, scaling, cropping, blur, noise and light: measured on demand, shown as curves."""

from __future__ import annotations

import streamlit as st

from frontend.charts import show_chart
from frontend.charts.robustness import curves
from frontend.client import pages
from frontend.formatting import count, number, rate
from frontend.progress import follow_job
from frontend.session import client, show_error
from frontend.texts import plain, say, say_known, say_text
from frontend.transport import ApiError, Json

FIGURES = ("accuracy", "auroc")


def show_robustness(card: Json) -> None:
    """Behind a switch, since it asks the service: a data set to choose, the curves, or a button that measures them."""
    st.subheader(say("robustness.title"))
    st.caption(say("robustness.intro"))
    if not st.toggle(say("robustness.show"), key=f"robustness.{card['id']}"):
        return
    datasets = {str(item["id"]): str(item["name"]) for item in pages(client().datasets)}
    if not datasets:
        st.info(say("robustness.no_data"))
        return
    own = (card.get("dataset") or {}).get("id")
    ids = sorted(datasets, key=lambda name: name != own)
    chosen = st.selectbox(
        say("robustness.dataset"), ids, format_func=datasets.__getitem__, key=f"robustness.data.{card['id']}"
    )
    running = _running(str(card["id"]), chosen)
    if running is not None:
        follow_job(running)
        return
    result = _fetch(str(card["id"]), chosen)
    if result is not None:
        show_result(result)
    words = say("robustness.again" if result else "robustness.measure")
    if st.button(words, key=f"robustness.measure.{card['id']}", icon=":material/speed:"):
        try:
            client().measure_robustness(str(card["id"]), chosen)
        except ApiError as error:
            show_error(error)
        else:
            st.rerun()


def show_result(result: Json) -> None:
    """The curves of one figure, and all figures as a table behind a fold."""
    rows, images = result["rows"], result["images"]
    st.caption(say("robustness.drawn", real=count(images["REAL"]), fake=count(images["FAKE"])))
    left_out = (result.get("excluded") or {"in_training": 0})["in_training"]  # results of older versions do not say
    if left_out is None:
        st.warning(say("generators.note.training_unknown"))
    elif left_out:
        st.caption(say("generators.excluded", count=count(left_out)))
    figure = st.segmented_control(
        say("robustness.figure"),
        FIGURES,
        default=FIGURES[0],
        required=True,
        format_func=lambda name: say_text(f"robustness.{name}"),
        key=f"robustness.figure.{result['model_id']}",
    )
    if rows[0][figure] is not None:
        show_chart(curves(rows, str(figure)), say("robustness.reading"), say_text("robustness.alt"))
    with st.expander(say("robustness.table")):
        st.table(
            {
                say("robustness.corruption"): [plain(_name(row)) for row in rows],
                say("robustness.accuracy"): [plain(rate(row["accuracy"])) for row in rows],
                say("robustness.auroc"): [plain(number(row["auroc"])) for row in rows],
                say("robustness.recall"): [plain(rate(row["recall"])) for row in rows],
                say("robustness.fpr"): [plain(rate(row["fpr"])) for row in rows],
            },
            border="horizontal",
        )


def _name(row: Json) -> str:
    if row["corruption"] is None:
        return say_text("robustness.as_they_are")
    kind = str(row["corruption"])
    return f"{say_known(f'corruption.{kind}', kind)} {row['strength']:g}"


def _fetch(model_id: str, dataset_id: str) -> Json | None:
    try:
        return client().robustness(model_id, dataset_id)
    except ApiError as error:
        if error.status != 404:
            raise
        return None


def _running(model_id: str, dataset_id: str) -> str | None:
    """The job that measures this now, whoever asked for it."""
    for state in ("running", "queued"):
        for job in client().jobs(state=state, kind="robustness")["items"]:
            if (job["params"].get("model_id"), job["params"].get("dataset_id")) == (model_id, dataset_id):
                return str(job["id"])
    return None
