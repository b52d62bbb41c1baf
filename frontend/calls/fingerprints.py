"""Sources of images by their fingerprints."""

from __future__ import annotations

from collections.abc import Sequence

from frontend.calls.base import Calls, id_of
from frontend.transport import ANSWER_S, Json
from frontend.uploads import Image, Multipart, OnSent, Upload, parts


class Fingerprints(Calls):
    """Sources of images by their fingerprints."""

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
        return self._http.json("GET", f"/fingerprints/{id_of(fingerprint_id)}")

    def fingerprint_picture(self, fingerprint_id: str, picture: str) -> bytes:
        """A PNG; `picture` is residual, spectrum or autocorrelation."""
        return self._http.send("GET", f"/fingerprints/{id_of(fingerprint_id)}/pictures/{id_of(picture)}").content

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
        """`{denoiser, calibrated, left_out, attributions, errors}`: for each image, or with `batch` one for all."""
        share = None if false_attribution is None else str(false_attribution)
        fields = {"batch": batch or None, "false_attribution": share, "denoiser": denoiser}
        return self._http.json("POST", "/fingerprints/attribute", form=Multipart(fields, parts("files", images)))

    def delete_fingerprint(self, fingerprint_id: str) -> None:
        """Removes a fingerprint; the images that it was made from stay."""
        self._http.send("DELETE", f"/fingerprints/{id_of(fingerprint_id)}")
