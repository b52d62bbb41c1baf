"""Evaluations by generator: start one, follow it, read it. ?id= names one, ?model= chooses the model to measure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from frontend.calls.jobs import FINISHED
from frontend.client import pages
from frontend.evaluating.results import show_evaluation
from frontend.formatting import moment
from frontend.job_view import dataset_names, show_action, show_reason, show_retry, title_of
from frontend.progress import follow_job
from frontend.session import asked, client, run_page, show_error
from frontend.texts import plain, say, say_text
from frontend.training.choosing import choose_one, choose_several, put_choice
from frontend.transport import ApiError, Json

KINDS = ("evaluate", "matrix")
SPLITS = ("test", "all")
MOST_LISTED = 50
STARTED = "generators.started"
MODEL, DATASETS = "generators.model", "generators.datasets"


def show_page() -> None:
    """The list with its form, or the evaluation that the address names."""
    if started := st.session_state.pop(STARTED, None):
        st.query_params["id"] = started
    st.title(say("generators.title"))
    if evaluation_id := asked():
        st.page_link("screens/generators.py", label=say("generators.back"), icon=":material/arrow_back:")
        show_one(evaluation_id)
        return
    st.write(say("generators.intro"))
    show_running()
    show_form()
    show_past()


def show_one(evaluation_id: str) -> None:
    """An evaluation, or the job that makes it: both have one id."""
    try:
        found = client().evaluation(evaluation_id)
    except ApiError as error:
        if error.status != 404:
            raise
        show_job(client().job(evaluation_id))
        return
    st.subheader(plain(describe(found)))
    st.caption(say("generators.when", date=moment(found["created_at"])))
    show_evaluation(found)
    show_action(say("generators.delete"), evaluation_id, client().delete_evaluation, "delete", ":material/delete:")


def show_job(job: Json) -> None:
    """An evaluation that is under way, or why there is none."""
    st.subheader(plain(title_of(job, dataset_names())))
    if job["state"] not in FINISHED:
        follow_job(job["id"])
    elif job["state"] == "done":
        st.info(say("generators.gone"))
    else:
        show_reason(job)
        show_retry(job, primary=True)


def show_running() -> None:
    """Links to the evaluations that are under way."""
    states = ("running", "queued")
    jobs = [job for kind in KINDS for state in states for job in client().jobs(kind=kind, state=state)["items"]]
    if not jobs:
        return
    names = dataset_names()
    with st.container(border=True):
        st.markdown(say("generators.running"))
        for job in jobs:
            st.page_link(
                "screens/generators.py",
                label=plain(title_of(job, names)),
                icon=":material/progress_activity:",
                query_params={"id": job["id"]},
            )


def show_form() -> None:
    """What to measure, on what, and the button."""
    models = {str(card["id"]): str(card["name"]) for card in pages(client().models)}
    datasets = {str(info["id"]): info for info in pages(client().datasets)}
    if not datasets or not models:
        st.info(say("generators.nothing"))
        st.page_link("screens/datasets.py", label=say("train.to_data"), icon=":material/photo_library:")
        return
    if (wanted := asked("model")) in models:
        put_choice(MODEL, wanted)
    kind = choose_one(
        say("generators.kind"),
        KINDS,
        "generators.kind",
        format_func=lambda name: say_text(f"generators.kind.{name}"),
    )
    st.caption(say(f"generators.kind.{kind}.help"))
    model_id, split = "", SPLITS[0]
    if kind == "evaluate":
        model_id = choose_one(say("generators.model"), list(models), MODEL, format_func=lambda id: models.get(id, id))
        split = choose_one(
            say("generators.split"),
            SPLITS,
            "generators.split",
            format_func=lambda name: say_text(f"generators.split.{name}"),
        )
    chosen = choose_several(
        say("generators.datasets"),
        list(datasets),
        DATASETS,
        format_func=lambda id: str(datasets[id]["name"]) if id in datasets else str(id),
        default=[],
        placeholder=say_text("generators.datasets.choose"),
    )
    only = choose_generators([datasets[id] for id in chosen]) if kind == "matrix" else []
    ready = bool(chosen) and len(only) != 1
    if st.button(say("generators.start"), type="primary", icon=":material/play_arrow:", disabled=not ready):
        if kind == "evaluate":
            start(lambda: client().evaluate(str(model_id), chosen, split=str(split)))
        else:
            start(lambda: client().cross_evaluate(chosen, generators=only or None))


def choose_generators(datasets: Sequence[Json]) -> list[str]:
    """Those of the data sets' generators that stand against each other; none for all."""
    names = sorted({name for info in datasets for name in info["generators"] if name})
    if len(names) < 3:
        return []
    return choose_several(
        say("generators.only"),
        names,
        "generators.only",
        format_func=str,
        default=[],
        placeholder=say_text("generators.only.all"),
        help=say("generators.only.help"),
    )


def start(submit: Callable[[], Json]) -> None:
    """Starts the job and shows it; what the service refuses stands below the button."""
    try:
        job = submit()
    except ApiError as error:
        show_error(error)
        return
    st.session_state[STARTED] = job["id"]
    st.rerun()


def show_past() -> None:
    """The newest evaluations, each a link."""
    st.subheader(say("generators.past"))
    found = client().evaluations(limit=MOST_LISTED)["items"]
    if not found:
        st.caption(say("generators.past.none"))
    for item in found:
        icon = ":material/grid_on:" if item["kind"] == "matrix" else ":material/leaderboard:"
        label = f"{plain(describe(item))} · {plain(moment(item['created_at']))}"
        st.page_link("screens/generators.py", label=label, icon=icon, query_params={"id": item["id"]})


def describe(found: Json) -> str:
    """What an evaluation is about, as text."""
    datasets = ", ".join(str(info["name"]) for info in found["datasets"])
    if found["kind"] == "matrix":
        return say_text("generators.item.matrix", datasets=datasets)
    return say_text("generators.item.evaluate", model=found["model_name"], datasets=datasets)


run_page(show_page)
