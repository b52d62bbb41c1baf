"""The service over HTTP: the only file that knows its addresses. Everything comes back as plain JSON values."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from frontend.transport import ANSWER_S, ApiError, Json, Transport
from frontend.uploads import Content, FilePart, Multipart, OnSent

Image = tuple[str, Content]
"""File name and content of an image that is sent."""


@dataclass(frozen=True)
class Upload:
    """Images to send in one of three ways: a zip, Parquet files, or single files with a label each.

    A path is read while it is sent, never whole. `labels` has "REAL" or "FAKE" for each of `files`, in their order.
    """

    archive: Path | Image | None = None
    parquet: Sequence[Path | Image] = ()
    files: Sequence[Image] = ()
    labels: Sequence[str] | None = None

    def form(self, *, on_sent: OnSent | None = None, **fields: str | Json | None) -> Multipart:
        """The form that the service reads, with these fields; `on_sent` hears of its bytes on their way."""
        labels = None if self.labels is None else list(self.labels)
        return Multipart(
            {**fields, "labels": labels},
            [
                *_parts("archive", [_named(self.archive)] if self.archive is not None else []),
                *_parts("parquet", [_named(file) for file in self.parquet]),
                *_parts("files", self.files),
            ],
            on_sent,
        )


DEFAULT_URL = "http://127.0.0.1:8000"
NOT_READY = "unavailable.not_ready"
FINISHED = frozenset({"done", "failed", "cancelled"})


class Client:
    """Calls of the service at `base_url` (by default DEEPFAKE_API_URL, else port 8000 here). Safe between threads.

    `api_key` (by default DEEPFAKE_API_KEY, else what the file DEEPFAKE_API_KEY_FILE holds) is sent as a bearer token,
    for a service that asks for one.
    """

    def __init__(self, base_url: str | None = None, api_key: str | None = None) -> None:
        self.base_url = (base_url or os.environ.get("DEEPFAKE_API_URL") or DEFAULT_URL).rstrip("/")
        self.api_key = api_key or os.environ.get("DEEPFAKE_API_KEY") or _key_of_file() or None
        self._http = Transport(self.base_url, self.api_key)

    # what exists

    def health(self) -> Json:
        """`{status: "ok"}` while the service answers at all."""
        return self._http.json("GET", "/health")

    def ready(self) -> Json:
        """`{status: "ready", model_id, checks}`; an ApiError (NOT_READY) where the service cannot predict."""
        return self._http.json("GET", "/ready")

    def options(self) -> Json:
        """Extractors, heads, sources and limits of the service."""
        return self._http.json("GET", "/options")

    def audit(self, *, since: str | None = None, limit: int = 50, offset: int = 0) -> Json:
        """A page of what was changed and by whom, newest first; `since` is a time such as 2026-01-31T12:00:00Z."""
        return self._http.json("GET", "/audit", params={"since": since, "limit": limit, "offset": offset})

    def metrics(self) -> str:
        """Prometheus' text format."""
        return self._http.send("GET", "/metrics").text

    # predictions

    def predict(
        self,
        images: Sequence[Image],
        *,
        model_id: str | None = None,
        explain: bool = False,
        provenance: bool = False,
        stability: bool = False,
    ) -> Json:
        """`{model_id, predictions: [...], errors: [...]}`: one or the other for each image, with its `index`."""
        flags = {"explain": explain, "provenance": provenance, "stability": stability}
        fields = {"model_id": model_id, **{name: flag or None for name, flag in flags.items()}}
        form = Multipart(fields, _parts("files", images))
        try:
            return self._http.json("POST", "/predict", form=form)
        except ApiError as error:
            if not any("filename" in fault for fault in error.errors):
                raise
            return {"model_id": model_id, "predictions": [], "errors": error.errors}  # no file could be answered

    def set_active(self, model_id: str) -> Json:
        """Makes a model the one that predictions use from now on."""
        return self._http.json("POST", "/set", body={"model_id": model_id})

    # data sets

    def datasets(self, *, q: str = "", limit: int = 50, offset: int = 0) -> Json:
        """A page, newest first: `{items, total, limit, offset}`; `q` is looked for in names and ids."""
        return self._http.json("GET", "/datasets", params={"q": q or None, "limit": limit, "offset": offset})

    def dataset(self, dataset_id: str) -> Json:
        """One data set: counts by split and label, generators, duplicates, skipped files."""
        return self._http.json("GET", f"/datasets/{_id(dataset_id)}")

    def import_source(self, name: str, source: str) -> Json:
        """The job that imports a source the service knows, such as "demo", as the data set `name`."""
        return self._http.json("POST", "/datasets", body={"name": name, "source": source})

    def import_images(self, name: str, upload: Upload, *, on_sent: OnSent | None = None) -> Json:
        """The job that imports the images of `upload` as the data set `name`; `on_sent(bytes so far, of all)`."""
        return self._http.json("POST", "/datasets", form=upload.form(name=name, on_sent=on_sent))

    def revise_dataset(self, dataset_id: str, changes: Mapping[int, str], *, version: int | None = None) -> Json:
        """The next version of a data set: image number -> "REAL", "FAKE" or "DROP".

        An ApiError (409) while a job uses it, or where it is not at `version` any more.
        """
        listed = [{"n": number, "label": label} for number, label in changes.items()]
        body = {"changes": listed} | ({} if version is None else {"version": version})
        return self._http.json("PATCH", f"/datasets/{_id(dataset_id)}", body=body)

    def delete_dataset(self, dataset_id: str) -> None:
        """Removes a data set and all that was derived from it, but for models."""
        self._http.send("DELETE", f"/datasets/{_id(dataset_id)}")

    def export_dataset(self, dataset_id: str, target: Path, *, format: str = "zip") -> Path:
        """`target`, with the data set in it; `format` is "zip" or "parquet"."""
        return self._http.download(f"/datasets/{_id(dataset_id)}/export", target, params={"format": format})

    def dataset_images(
        self,
        dataset_id: str,
        *,
        label: str | None = None,
        split: str | None = None,
        generator: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> Json:
        """A page of the data set's images: their rows, not their pixels."""
        params = {"label": label, "split": split, "generator": generator, "limit": limit, "offset": offset}
        return self._http.json("GET", f"/datasets/{_id(dataset_id)}/images", params=params)

    def dataset_image(self, dataset_id: str, number: int) -> bytes:
        """The file of one image as it was imported."""
        return self._http.send("GET", f"/datasets/{_id(dataset_id)}/images/{number}").content

    def thumbnail(self, dataset_id: str, number: int, *, size: int = 128) -> bytes:
        """One image as a JPEG of at most `size` pixels a side."""
        path = f"/datasets/{_id(dataset_id)}/images/{number}/thumbnail"
        return self._http.send("GET", path, params={"size": size}).content

    def eda(self, dataset_id: str, *, wait_s: int = 0, make: bool = True) -> Json:
        """The profile of a data set, or the job that makes it (it has a `state`) after `wait_s` seconds.

        With make=False no job begins: ApiError 404 where there is no profile yet.
        """
        params = {"dataset_id": dataset_id, "wait": wait_s, "make": None if make else "false"}
        return self._http.json("GET", "/eda", params=params, seconds=ANSWER_S + wait_s)

    def eda_images(self, images: Sequence[Image], labels: Sequence[str] | None = None) -> Json:
        """The profile of images that the service does not keep."""
        return self._http.json("POST", "/eda", form=Upload(files=images, labels=labels).form())

    # robustness

    def measure_robustness(self, model_id: str, dataset_id: str, *, images: int = 1000, wait_s: int = 0) -> Json:
        """The job that measures a model on changed copies of test images, or its result within `wait_s` seconds."""
        body = {"model_id": model_id, "dataset_id": dataset_id, "images": images}
        return self._http.json("POST", "/robustness", body=body, params={"wait": wait_s}, seconds=ANSWER_S + wait_s)

    def robustness(self, model_id: str, dataset_id: str) -> Json:
        """What was measured last; an ApiError (404) where nothing was."""
        return self._http.json("GET", "/robustness", params={"model_id": model_id, "dataset_id": dataset_id})

    # fits

    def fit(self, dataset_id: str, config: Json | None = None, *, wait_s: int = 0) -> Json:
        """The job that fits a detector, or its model where `wait_s` seconds were enough."""
        body = {"dataset_id": dataset_id, "config": config or {}}
        return self._http.json("POST", "/fit", body=body, params={"wait": wait_s}, seconds=ANSWER_S + wait_s)

    def fit_images(self, upload: Upload, config: Json | None = None, *, name: str | None = None) -> Json:
        """The job that imports the images of `upload` as the data set `name` and fits a detector on them."""
        return self._http.json("POST", "/fit", form=upload.form(name=name, config=config or {}))

    def enrol(self, model_id: str, dataset_id: str, generator: str, *, name: str = "", wait_s: int = 0) -> Json:
        """The job that fits a model which knows the generator of a data set's FAKE images too, or that model."""
        body = {"model_id": model_id, "dataset_id": dataset_id, "generator": generator, "name": name}
        return self._http.json("POST", "/enrol", body=body, params={"wait": wait_s}, seconds=ANSWER_S + wait_s)

    def enrol_images(self, model_id: str, upload: Upload, generator: str, *, name: str = "", wait_s: int = 0) -> Json:
        """As `enrol`, with the generator's images themselves; without labels all of them are FAKE."""
        form = upload.form(name=name, model_id=model_id, generator=generator)
        return self._http.json("POST", "/enrol", form=form, params={"wait": wait_s}, seconds=ANSWER_S + wait_s)

    # models

    def models(self, *, q: str = "", sort: str = "-created_at", limit: int = 50, offset: int = 0) -> Json:
        """A page of cards without curves: `{items, total, limit, offset}`; a leading "-" sorts the largest first."""
        return self._http.json(
            "GET", "/models", params={"q": q or None, "sort": sort, "limit": limit, "offset": offset}
        )

    def model(self, model_id: str) -> Json:
        """A model's card with its curves."""
        return self._http.json("GET", f"/models/{_id(model_id)}")

    def active_model(self) -> Json:
        """The card of the model that predictions use; an ApiError (NOT_READY) where there is none."""
        return self.model(str(self.ready()["model_id"]))

    def update_model(self, model_id: str, *, name: str | None = None, notes: str | None = None) -> Json:
        """The card with a new name or new notes; None leaves either as it is."""
        changes = {key: value for key, value in (("name", name), ("notes", notes)) if value is not None}
        return self._http.json("PATCH", f"/models/{_id(model_id)}", body=changes)

    def delete_model(self, model_id: str) -> None:
        """Removes a model that is not the active one."""
        self._http.send("DELETE", f"/models/{_id(model_id)}")

    def export_model(self, model_id: str, target: Path) -> Path:
        """Writes the model's zip to `target` piece by piece."""
        return self._http.download(f"/models/{_id(model_id)}/export", target)

    def import_model(self, archive: Path | Image) -> Json:
        """The card of a model that `export_model` wrote; the operator has to have allowed it."""
        form = Multipart({}, _parts("archive", [_named(archive)]))
        return self._http.json("POST", "/models", form=form)

    def model_predictions(
        self, model_id: str, *, split: str | None = None, cell: str | None = None, limit: int = 50, offset: int = 0
    ) -> Json:
        """A page of the evaluated images' scores; `cell` is one of the confusion matrix: tp, fp, tn, fn."""
        params = {"split": split, "cell": cell, "limit": limit, "offset": offset}
        return self._http.json("GET", f"/models/{_id(model_id)}/predictions", params=params)

    # evaluations

    def evaluate(self, model_id: str, dataset_ids: Sequence[str], *, split: str = "test", wait_s: int = 0) -> Json:
        """The job that measures a model by generator, or the evaluation where `wait_s` seconds were enough."""
        body = {"model_id": model_id, "dataset_ids": list(dataset_ids), "split": split}
        return self._http.json("POST", "/evaluations", body=body, params={"wait": wait_s}, seconds=ANSWER_S + wait_s)

    def cross_evaluate(
        self, dataset_ids: Sequence[str], *, generators: Sequence[str] | None = None, config: Json | None = None
    ) -> Json:
        """The job that fits and tests each generator against every other; `generators` None takes all there are."""
        body: Json = {"dataset_ids": list(dataset_ids)}
        if generators is not None:
            body["generators"] = list(generators)
        if config is not None:
            body["config"] = config
        return self._http.json("POST", "/evaluations/matrix", body=body)

    def evaluations(
        self, *, model_id: str | None = None, kind: str | None = None, limit: int = 50, offset: int = 0
    ) -> Json:
        """A page of evaluations without their figures, newest first."""
        params = {"model_id": model_id, "kind": kind, "limit": limit, "offset": offset}
        return self._http.json("GET", "/evaluations", params=params)

    def evaluation(self, evaluation_id: str) -> Json:
        """One evaluation with all its figures; its id is that of the job that made it."""
        return self._http.json("GET", f"/evaluations/{_id(evaluation_id)}")

    def delete_evaluation(self, evaluation_id: str) -> None:
        """Removes an evaluation."""
        self._http.send("DELETE", f"/evaluations/{_id(evaluation_id)}")

    # fingerprints

    def enrol_fingerprint(
        self,
        generator: str,
        dataset_id: str,
        *,
        source_generator: str | None = None,
        label: str = "FAKE",
        denoiser: str | None = None,
        wait_s: int = 0,
    ) -> Json:
        """The job that enrols images of a data set under a name, or the fingerprint where `wait_s` were enough."""
        given = {"source_generator": source_generator, "denoiser": denoiser}
        body = {"generator": generator, "dataset_id": dataset_id, "label": label}
        body |= {name: value for name, value in given.items() if value is not None}
        return self._http.json("POST", "/fingerprints", body=body, params={"wait": wait_s}, seconds=ANSWER_S + wait_s)

    def enrol_fingerprint_images(
        self,
        generator: str,
        upload: Upload,
        *,
        label: str = "FAKE",
        denoiser: str | None = None,
        name: str | None = None,
        on_sent: OnSent | None = None,
    ) -> Json:
        """The job that enrols the images of `upload`, which has no labels; they become the data set `name`."""
        fields = {"generator": generator, "label": label, "denoiser": denoiser}
        return self._http.json("POST", "/fingerprints", form=upload.form(name=name, on_sent=on_sent, **fields))

    def fingerprints(
        self,
        *,
        q: str = "",
        denoiser: str | None = None,
        sort: str = "-created_at",
        limit: int = 50,
        offset: int = 0,
    ) -> Json:
        """A page of what is enrolled; `sort` is created_at, generator or count, with a leading "-" if you like."""
        params = {"q": q or None, "denoiser": denoiser, "sort": sort, "limit": limit, "offset": offset}
        return self._http.json("GET", "/fingerprints", params=params)

    def fingerprint(self, fingerprint_id: str) -> Json:
        """One fingerprint with its profiles, the others' correlations with it, and names that are the same."""
        return self._http.json("GET", f"/fingerprints/{_id(fingerprint_id)}")

    def fingerprint_picture(self, fingerprint_id: str, picture: str) -> bytes:
        """A PNG; `picture` is residual, spectrum or autocorrelation."""
        return self._http.send("GET", f"/fingerprints/{_id(fingerprint_id)}/pictures/{_id(picture)}").content

    def compare_fingerprints(self, *, denoiser: str | None = None) -> Json:
        """Correlations between all fingerprints, the tree over them, and names that cannot be told apart."""
        return self._http.json("GET", "/fingerprints/comparison", params={"denoiser": denoiser})

    def attribute(
        self,
        images: Sequence[Image],
        *,
        batch: bool = False,
        false_attribution: float | None = None,
        denoiser: str | None = None,
    ) -> Json:
        """`{denoiser, calibrated, attributions, errors}`: for each image, or with `batch` one for all of them."""
        share = None if false_attribution is None else str(false_attribution)
        fields = {"batch": batch or None, "false_attribution": share, "denoiser": denoiser}
        return self._http.json("POST", "/fingerprints/attribute", form=Multipart(fields, _parts("files", images)))

    def delete_fingerprint(self, fingerprint_id: str) -> None:
        """Removes a fingerprint; the images that it was made from stay."""
        self._http.send("DELETE", f"/fingerprints/{_id(fingerprint_id)}")

    # jobs

    def jobs(self, *, state: str | None = None, kind: str | None = None, limit: int = 50, offset: int = 0) -> Json:
        """A page of jobs, newest first."""
        params = {"state": state, "kind": kind, "limit": limit, "offset": offset}
        return self._http.json("GET", "/jobs", params=params)

    def job(self, job_id: str) -> Json:
        """State, progress, and the reason of a failure."""
        return self._http.json("GET", f"/jobs/{_id(job_id)}")

    def cancel_job(self, job_id: str) -> Json:
        """The job, told to stop."""
        return self._http.json("DELETE", f"/jobs/{_id(job_id)}")

    def retry_job(self, job_id: str) -> Json:
        """A failed or cancelled job, queued again."""
        return self._http.json("POST", f"/jobs/{_id(job_id)}/retry")

    def wait(
        self,
        job_id: str,
        *,
        on_progress: Callable[[Json], None] | None = None,
        timeout_s: float | None = None,
        outage_s: float = 60.0,
        every_s: float = 0.5,
    ) -> Json:
        """The job once it is done; this is the only polling loop.

        It outlives a restart of the service of up to `outage_s` seconds. Raises ApiError with the job's own code and
        reason where it failed or was cancelled, and "job.still_running" after `timeout_s` seconds.
        """
        started = last_answer = time.monotonic()
        while True:
            try:
                job = self.job(job_id)
            except ApiError as error:
                if error.status != 0 or time.monotonic() - last_answer > outage_s:
                    raise
            else:
                last_answer = time.monotonic()
                if on_progress is not None:
                    on_progress(job)
                if job["state"] in FINISHED:
                    return _done(job)
            if timeout_s is not None and time.monotonic() - started > timeout_s:
                raise ApiError("job.still_running", f"The job {job_id} still runs after {timeout_s:g} seconds.")
            time.sleep(every_s)


def pages(fetch: Callable[..., Json], *, size: int = 200) -> Iterator[Json]:
    """Every item of a paginated list: `pages(client.models)`."""
    offset = 0
    while True:
        page = fetch(limit=size, offset=offset)
        yield from page["items"]
        offset += len(page["items"])
        if not page["items"] or offset >= page["total"]:
            return


def _key_of_file() -> str:
    """The key in the file that DEEPFAKE_API_KEY_FILE names; "" where it cannot be read."""
    try:
        return Path(os.environ["DEEPFAKE_API_KEY_FILE"]).read_text(encoding="utf-8").strip()
    except (KeyError, OSError):
        return ""


def _id(text: str) -> str:
    """An id as one segment of a path, whatever a person typed."""
    return quote(text, safe="")


def _named(file: Path | Image) -> Image:
    return (file.name, file) if isinstance(file, Path) else file


def _parts(field: str, images: Sequence[Image]) -> list[FilePart]:
    return [FilePart(field, filename, content) for filename, content in images]


def _done(job: Json) -> Json:
    if job["state"] == "done":
        return job
    state = "was cancelled" if job["state"] == "cancelled" else "failed"
    raise ApiError(
        str(job.get("error_code") or f"job.{job['state']}"), str(job.get("reason") or f"The job {job['id']} {state}.")
    )
