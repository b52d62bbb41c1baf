"""What evaluations found, as records; and the figures of generators never seen that a model's card takes from them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, select

from backend.core.errors import NotFound
from backend.service.database import Database
from backend.service.registry import Registry
from backend.service.tables import EvaluationRow, ModelRow

EVALUATE, MATRIX = "evaluate", "matrix"
"""Kinds of evaluations, and of the jobs that make them: of one model, and a train x test matrix of generators."""

Record = dict[str, Any]
Records = list[Record]

_LARGE = ("generators", "rows", "conclusion", "leave_one_out", "counts")
_IN_CARD = ("generator", "n", "recall", "auroc")
_SINCE_VERDICTS = ("answered_real", "unsure_share")
"""What a card takes of each generator, the latter where the evaluation is of a version that has it."""


class Evaluations:
    """Keeps, lists and removes them. Safe to share between threads."""

    def __init__(self, database: Database, registry: Registry) -> None:
        self._database, self._registry = database, registry

    def add(self, record: Record) -> None:
        """Keeps a record (`id, kind, model_id, created_at` and figures), and brings its model's card up to date.

        Doing it twice changes nothing. Raises NotFound where the model was removed meanwhile.
        """
        model_id = record["model_id"]
        values = {name: record[name] for name in ("id", "kind", "model_id", "created_at")} | {"result": record}
        with self._database.session() as session:
            if model_id is not None and session.get(ModelRow, model_id, with_for_update=True) is None:
                raise NotFound(f"There is no model {model_id!r} any more.", "GET /models lists the models that exist.")
            self._database.upsert(session, EvaluationRow, values, "id")
        self._refresh_card(model_id)

    def get(self, evaluation_id: str) -> Record:
        """One record with all its figures. Raises NotFound."""
        with self._database.reading() as session:
            record: Record | None = session.scalar(
                select(EvaluationRow.result).where(EvaluationRow.id == evaluation_id)
            )
        if record is None:
            raise NotFound(
                f"There is no evaluation {evaluation_id!r}.", "GET /evaluations lists the evaluations that exist."
            )
        return record

    def list(
        self, *, model_id: str | None = None, kind: str | None = None, limit: int = 50, offset: int = 0
    ) -> tuple[Records, int]:
        """A page of the records without what is long, newest first, and the number of all that match."""
        given = {EvaluationRow.model_id: model_id, EvaluationRow.kind: kind}
        wanted = [column == value for column, value in given.items() if value is not None]
        newest = EvaluationRow.created_at.desc(), EvaluationRow.id
        page = select(EvaluationRow.result).where(*wanted).order_by(*newest).limit(limit).offset(offset)
        with self._database.reading() as session:
            total = session.scalar(select(func.count(EvaluationRow.id)).where(*wanted)) or 0
            records = list(session.scalars(page))
        return [{name: value for name, value in record.items() if name not in _LARGE} for record in records], total

    def delete(self, evaluation_id: str) -> None:
        """Removes a record, and what its model's card took from it. Raises NotFound."""
        model_id = self.get(evaluation_id)["model_id"]
        with self._database.session() as session:
            session.execute(delete(EvaluationRow).where(EvaluationRow.id == evaluation_id))
        self._refresh_card(model_id)

    def _refresh_card(self, model_id: str | None) -> None:
        if model_id is not None:
            self._registry.change(model_id, lambda: {"held_out_generators": self._held_out(model_id)})

    def _held_out(self, model_id: str) -> Record | None:
        """Figures of the generators that the model never saw, each of the newest evaluation that has it; None: none.

        Those that came with the model, of no evaluation here, stay until one has the same generator.
        """
        query = select(EvaluationRow.result).where(EvaluationRow.model_id == model_id)
        with self._database.reading() as session:
            records = list(session.scalars(query.order_by(EvaluationRow.created_at, EvaluationRow.id)))
        before = (self._registry.get(model_id).get("held_out_generators") or {}).get("generators", [])
        newest: dict[str, Record] = {row["generator"]: row for row in before if row["evaluation_id"] is None}
        for record in records:
            for row in record["generators"]:
                if not row["seen"]:
                    kept = {name: row[name] for name in _IN_CARD} | {name: row.get(name) for name in _SINCE_VERDICTS}
                    limits = {name: row["intervals"][name] for name in ("recall", "auroc")}
                    newest[row["generator"]] = {**kept, "intervals": limits, "evaluation_id": record["id"]}
        if not newest:
            return None
        rows = [newest[name] for name in sorted(newest)]
        areas = [row["auroc"] for row in rows if row["auroc"] is not None]
        return {
            "generators": rows,
            "recall": sum(row["recall"] for row in rows) / len(rows),
            "auroc": sum(areas) / len(areas) if areas else None,
            "worst": min(rows, key=lambda row: row["recall"])["generator"],
        }
