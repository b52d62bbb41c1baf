"""One job: how it stands, why it failed, what was asked, what it made. Its address can be shared."""

from __future__ import annotations

import streamlit as st

from frontend.calls.jobs import FINISHED
from frontend.formatting import moment
from frontend.job_view import (
    dataset_names,
    describe_source,
    kind_of,
    show_reason,
    show_retry,
    show_state,
    title_of,
    took,
)
from frontend.progress import follow_job
from frontend.session import asked, client, run_page
from frontend.texts import plain, say, say_text
from frontend.training.setting_words import describe_config, label_of
from frontend.transport import Json


def show_page() -> None:
    """The page from top to bottom."""
    st.page_link("screens/jobs.py", label=say("job.to_jobs"), icon=":material/arrow_back:")
    if not (job_id := asked()):
        st.title(say("nav.job"))
        st.info(say("job.choose"))
        return
    job, names = client().job(job_id), dataset_names()
    st.title(plain(title_of(job, names)))
    show_state(job)
    if job["state"] in FINISHED:
        show_reason(job)
        show_retry(job, primary=True)
        show_made(job, names)
    else:
        follow_job(job_id)
    st.subheader(say("job.facts"))
    show_rows(facts_of(job), say_text("job.facts"))
    st.subheader(say("job.params"))
    show_rows(params_of(job, names), say_text("job.params"))
    if notes := (job["params"].get("config") or {}).get("notes"):
        st.markdown(f"**{say('setting.notes')}**")
        st.text(notes)
    with st.expander(say("job.raw")):
        st.json(job)


def show_made(job: Json, names: dict[str, str]) -> None:
    """Links to the model and the data set that a job made or used, where they are known."""
    result = job["result"] or {}
    dataset_id = str(result.get("dataset_id") or job["params"].get("dataset_id") or "")
    with st.container(horizontal=True):
        if model_id := result.get("model_id"):
            address = {"id": str(model_id)}
            st.page_link(
                "screens/model.py", label=say("job.open_model"), icon=":material/leaderboard:", query_params=address
            )
        if evaluation_id := result.get("evaluation_id"):
            st.page_link(
                "screens/generators.py",
                label=say("job.open_evaluation"),
                icon=":material/grid_on:",
                query_params={"id": str(evaluation_id)},
            )
        if "fingerprint_id" in result:
            label = say("fingerprints.open")
            st.page_link("screens/fingerprints.py", label=label, icon=":material/fingerprint:")
        if job["kind"] == "fit":
            st.page_link(
                "screens/train.py",
                label=say("job.open_training"),
                icon=":material/model_training:",
                query_params={"job": job["id"]},
            )
        if dataset_id in names:
            st.page_link(
                "screens/dataset.py",
                label=say("job.open_dataset"),
                icon=":material/photo_library:",
                query_params={"id": dataset_id},
            )


def facts_of(job: Json) -> list[tuple[str, str]]:
    """Name and value, as text, of what is known of its course."""
    rows = [
        (say_text("job.kind"), kind_of(job)),
        (say_text("job.created"), moment(job["created_at"])),
        (say_text("job.started"), moment(job["started_at"])),
        (say_text("job.finished"), moment(job["finished_at"])),
        (say_text("job.took"), took(job)),
        (say_text("job.attempts"), str(job["attempts"])),
        (say_text("job.id"), str(job["id"])),
    ]
    return [*rows, (say_text("job.error_code"), str(job["error_code"]))] if job["error_code"] else rows


def params_of(job: Json, names: dict[str, str]) -> list[tuple[str, str]]:
    """Name and value, as text, of what the job was asked to do."""
    params, rows = job["params"], []
    if dataset_id := params.get("dataset_id"):
        rows.append((say_text("job.dataset"), names.get(dataset_id, str(dataset_id))))
    if ids := params.get("dataset_ids"):
        rows.append((say_text("generators.datasets"), ", ".join(names.get(id, str(id)) for id in ids)))
    if name := params.get("name"):
        rows.append((say_text("job.dataset"), str(name)))
    if source := params.get("source"):
        rows.append((say_text("job.source"), describe_source(source)))
    if config := params.get("config"):
        rows += describe_config(client().options(), config)
    rest = set(params) - {"dataset_id", "dataset_ids", "name", "source", "config"}
    return rows + [(label_of(name), str(params[name])) for name in sorted(rest)]


def show_rows(rows: list[tuple[str, str]], alternative: str) -> None:
    """A table of names and values."""
    columns = {say("job.name"): [plain(name) for name, _ in rows], say("job.value"): [plain(v) for _, v in rows]}
    st.table(columns, hide_index=True, hide_header=True, border="horizontal", alt=alternative)


run_page(show_page)
