"""Enrolling a source of images: the form, the upload, the job and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from frontend.calls.jobs import FINISHED
from frontend.client import pages
from frontend.data.imports import follow_transfer, show_refusal
from frontend.data.transfers import MAX_NAME, Transfer, start_sending
from frontend.formatting import count, size
from frontend.job_view import dataset_names, reason_of, title_of
from frontend.progress import follow_job
from frontend.session import client, show_error
from frontend.texts import plain, say, say_option, say_text
from frontend.training.choosing import choose_one
from frontend.transport import ApiError, Json
from frontend.uploads import OnSent, Upload

FOLLOWED, SENDING = "fingerprints.followed", "fingerprints.sending"
WAYS = ("upload", "dataset")
LABELS = ("FAKE", "REAL")
FEWEST, ADVISED = 10, 200
MIB = 1 << 20


def show_enrolments() -> None:
    """The upload and the enrolments that are under way, and those that ended while this visitor watched."""
    transfer: Transfer | None = st.session_state.get(SENDING)
    if transfer is not None:
        show_transfer(transfer)
    try:
        running = [
            job for state in ("running", "queued") for job in client().jobs(kind="fingerprint", state=state)["items"]
        ]
    except ApiError as error:
        if error.status not in (401, 403):
            raise
        return  # a key that may only ask
    followed = st.session_state.setdefault(FOLLOWED, [])
    followed += [job["id"] for job in running if job["id"] not in followed]
    known = {job["id"]: job for job in running}
    names = dataset_names() if known else {}
    for job_id in list(followed):
        job = known.get(job_id) or _job(job_id)
        if job is None:
            _forget(job_id)
        elif job["state"] in FINISHED:
            show_end(job)
        else:
            with st.container(border=True):
                st.markdown(plain(title_of(job, names)))
                follow_job(job_id)


def _job(job_id: str) -> Json | None:
    try:
        return client().job(job_id)
    except ApiError as error:
        if error.status != 404:
            raise
        return None


def show_transfer(transfer: Transfer) -> None:
    """The upload's bytes; when it has arrived its job is followed, when it was refused the reason stands here."""
    if not transfer.ended:
        follow_transfer(transfer)
        return
    del st.session_state[SENDING]
    if transfer.job_id:
        st.session_state.setdefault(FOLLOWED, []).append(transfer.job_id)
    elif transfer.error is not None:
        show_refusal(transfer.error)
    elif not transfer.stopped:
        st.error(say("import.broke_off"))


def show_end(job: Json) -> None:
    """What came of an enrolment, until the visitor puts it away."""
    generator = str(job["params"].get("generator", ""))
    if job["state"] == "done":
        st.success(say("fingerprints.enrolled", generator=generator), icon=":material/check_circle:")
    elif job["state"] == "failed":
        st.error(say("fingerprints.failed", generator=generator, reason=reason_of(job)))
    else:
        st.info(say("job.was_cancelled"))
    st.button(say("import.put_away"), key=f"put_away.{job['id']}", type="tertiary", on_click=_forget, args=(job["id"],))


def show_form(denoisers: Mapping[str, str], limits: Json) -> None:
    """Name, kind, images, and the button."""
    st.caption(say("fingerprints.enrol.how", fewest=count(FEWEST), advised=count(ADVISED)))
    generator = st.text_input(say("fingerprints.name"), key="fingerprints.name", max_chars=MAX_NAME).strip()
    label = choose_one(
        say("fingerprints.label"),
        LABELS,
        "fingerprints.label",
        format_func=lambda name: say_text(f"fingerprints.label.{name}"),
    )
    denoiser = choose_one(
        say("fingerprints.denoiser"),
        list(denoisers),
        "fingerprints.denoiser",
        format_func=lambda name: say_option(f"fingerprints.denoiser.{name}", denoisers[name]),
        help=say("fingerprints.denoiser.help"),
    )
    way = choose_one(
        say("fingerprints.way"),
        WAYS,
        "fingerprints.way",
        format_func=lambda name: say_text(f"fingerprints.way.{name}"),
    )
    if way == "upload":
        _show_upload(generator, label, denoiser, limits)
    else:
        _show_datasets(generator, label, denoiser)


def _show_upload(generator: str, label: str, denoiser: str, limits: Json) -> None:
    files = st.file_uploader(
        say("fingerprints.files", size=size(limits["max_upload_bytes"])),
        accept_multiple_files=True,
        max_upload_size=max(1, int(limits["max_upload_bytes"]) // MIB),
        key="fingerprints.enrol.files",
    )
    zips = [file for file in files if file.name.lower().endswith(".zip")]
    if zips and len(files) > 1:
        st.error(say("add.archive.one"))
        return
    busy = st.session_state.get(SENDING) is not None
    if _ask_start(ready=bool(files) and not busy, generator=generator):
        contents = [(file.name, file.getvalue()) for file in files]
        upload = Upload(archive=contents[0]) if zips else Upload(files=contents)
        service = client()

        def send(on_sent: OnSent) -> Json:
            return service.enrol_fingerprint_images(generator, upload, label=label, denoiser=denoiser, on_sent=on_sent)

        st.session_state[SENDING] = start_sending(generator, send)
        st.rerun()


def _show_datasets(generator: str, label: str, denoiser: str) -> None:
    datasets = {str(info["id"]): info for info in pages(client().datasets)}
    if not datasets:
        st.info(say("fingerprints.no_datasets"))
        return
    chosen = choose_one(
        say("fingerprints.dataset"),
        list(datasets),
        "fingerprints.dataset",
        format_func=lambda id: str(datasets[id]["name"]) if id in datasets else str(id),
    )
    of: str | None = None
    names = sorted(name for name in datasets[chosen]["generators"] if name)
    if label == "FAKE" and names:
        of = choose_one(
            say("fingerprints.of"),
            [None, *names],
            "fingerprints.of",
            format_func=lambda name: say_text("fingerprints.of.all") if name is None else str(name),
        )
    if _ask_start(ready=True, generator=generator):
        _start(
            lambda: client().enrol_fingerprint(generator, chosen, source_generator=of, label=label, denoiser=denoiser)
        )


def _ask_start(*, ready: bool, generator: str) -> bool:
    pressed = st.button(
        say("fingerprints.enrol"), type="primary", icon=":material/fingerprint:", disabled=not ready, key="enrol.start"
    )
    if pressed and not generator:
        st.error(say("fingerprints.unnamed"))
    return pressed and bool(generator)


def _start(submit: Callable[[], Json]) -> None:
    try:
        job = submit()
    except ApiError as error:
        show_error(error)
        return
    st.session_state.setdefault(FOLLOWED, []).append(job["id"])
    st.rerun()


def _forget(job_id: str) -> None:
    st.session_state[FOLLOWED] = [known for known in st.session_state.get(FOLLOWED, []) if known != job_id]
