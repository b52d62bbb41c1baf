"""Models: cards, the chosen one, export, and the predictions that a card's figures come from."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from backend.api.archives import receive_archive
from backend.api.deps import Limit, ModelId, Offset, ServiceDep
from backend.api.downloads import download
from backend.api.problems import ProblemError
from backend.api.schemas.common import only_form, responses
from backend.api.schemas.models import ModelCard, ModelChanges, ModelComparison, ModelPage, ScoredPage, SetIn
from backend.service.comparing import compare_models
from backend.service.model_import import archive_digest, import_model

router = APIRouter(tags=["models"])

_CURVES = frozenset({"roc", "reliability"})

Sort = Literal[
    "created_at",
    "-created_at",
    "name",
    "-name",
    "accuracy",
    "-accuracy",
    "auroc",
    "-auroc",
    "size_bytes",
    "-size_bytes",
]


@router.get("/models", summary="List models", responses=responses(422))
def list_models(
    service: ServiceDep,
    *,
    q: Annotated[str, Query(max_length=100, description="Only models with this in their name, id or notes")] = "",
    sort: Annotated[Sort, Query(description="Key; a leading - puts the largest first. Accuracy is the test one")] = (
        "-created_at"
    ),
    curves: Annotated[bool, Query(description="Also the curves of each card, some 10 kB a split")] = False,
    limit: Limit = 50,
    offset: Offset = 0,
) -> ModelPage:
    """A page of cards; `GET /models/{model_id}` gives one with its curves."""
    wanted = q.casefold()
    cards = [
        card
        for card in service.registry.list()
        if wanted in f"{card['name']}\n{card['id']}\n{card.get('notes', '')}".casefold()
    ]
    ordered = sort_cards(cards, sort)
    cards = ordered[offset : offset + limit]
    page = [ModelCard.model_validate(card if curves else _without_curves(card)) for card in cards]
    return ModelPage(items=page, total=len(ordered), limit=limit, offset=offset)


def _without_curves(card: dict[str, Any]) -> dict[str, Any]:
    metrics = {
        split: figures and {name: value for name, value in figures.items() if name not in _CURVES}
        for split, figures in card["metrics"].items()
    }
    return {**card, "metrics": metrics}


def sort_cards(cards: list[dict[str, Any]], sort: str) -> list[dict[str, Any]]:
    """The cards in order of a key, the largest first where it begins with "-"; those without a value come last."""
    key, descending = sort.removeprefix("-"), sort.startswith("-")
    known = [card for card in cards if _value(card, key) is not None]
    unknown = [card for card in cards if _value(card, key) is None]
    return sorted(known, key=lambda card: _value(card, key), reverse=descending) + unknown


def _value(card: dict[str, Any], key: str) -> Any:
    if key == "accuracy":
        return card["accuracy"].get("test")
    if key == "auroc":
        return (card["metrics"].get("test") or {}).get("auroc")
    return card[key].casefold() if key == "name" else card[key]


@router.post(
    "/models",
    status_code=201,
    summary="Import an exported model",
    responses=responses(400, 408, 409, 413, 415, 422, 503, 507),
    openapi_extra=only_form("ModelForm"),
)
async def import_archive(request: Request, service: ServiceDep) -> ModelCard:
    """The card of the model in `archive`, a zip that `GET /models/{model_id}/export` gave; it does not become active.

    Only archives are taken whose SHA-256 the operator listed in DEEPFAKE_ALLOWED_MODELS; 403 for any other.
    """
    allowed = service.settings.allowed_models
    if not allowed:
        raise _not_allowed("No model may be imported over HTTP here.")
    async with receive_archive(request, service.jobs.root) as archive:
        if await run_in_threadpool(archive_digest, archive) not in allowed:
            raise _not_allowed("This archive is not among those that the operator allows.")
        card = await run_in_threadpool(import_model, service, archive, may_export=False)
    request.state.target = card["id"]
    return ModelCard.model_validate(card)


def _not_allowed(detail: str) -> ProblemError:
    hint = "The operator lists its SHA-256 in DEEPFAKE_ALLOWED_MODELS, or runs `deepfake models import` on the server."
    return ProblemError(403, "security.model_not_allowed", detail, hint)


@router.get("/models/{model_id}", summary="Show a model", responses=responses(404, 422))
def get_model(model_id: ModelId, service: ServiceDep) -> ModelCard:
    """The model's card."""
    return ModelCard.model_validate(service.registry.get(model_id))


@router.patch("/models/{model_id}", summary="Rename a model or change its notes", responses=responses(404, 422))
def update_model(model_id: ModelId, changes: ModelChanges, service: ServiceDep) -> ModelCard:
    """The card with its new name and notes."""
    return ModelCard.model_validate(service.registry.update(model_id, changes.name, changes.notes))


@router.delete("/models/{model_id}", status_code=204, summary="Delete a model", responses=responses(404, 409, 422))
def delete_model(model_id: ModelId, service: ServiceDep) -> None:
    """Removes the model and its files; 409 for the active one."""
    service.registry.delete(model_id)


@router.post("/set", summary="Choose the model for predictions", responses=responses(404, 422))
def set_model(request: Request, chosen: SetIn, service: ServiceDep) -> ModelCard:
    """The card of the model that `/predict` uses from now on, also after a restart."""
    request.state.target = chosen.model_id
    return ModelCard.model_validate(service.registry.set_active(chosen.model_id))


@router.get(
    "/models/{model_id}/export",
    summary="Download a model",
    response_class=Response,
    responses={200: {"description": "A zip", "content": {"application/zip": {}}}, **responses(404, 422, 507)},
)
def export_model(model_id: ModelId, service: ServiceDep) -> Response:
    """A zip with the card, the head and, where the extractor is a network, one ONNX graph from pixels to score."""
    card = service.registry.get(model_id)
    return download(
        service.settings,
        f"{model_id}.zip",
        "application/zip",
        int(card["size_bytes"]),
        lambda path: service.registry.export(model_id, path),
    )


@router.get("/models/{model_id}/predictions", summary="List a model's evaluated images", responses=responses(404, 422))
def list_predictions(
    model_id: ModelId,
    service: ServiceDep,
    *,
    split: Annotated[Literal["train", "validation", "test"] | None, Query(description="Only this split")] = None,
    cell: Annotated[
        Literal["tp", "fp", "fn", "tn"] | None,
        Query(description="Only this cell of the confusion matrix; FAKE is the positive class"),
    ] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> ScoredPage:
    """A page of the images that the model was evaluated on, worst mistakes first."""
    rows, total = service.registry.predictions(model_id, split=split, cell=cell, limit=limit, offset=offset)
    return ScoredPage.model_validate({"items": rows, "total": total, "limit": limit, "offset": offset})


@router.get(
    "/models/{model_id}/against/{other_id}", summary="Compare two models image by image", responses=responses(404, 422)
)
def compare(
    model_id: ModelId,
    other_id: ModelId,
    service: ServiceDep,
    *,
    split: Annotated[Literal["train", "validation", "test"], Query(description="The split in both models")] = "test",
) -> ModelComparison:
    """On how many images each model alone is right, and whether the difference is more than chance.

    Only images that both were evaluated on in this split count; 422 with the code `models.not_comparable` where there
    are none, as for models of different data sets.
    """
    return ModelComparison.model_validate(compare_models(service.registry, model_id, other_id, split))
