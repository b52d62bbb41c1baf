"""Fits, and what becomes of them."""

from __future__ import annotations

from pathlib import Path

from frontend.calls.base import Calls, id_of
from frontend.transport import ANSWER_S, Json
from frontend.uploads import Image, Multipart, Upload, named, parts


class Models(Calls):
    """Fits, and what becomes of them."""

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

    def models(self, *, q: str = "", sort: str = "-created_at", limit: int = 50, offset: int = 0) -> Json:
        """A page of cards without curves: `{items, total, limit, offset}`; a leading "-" sorts the largest first."""
        return self._http.json(
            "GET", "/models", params={"q": q or None, "sort": sort, "limit": limit, "offset": offset}
        )

    def model(self, model_id: str) -> Json:
        """A model's card with its curves."""
        return self._http.json("GET", f"/models/{id_of(model_id)}")

    def update_model(self, model_id: str, *, name: str | None = None, notes: str | None = None) -> Json:
        """The card with a new name or new notes; None leaves either as it is."""
        changes = {key: value for key, value in (("name", name), ("notes", notes)) if value is not None}
        return self._http.json("PATCH", f"/models/{id_of(model_id)}", body=changes)

    def delete_model(self, model_id: str) -> None:
        """Removes a model that is not the active one."""
        self._http.send("DELETE", f"/models/{id_of(model_id)}")

    def export_model(self, model_id: str, target: Path) -> Path:
        """Writes the model's zip to `target` piece by piece."""
        return self._http.download(f"/models/{id_of(model_id)}/export", target)

    def import_model(self, archive: Path | Image) -> Json:
        """The card of a model that `export_model` wrote; the operator has to have allowed it."""
        form = Multipart({}, parts("archive", [named(archive)]))
        return self._http.json("POST", "/models", form=form)

    def model_predictions(
        self, model_id: str, *, split: str | None = None, cell: str | None = None, limit: int = 50, offset: int = 0
    ) -> Json:
        """A page of the evaluated images' scores; `cell` is one of the confusion matrix: tp, fp, tn, fn."""
        params = {"split": split, "cell": cell, "limit": limit, "offset": offset}
        return self._http.json("GET", f"/models/{id_of(model_id)}/predictions", params=params)

    def compare_models(self, model_id: str, other_id: str, *, split: str = "test") -> Json:
        """On how many images each model alone is right; an ApiError (422) where they share no images of the split."""
        path = f"/models/{id_of(model_id)}/against/{id_of(other_id)}"
        return self._http.json("GET", path, params={"split": split})

    def measure_robustness(self, model_id: str, dataset_id: str, *, images: int = 1000, wait_s: int = 0) -> Json:
        """The job that measures a model on changed copies of test images, or its result within `wait_s` seconds."""
        body = {"model_id": model_id, "dataset_id": dataset_id, "images": images}
        return self._http.json("POST", "/robustness", body=body, params={"wait": wait_s}, seconds=ANSWER_S + wait_s)

    def robustness(self, model_id: str, dataset_id: str) -> Json:
        """What was measured last; an ApiError (404) where nothing was."""
        return self._http.json("GET", "/robustness", params={"model_id": model_id, "dataset_id": dataset_id})
