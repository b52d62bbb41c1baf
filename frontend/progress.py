"""A job as it goes on: what it does, how far it is, how long it takes, and a button that stops it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import streamlit as st

from frontend.calls.jobs import FINISHED
from frontend.formatting import count, duration, size
from frontend.job_view import show_cancel
from frontend.session import client, show_error
from frontend.texts import plain, say, say_known, say_text
from frontend.transport import ApiError, Json

EVERY_S = 1.0
STEPS = {
    "fit": ("import", "fine-tune", "features", "fit", "evaluate"),
    "evaluate": ("features", "evaluate"),
    "matrix": ("features", "matrix"),
    "fingerprint": ("import", "fingerprint"),
}
"""What a person sees of a kind of job, in its order; kinds of one step have no row."""
STEP_OF = {
    "check": "import",
    "download": "import",
    "import": "import",
    "profile": "import",
    "gather": "fine-tune",
    "fine-tune": "fine-tune",
    "features": "features",
    "fit": "fit",
    "choose C": "fit",
    "kernel features": "fit",
    "fit head": "fit",
    "calibrate": "fit",
    "evaluate": "evaluate",
    "matrix": "matrix",
    "fingerprint": "fingerprint",
}
"""The step that a stage of the service belongs to."""
ICONS = {
    "done": ":material/check_circle:",
    "now": ":material/progress_activity:",
    "later": ":material/radio_button_unchecked:",
}


@dataclass(frozen=True)
class Step:
    """One step of a job, and whether it is over, under way or to come."""

    name: str
    state: Literal["done", "now", "later"]


@st.fragment(run_every=EVERY_S)
def follow_job(job_id: str) -> None:
    """Draws a job that has not ended, anew each second; when it ends the whole page is drawn again.

    Call it for unfinished jobs only. While the service is away it says so and keeps asking.
    """
    try:
        job = client().job(job_id)
    except ApiError as error:
        if error.status != 0:
            show_error(error)
        else:
            st.warning(say("job.outage"))
        return
    if job["state"] in FINISHED:
        st.rerun()
    show_steps(job)
    show_progress(job)
    if job["attempts"] > 1:
        st.caption(say("job.resumed", attempts=job["attempts"]))
    show_cancel(job)


def show_steps(job: Json) -> None:
    """The steps of a job of several, each with its icon and its state in words."""
    steps = steps_of(job)
    if not steps:
        return
    lines = []
    for step in steps:
        text = say("job.step", step=say_text(f"job.stage.{step.name}"), state=say_text(f"job.step.{step.state}"))
        lines.append(f"{ICONS[step.state]} **{text}**" if step.state == "now" else f"{ICONS[step.state]} {text}")
    st.markdown("  \n".join(lines))


def steps_of(job: Json) -> list[Step]:
    """The steps of a job of several; none where it is in a stage that is not known here, which then speaks for itself.

    Images that were there before the job need no import, and most fits leave the network as it is.
    """
    params = job["params"]
    needed = {"import": "source" in params, "fine-tune": bool((params.get("config") or {}).get("finetune"))}
    names = [name for name in STEPS.get(job["kind"], ()) if needed.get(name, True)]
    progress = job["progress"]
    if job["state"] == "queued" or progress is None:
        return [Step(name, "later") for name in names]
    if (current := STEP_OF.get(progress["stage"])) not in names:
        return []
    place = names.index(current)
    return [Step(name, "done" if n < place else "now" if n == place else "later") for n, name in enumerate(names)]


def show_progress(job: Json) -> None:
    """The bar of a job's present stage with what is known of it in words."""
    st.progress(share_done(job), text=plain(describe_progress(job)))


def share_done(job: Json) -> float:
    """The share 0..1 of its present stage that a job has done; 0 where it cannot be told."""
    progress = job["progress"]
    if job["state"] == "queued" or progress is None or not progress["total"]:
        return 0.0
    return min(int(progress["done"]) / int(progress["total"]), 1.0)


def describe_progress(job: Json) -> str:
    """One line of text: the stage, how much of it is done, how fast, and how long it takes still."""
    progress = job["progress"]
    if job["state"] == "queued":
        return say_text("job.queued")
    if progress is None:
        return say_text("job.starting")
    parts = [say_known(f"job.stage.{progress['stage']}", str(progress["stage"])), _amount(progress)]
    if progress["images_per_second"]:
        parts.append(say_text("job.speed", speed=_speed(float(progress["images_per_second"]))))
    if (progress["seconds_left"] or 0.0) >= 1.0 and progress["done"] < progress["total"]:
        parts.append(say_text("job.left", time=duration(float(progress["seconds_left"]))))
    return " · ".join(parts)


def _amount(progress: Json) -> str:
    done, total, stage = int(progress["done"]), int(progress["total"]), progress["stage"]
    if not total:
        return say_text("job.unmeasured")
    if stage == "download":  # counted in bytes
        return say_text("job.done_of", done=size(done), total=size(total))
    if STEP_OF.get(stage) == "fit":  # counted in percent
        return say_text("job.percent", percent=done)
    if stage in ("import", "features", "profile", "robustness", "fingerprint"):
        return say_text("job.images_of", done=count(done), total=count(total))
    return say_text("job.done_of", done=count(done), total=count(total))


def _speed(images_per_second: float) -> str:
    return f"{images_per_second:.1f}" if images_per_second < 10 else f"{images_per_second:.0f}"
