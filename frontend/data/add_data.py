"""The form that adds a data set: an archive, single pictures, or a source that the service knows."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from frontend.data.imports import (
    SENDING,
    follow_import,
    follow_transfer,
    running_imports,
    sending,
    show_end,
    show_refusal,
)
from frontend.data.transfers import free_name, start_transfer, stem_of
from frontend.formatting import count, size
from frontend.session import client
from frontend.texts import plain, say, say_option, say_text
from frontend.transport import ApiError, Json
from frontend.uploads import Upload

MIB = 1 << 20
ROUND, WAY, FILES = "add.round", "add.way", "add.files"
"""In the session: which empty form this is, from which tab the last upload came, and the ids of its files."""

TREE = """\
my_pictures.zip
├── REAL/
│   ├── beach.jpg
│   └── …
└── FAKE/
    ├── midjourney/
    │   └── …
    └── sdxl/
        └── …
"""


def show_add_data(options: Json) -> None:
    """The three ways to add a data set, side by side in tabs; what is chosen in one stays when another is opened."""
    limits = options["limits"]
    st.subheader(say("add.title"))
    archive, pictures, source = st.tabs([say("add.archive"), say("add.pictures"), say("add.source")])
    with archive:
        _show_archive(limits)
    with pictures:
        _show_pictures(limits)
    with source:
        _show_sources(options["sources"])


def _show_archive(limits: Json) -> None:
    st.write(say("add.archive.how"))
    with st.expander(say("add.archive.example"), icon=":material/folder_zip:"):
        st.code(TREE, language=None)
        st.caption(say("add.archive.splits"))
    files = st.file_uploader(
        say("add.archive.choose", size=size(limits["max_upload_bytes"])),
        type=["zip", "parquet"],
        accept_multiple_files=True,
        max_upload_size=max(1, int(limits["max_upload_bytes"]) // MIB),
        key=_key("archive.files"),
    )
    name = _ask_name("archive", stem_of(files[0].name) if files else "")
    fault = _fault_of_archive(files)
    if fault:
        st.error(fault)
    if _ask_start("archive", ready=bool(files) and not fault):
        contents = [(file.name, file.getvalue()) for file in files]  # not getbuffer(): that one copies
        is_zip = files[0].name.lower().endswith(".zip")
        upload = Upload(archive=contents[0]) if is_zip else Upload(parquet=contents)
        _start("archive", name, upload, [file.file_id for file in files], limits)
    _show_way("archive", files)


def _show_pictures(limits: Json) -> None:
    st.write(say("add.pictures.how", fewest=limits["min_images_per_class"], most=count(limits["max_files"])))
    columns = st.columns(2)
    chosen: dict[str, list[UploadedFile]] = {}
    for column, label in zip(columns, ("REAL", "FAKE"), strict=True):
        title = say("add.pictures.real") if label == "REAL" else say("add.pictures.fake")
        chosen[label] = column.file_uploader(
            title,
            accept_multiple_files=True,
            max_upload_size=max(1, int(limits["max_upload_bytes"]) // MIB),
            key=_key(f"pictures.{label}"),
        )
    total = sum(len(files) for files in chosen.values())
    name = _ask_name("pictures", say_text("add.pictures.name") if total else "")
    if total > limits["max_files"]:
        st.error(say("add.pictures.many", count=count(total), most=count(limits["max_files"])))
    if _ask_start("pictures", ready=0 < total <= limits["max_files"]):
        files = [(file.name, file.getvalue()) for label in chosen for file in chosen[label]]
        labels = [label for label in chosen for _ in chosen[label]]
        ids = [file.file_id for label in chosen for file in chosen[label]]
        _start("pictures", name, Upload(files=files, labels=labels), ids, limits)
    _show_way("pictures", [file for label in chosen for file in chosen[label]])


def _show_sources(sources: Sequence[Json]) -> None:
    helps = {str(source["name"]): str(source["help"]) for source in sources}
    chosen = st.radio(
        say("add.source.choose"),
        list(helps),
        format_func=plain,
        captions=[plain(say_option(f"option.source.{name}", text)) for name, text in helps.items()],
        key=_key("source.kind"),
    )
    name = _ask_name("source", chosen or "")
    if _ask_start("source", ready=chosen is not None) and _is_named(name):
        try:
            follow_import(str(client().import_source(name, str(chosen))["id"]), name)
        except ApiError as error:
            show_refusal(error)
        else:
            _begin_anew()
            st.rerun()


def _ask_name(way: str, suggestion: str) -> str:
    """The name in its field: what was typed, else `suggestion`, made unique where it is taken."""
    key, last = _key(f"{way}.name"), _key(f"{way}.suggested")
    if suggestion and st.session_state.get(last, ("",))[0] != suggestion:
        free = free_name(suggestion, _taken_names(suggestion))
        if st.session_state.get(key, "") in ("", st.session_state.get(last, ("", ""))[1]):
            st.session_state[key] = free
        st.session_state[last] = (suggestion, free)
    return st.text_input(say("add.name"), key=key, max_chars=100, persist_state="session").strip()


def _taken_names(name: str) -> list[str]:
    """Names like `name` that data sets and running imports have; none where the service does not say."""
    try:
        known = client().datasets(q=name[:100], limit=200)["items"]
        return [str(item["name"]) for item in known] + [str(job["params"].get("name")) for job in running_imports()]
    except ApiError:
        return []


def _ask_start(way: str, ready: bool) -> bool:
    transfer = sending()
    busy = transfer is not None and not transfer.ended
    pressed = st.button(
        say("add.start"), key=f"add.{way}.start", type="primary", disabled=busy or not ready, icon=":material/upload:"
    )
    return pressed and ready


def _start(way: str, name: str, upload: Upload, file_ids: Sequence[str], limits: Json) -> None:
    """Sends the upload, once everything has been asked that can be known before the bytes travel."""
    st.session_state.pop(SENDING, None)
    if not _is_named(name):
        return
    total = len(upload.form(name=name))
    if total > limits["max_upload_bytes"]:
        st.error(say("add.too_large", size=size(total), most=size(limits["max_upload_bytes"])))
    elif name in _taken_names(name):
        st.error(say("add.name_taken", name=name))
    else:
        st.session_state[WAY], st.session_state[FILES] = way, list(file_ids)
        st.session_state[SENDING] = start_transfer(client(), name, upload)
        st.rerun()


def _show_way(way: str, files: Sequence[UploadedFile]) -> None:
    """What became of the upload that began in this tab, whose form holds `files` now."""
    transfer = sending()
    if transfer is None or st.session_state.get(WAY) != way:
        return
    if not transfer.ended:
        follow_transfer(transfer)
    elif transfer.job_id:
        del st.session_state[SENDING]
        follow_import(transfer.job_id, transfer.name)  # asks nothing: the service may be away just now
        _begin_anew()
        st.rerun()
    else:
        sent = set(st.session_state.get(FILES, []))
        show_end(transfer, kept=sent <= {file.file_id for file in files})


def _is_named(name: str) -> bool:
    if not name:
        st.error(say("add.unnamed"))
    return bool(name)


def _fault_of_archive(files: Sequence[UploadedFile]) -> str:
    zips = [file for file in files if file.name.lower().endswith(".zip")]
    return say("add.archive.one") if zips and len(files) > 1 else ""


def _begin_anew() -> None:
    """The next form is an empty one, and the files that were sent are let go: Streamlit would keep them in memory."""
    context = get_script_run_ctx()
    for file_id in st.session_state.pop(FILES, []):
        if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
            context.uploaded_file_mgr.remove_file(context.session_id, file_id)
    st.session_state[ROUND] = int(st.session_state.get(ROUND, 0)) + 1


def _key(name: str) -> str:
    return f"add.{name}.{st.session_state.get(ROUND, 0)}"
