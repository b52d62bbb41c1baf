"""Images on their way into a data set: the upload, then the import job, then what one can do with the result."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from frontend.calls.jobs import FINISHED
from frontend.data.transfers import Transfer
from frontend.formatting import size
from frontend.job_view import reason_of
from frontend.progress import follow_job
from frontend.session import client, explain
from frontend.texts import plain, say
from frontend.transport import ApiError, Json

FOLLOWED, SENDING = "imports.followed", "imports.sending"
LOOK_EVERY_S = 3.0


@dataclass(frozen=True)
class Followed:
    """An import that this visitor has seen running: its outcome is shown until they put it away."""

    job_id: str
    name: str


def sending() -> Transfer | None:
    """This visitor's upload, under way or ended with an error."""
    found: Transfer | None = st.session_state.get(SENDING)
    return found


def follow_import(job_id: str, name: str) -> None:
    """Shows the job that imports data set `name` from now on, to its end and its outcome."""
    followed = st.session_state.setdefault(FOLLOWED, [])
    if all(known.job_id != job_id for known in followed):
        followed.append(Followed(job_id, name))


def running_imports() -> list[Json]:
    """Import jobs that run or wait, whoever started them."""
    service = client()
    return [job for state in ("running", "queued") for job in service.jobs(kind="import", state=state)["items"]]


def show_imports() -> None:
    """Every import that runs, also after a reload, and those that ended while this visitor watched."""
    running = running_imports()
    for job in running:
        follow_import(str(job["id"]), str(job["params"].get("name", "")))
    known = {str(job["id"]): job for job in running}
    for followed in list(st.session_state.get(FOLLOWED, [])):
        shown = known.get(followed.job_id) or _job(followed)
        if shown is not None:
            with st.container(border=True):
                _show_job(shown, followed)
    look_for_imports(frozenset(known))


@st.fragment(run_every=LOOK_EVERY_S)
def look_for_imports(known: frozenset[str]) -> None:
    """Draws the page anew when an import began that it does not show yet, such as one from another tab."""
    try:
        found = {str(job["id"]) for job in running_imports()}
    except ApiError:
        return  # the page says so by itself when it is drawn the next time
    if found - known:
        st.rerun()


@st.fragment(run_every=0.5)
def follow_transfer(transfer: Transfer) -> None:
    """The upload's bytes, anew twice a second; when it ends the whole page is drawn again."""
    if transfer.ended:
        st.rerun()
    done, total = transfer.sent, transfer.total
    if total and done >= total:
        text = say("import.received", name=transfer.name)
    else:
        text = say("import.sending", name=transfer.name, sent=size(done), total=size(total) if total else "–")
    st.progress(min(done / total, 1.0) if total else 0.0, text=text)
    if st.button(say("import.stop"), key="import.stop", icon=":material/stop_circle:"):
        transfer.stop()


def _job(followed: Followed) -> Json | None:
    try:
        return client().job(followed.job_id)
    except ApiError as error:
        if error.status != 404:
            raise
        _forget(followed.job_id)
        return None


def _show_job(job: Json, followed: Followed) -> None:
    if job["state"] not in FINISHED:
        st.write(say("import.running", name=followed.name))
        follow_job(job["id"])
        return
    if job["state"] == "done":
        dataset_id = str((job["result"] or {})["dataset_id"])
        st.success(say("import.done", name=followed.name), icon=":material/check_circle:")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.page_link(
                "screens/dataset.py",
                label=say("dataset.look"),
                icon=":material/search:",
                query_params={"id": dataset_id},
            )
            st.page_link(
                "screens/train.py",
                label=say("dataset.train"),
                icon=":material/model_training:",
                query_params={"dataset": dataset_id},
            )
            _put_away(followed)
        return
    if job["state"] == "failed":
        st.error(say("import.failed", name=followed.name, reason=reason_of(job)))
    else:
        st.info(say("import.cancelled", name=followed.name))
    _put_away(followed)


def _put_away(followed: Followed) -> None:
    label, key = say("import.put_away"), f"put_away.{followed.job_id}"
    st.button(label, key=key, type="tertiary", icon=":material/close:", on_click=_forget, args=(followed.job_id,))


def _forget(job_id: str) -> None:
    st.session_state[FOLLOWED] = [known for known in st.session_state.get(FOLLOWED, []) if known.job_id != job_id]


def show_end(transfer: Transfer, *, kept: bool) -> None:
    """Why an upload came to nothing; `kept` tells whether the form still holds its files."""
    files = say("import.kept") if kept else say("import.lost")
    if transfer.stopped:
        st.info(f"{say('import.stopped')} {files}")
    elif transfer.error is None:
        st.error(f"{say('import.broke_off')} {files}")
    else:
        show_refusal(transfer.error, files)


def show_refusal(error: ApiError, files: str = "") -> None:
    """Why the service did not take what was sent, and what became of the `files` that were chosen."""
    if error.status == 0:
        st.error(f"{say('import.unreached', detail=error.detail)} {files}")
    else:
        st.error(f"{plain(explain(error))} {files}")
