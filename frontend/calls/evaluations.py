"""Models and generators measured on data sets."""

from __future__ import annotations

from collections.abc import Sequence

from frontend.calls.base import Calls, id_of
from frontend.transport import ANSWER_S, Json


class Evaluations(Calls):
    """Models and generators measured on data sets."""

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
        return self._http.json("GET", f"/evaluations/{id_of(evaluation_id)}")

    def delete_evaluation(self, evaluation_id: str) -> None:
        """Removes an evaluation."""
        self._http.send("DELETE", f"/evaluations/{id_of(evaluation_id)}")
