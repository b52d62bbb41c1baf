"""Train a detector: a form, then the job as it goes on, then its result. ?dataset= preselects, ?job= finds it again."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

import streamlit as st

from frontend.calls.jobs import FINISHED
from frontend.client import pages
from frontend.formatting import count, duration, rate
from frontend.job_view import dataset_names, show_action, show_reason, show_retry, title_of
from frontend.models.enrolment import show_gain
from frontend.models.figures import show_result
from frontend.progress import follow_job
from frontend.session import asked, client, run_page, show_error
from frontend.texts import plain, say, say_known, say_text
from frontend.training.audit import show_audit
from frontend.training.choosing import choose_one, put_choice, widget_of
from frontend.training.fields import PREFIX, fill_fields, show_fields
from frontend.training.form import build_config, obstacle_in_choices, obstacle_in_data, read_config
from frontend.training.setting_words import label_of
from frontend.transport import ApiError, Json

DATASET = f"{PREFIX}dataset"
# Of the session: the job that was just started here, and the job whose settings the fields hold.
STARTED, FILLED = f"{PREFIX}started", f"{PREFIX}filled"


def show_page() -> None:
    """The page from top to bottom."""
    if started := st.session_state.pop(STARTED, None):  # a second click while it started makes no second job
        st.query_params["job"] = started
    st.title(say("train.title"))
    if not (job_id := asked("job")):
        st.write(say("train.intro"))
        show_running()
        show_form()
        return
    try:
        job = client().job(job_id)
    except ApiError as error:
        if error.status != 404:
            raise
        show_error(error)
        show_form()
        return
    show_job(job)


def show_running() -> None:
    """Links to the trainings that are under way."""
    jobs = [job for state in ("running", "queued") for job in client().jobs(kind="fit", state=state, limit=5)["items"]]
    if not jobs:
        return
    names = dataset_names()
    with st.container(border=True):
        st.markdown(say("train.running"))
        for job in jobs:
            link_to_job("screens/train.py", job, names, {"job": job["id"]})


def link_to_job(page: str, job: Json, names: dict[str, str], address: dict[str, str]) -> None:
    """A link named by what the job is about."""
    st.page_link(page, label=plain(title_of(job, names)), icon=":material/progress_activity:", query_params=address)


def show_form() -> None:
    """The fields, what will happen, what stands in the way, and the button."""
    options, datasets = client().options(), list(pages(client().datasets))
    if not datasets:
        st.info(say("train.no_dataset"))
        st.page_link("screens/datasets.py", label=say("train.to_data"), icon=":material/photo_library:")
        return
    dataset = choose_dataset(datasets)
    chosen = show_fields(options)
    obstacle = obstacle_in_data(dataset, int(options["limits"]["min_images_per_class"])) or obstacle_in_choices(chosen)
    if obstacle is None:
        st.caption(say("train.plan", images=count(dataset["images"])))
        if twins := dataset["duplicates"]["crossing_train_test"]:
            st.caption(say("train.plan.twins", images=count(twins)))
    else:
        values = {name: label_of(str(v)) if name == "setting" else v for name, v in obstacle.values.items()}
        st.warning(say(obstacle.key, **values))
    audit = st.container()  # filled after the button, which thus never waits for it
    if st.button(say("train.start"), type="primary", icon=":material/play_arrow:", disabled=obstacle is not None):
        start(str(dataset["id"]), build_config(options, chosen))
    if obstacle is None:
        with audit:
            show_audit(dataset)


def choose_dataset(datasets: list[Json]) -> Json:
    """The data set to train on, which is also in the page's address."""
    known = {str(info["id"]): info for info in datasets}
    wanted = asked("dataset")
    if wanted in known:
        put_choice(DATASET, wanted)
    elif wanted:
        st.warning(say("train.dataset.gone", dataset=wanted))
    chosen = choose_one(
        say("train.dataset"),
        list(known),
        DATASET,
        format_func=lambda id: say_text(
            "train.dataset.item", name=known[id]["name"], images=count(known[id]["images"])
        ),
        help=say("train.dataset.help"),
        on_change=_put_dataset_into_address,
    )
    sums = {label: sum(split.get(label, 0) for split in known[chosen]["counts"].values()) for label in ("REAL", "FAKE")}
    st.caption(say("train.dataset.counts", real=count(sums["REAL"]), fake=count(sums["FAKE"])))
    return known[chosen]


def _put_dataset_into_address() -> None:
    st.query_params["dataset"] = st.session_state[widget_of(DATASET)]


def start(dataset_id: str, config: Json) -> None:
    """Starts the fit and shows it; what the service refuses stands below the button, the fields as they were."""
    try:
        job_id = client().fit(dataset_id, config)["id"]
    except ApiError as error:
        show_error(error)
        for fault in error.errors:
            st.caption(plain(" ".join(str(value) for value in fault.values())))
        return
    st.session_state[FILLED] = st.session_state[STARTED] = job_id
    st.rerun()


def show_job(job: Json) -> None:
    """A fit as it goes on, its result, or why there is none, with the form once more."""
    if job["kind"] != "fit":
        st.warning(say("train.not_a_fit"))
        link_to_details(job)
        return
    st.subheader(plain(title_of(job, dataset_names())))
    if job["state"] not in FINISHED:
        follow_job(job["id"])
        st.caption(say("train.follow"))
    elif job["state"] == "done":
        show_model(job)
    else:
        show_reason(job)
        show_retry(job, primary=True)
    if job["state"] != "done":
        link_to_details(job)
    if job["state"] in ("failed", "cancelled"):
        st.subheader(say("train.again"), divider="gray")
        st.caption(say("train.again.help"))
        fill_from(job)
        show_form()


def link_to_details(job: Json) -> None:
    """The way to all that is known of a job."""
    address, icon = {"id": job["id"]}, ":material/list_alt:"
    st.page_link("screens/job.py", label=say("train.details"), icon=icon, query_params=address)


def _leave_job(job: Json) -> None:
    with suppress(ApiError):  # the fields stay as they are then, and the page says what is wrong with the service
        fill_from(job)
    del st.query_params["job"]


def fill_from(job: Json) -> None:
    """Puts the settings of a job into the fields, once: what is changed afterwards stays."""
    if st.session_state.get(FILLED) == job["id"]:
        return
    fill_fields(client().options(), read_config(client().options(), job["params"]["config"]))
    if dataset_id := job["params"].get("dataset_id"):
        put_choice(DATASET, dataset_id)
        st.query_params["dataset"] = dataset_id
    st.session_state[FILLED] = job["id"]


def show_model(job: Json) -> None:
    """What a finished fit made: how good it is, how long it took, and what to do with it."""
    try:
        card = client().model(job["result"]["model_id"])
    except ApiError as error:
        if error.status != 404:
            raise
        st.warning(say("train.model_gone"))
        link_to_details(job)
        return
    st.success(say("train.done", name=card["name"]), icon=":material/check_circle:")
    test = card["metrics"]["test"]
    if test is None:
        st.markdown(say("train.done.unmeasured"))
    else:
        low, high = test["intervals"]["accuracy"]
        figures = {"accuracy": rate(test["accuracy"]), "low": rate(low), "high": rate(high), "images": count(test["n"])}
        st.markdown(say("train.done.accuracy", **figures))
    show_gain(card)
    show_next_steps(card, job)
    show_result(card)
    if test is not None:
        show_confusion(test["confusion"])
    show_timings(card["timings"])


def show_next_steps(card: Json, job: Json) -> None:
    """Buttons: use the model, look at it, train another one."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if card["active"]:
            st.page_link("screens/predict.py", label=say("train.to_check"), icon=":material/image_search:")
        else:
            icon = ":material/check:"
            show_action(say("train.use"), card["id"], client().set_active, "use", icon, primary=True)
        address = {"id": card["id"]}
        st.page_link("screens/model.py", label=say("train.open"), icon=":material/leaderboard:", query_params=address)
        link_to_details(job)
        st.button(say("train.another"), icon=":material/add:", on_click=_leave_job, args=(job,))
    if card["active"]:
        st.info(say("train.in_use"), icon=":material/check:")


def show_confusion(cells: Json) -> None:
    """The four counts of the test images."""
    st.markdown(f"**{say('train.confusion')}**")
    columns: dict[str, list[Any]] = {
        say("train.confusion.label"): ["REAL", "FAKE"],
        say("train.confusion.real"): [count(cells["tn"]), count(cells["fn"])],
        say("train.confusion.fake"): [count(cells["fp"]), count(cells["tp"])],
    }
    st.table(columns, border="horizontal", hide_index=True, alt=say_text("train.confusion"))


def show_timings(timings: Json) -> None:
    """The seconds of each step."""
    st.markdown(f"**{say('train.timings')}**")
    taken = {name: float(seconds) for name, seconds in timings.items() if seconds or name != "import_s"}
    steps = [plain(say_known(f"timing.{name}", name)) for name in taken]
    rows = [plain(duration(seconds)) for seconds in (*taken.values(), sum(taken.values()))]
    columns = {say("train.step"): [*steps, say("timing.total")], say("train.time"): rows}
    st.table(columns, border="horizontal", hide_index=True, alt=say_text("train.timings"))
    if taken.get("features_s", math.inf) < 0.5:
        st.caption(say("train.features_kept"))


run_page(show_page)
