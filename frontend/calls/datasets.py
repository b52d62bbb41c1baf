"""Data sets: import, images, changes, profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from frontend.calls.base import Calls, id_of
from frontend.transport import ANSWER_S, Json
from frontend.uploads import Image, OnSent, Upload


class Datasets(Calls):
    """Data sets: import, images, changes, profiles."""

    def datasets(self, *, q: str = "", limit: int = 50, offset: int = 0) -> Json:
        """A page, newest first: `{items, total, limit, offset}`; `q` is looked for in names and ids."""
        return self._http.json("GET", "/datasets", params={"q": q or None, "limit": limit, "offset": offset})

    def dataset(self, dataset_id: str) -> Json:
        """One data set: counts by split and label, generators, duplicates, skipped files."""
        return self._http.json("GET", f"/datasets/{id_of(dataset_id)}")

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
        return self._http.json("PATCH", f"/datasets/{id_of(dataset_id)}", body=body)

    def delete_dataset(self, dataset_id: str) -> None:
        """Removes a data set and all that was derived from it, but for models."""
        self._http.send("DELETE", f"/datasets/{id_of(dataset_id)}")

    def export_dataset(self, dataset_id: str, target: Path, *, format: str = "zip") -> Path:
        """`target`, with the data set in it; `format` is "zip" or "parquet"."""
        return self._http.download(f"/datasets/{id_of(dataset_id)}/export", target, params={"format": format})

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
        return self._http.json("GET", f"/datasets/{id_of(dataset_id)}/images", params=params)

    def dataset_image(self, dataset_id: str, number: int) -> bytes:
        """The file of one image as it was imported."""
        return self._http.send("GET", f"/datasets/{id_of(dataset_id)}/images/{number}").content

    def thumbnail(self, dataset_id: str, number: int, *, size: int = 128) -> bytes:
        """One image as a JPEG of at most `size` pixels a side."""
        path = f"/datasets/{id_of(dataset_id)}/images/{number}/thumbnail"
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
