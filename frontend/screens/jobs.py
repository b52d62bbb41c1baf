"""Jobs: what runs, what ended, what failed and why; cancel and try again."""

from __future__ import annotations

import math

import streamlit as st

from frontend.formatting import moment
from frontend.job_view import dataset_names, show_cancel, show_reason, show_retry, show_state, title_of, took
from frontend.progress import describe_progress, share_done
from frontend.session import client, run_page, show_error
from frontend.texts import plain, say, say_text
from frontend.training.choosing import choose_one
from frontend.transport import ApiError, Json

EVERY_S = 2.0
PER_PAGE = 20
MOST_NOW = 50  # unfinished jobs that are shown with their progress; the number of the others is told
STATES = ("queued", "running", "done", "failed", "cancelled")
KINDS = ("import", "fit", "evaluate", "matrix", "profile", "robustness")
ALL = ""


def show_page() -> None:
    """The page from top to bottom."""
    st.title(say("jobs.title"))
    st.write(say("jobs.intro"))
    state, kind = choose_filters()
    busy = bool(unfinished()[0])
    st.fragment(show_lists, run_every=EVERY_S if busy else None)(state, kind, busy)


def choose_filters() -> tuple[str | None, str | None]:
    """State and kind of the jobs to show; None for all."""
    with st.container(horizontal=True):
        return _choose("state", STATES), _choose("kind", KINDS)


def _choose(name: str, values: tuple[str, ...]) -> str | None:
    chosen = choose_one(
        say(f"jobs.{name}"),
        [ALL, *values],
        f"jobs.{name}",
        format_func=lambda value: say_text("jobs.all" if value == ALL else f"job.{name}.{value}"),
        width=220,
    )
    return None if chosen == ALL else str(chosen)


def unfinished() -> tuple[list[Json], int]:
    """Running and waiting jobs, those that run first, and the number of all that there are."""
    found = [client().jobs(state=state, limit=MOST_NOW) for state in ("running", "queued")]
    return [*found[0]["items"], *reversed(found[1]["items"])], found[0]["total"] + found[1]["total"]


def show_lists(state: str | None, kind: str | None, refreshing: bool) -> None:
    """Unfinished jobs with their progress, then a page of the others. `refreshing`: it is drawn again by itself."""
    try:
        jobs, total = unfinished()
        names = dataset_names()
        if bool(jobs) != refreshing:
            st.rerun()  # the whole page: it begins or ends to refresh itself, and the sidebar counts anew
        if state in (None, "running", "queued"):
            wanted = [job for job in jobs if state in (None, job["state"]) and kind in (None, job["kind"])]
            show_now(wanted, total - len(jobs), names)
        if state not in ("running", "queued"):
            show_past(state, kind, names)
    except ApiError as error:
        if error.status == 0 and refreshing:
            st.warning(say("job.outage"))
        else:
            show_error(error)


def show_now(jobs: list[Json], more: int, names: dict[str, str]) -> None:
    """What is under way, each with its bar and a button that stops it."""
    st.subheader(say("jobs.now"))
    if not jobs:
        st.caption(say("jobs.now.none"))
    for job in jobs:
        with st.container(border=True):
            show_head(job, names)
            if job["state"] != "queued":  # many may wait: their badge says so
                st.progress(share_done(job), text=plain(describe_progress(job)))
            show_cancel(job)
    if more:
        st.caption(say("jobs.now.more", count=more))


def show_past(state: str | None, kind: str | None, names: dict[str, str]) -> None:
    """A page of the jobs that ended, newest first."""
    st.subheader(say("jobs.past"))
    place = st.container()
    key = f"jobs.page.{state}.{kind}"
    offset = (int(st.session_state.get(key, 1)) - 1) * PER_PAGE
    page = client().jobs(state=state, kind=kind, limit=PER_PAGE, offset=offset)
    ended = [job for job in page["items"] if job["finished_at"]]
    with place:
        if not page["total"]:
            st.info(say("jobs.none" if state is None and kind is None else "jobs.past.none"))
        for job in ended:
            with st.container(border=True):
                show_head(job, names)
                if job["state"] == "failed":
                    show_reason(job)
                show_retry(job)
    if page["total"] > PER_PAGE:
        st.pagination(math.ceil(page["total"] / PER_PAGE), key=key)
        last = min(offset + PER_PAGE, page["total"])
        st.caption(say("pages.position", first=offset + 1, last=last, total=page["total"]))


def show_head(job: Json, names: dict[str, str]) -> None:
    """State, a link named by what the job is about, and its times."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        show_state(job)
        st.page_link("screens/job.py", label=plain(title_of(job, names)), query_params={"id": job["id"]})
    times = {"created": moment(job["created_at"]), "duration": took(job)}
    if not job["started_at"]:
        st.caption(say("jobs.waiting", created=times["created"]))
    else:
        st.caption(say("jobs.times" if job["finished_at"] else "jobs.running", **times))


run_page(show_page)
