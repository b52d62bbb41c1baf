"""What exists, and predictions."""

from __future__ import annotations

from collections.abc import Sequence

from frontend.calls.base import Calls
from frontend.transport import ApiError, Json
from frontend.uploads import Image, Multipart, parts


class Checks(Calls):
    """What exists, and predictions."""

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
        form = Multipart(fields, parts("files", images))
        try:
            return self._http.json("POST", "/predict", form=form)
        except ApiError as error:
            if not any("filename" in fault for fault in error.errors):
                raise
            return {"model_id": model_id, "predictions": [], "errors": error.errors}  # no file could be answered

    def set_active(self, model_id: str) -> Json:
        """Makes a model the one that predictions use from now on."""
        return self._http.json("POST", "/set", body={"model_id": model_id})
