"""Predictions: one answer or one problem a file."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from backend.api.schemas.common import Problem, Strict
from backend.service.predictor import Verdict


class Evidence(Strict):
    """What one block of a file says of its origin. Its text comes from the file: escape it."""

    kind: Literal["c2pa", "exif", "xmp", "iptc", "text"]
    source: str = Field(description="Block and field", examples=["EXIF camera"])
    statement: Literal[
        "made_by_ai", "edited_with_ai", "edited", "captured", "made_by_software", "claims", "unreadable"
    ] = Field(description="claims: something else, see `detail`; unreadable: the block is damaged")
    detail: str = Field(description="The value itself, one line of at most 300 letters", examples=["Canon EOS R5"])
    strength: Literal["trusted", "signed", "plain", "none"] = Field(
        description="trusted: signed and unchanged, by a signer of the trust list; signed: by another signer; plain: "
        "anybody can write that; none: damaged, or changed after it was signed"
    )
    intact: bool | None = Field(None, description="c2pa: whether nothing was changed after it was signed")
    trusted: bool | None = Field(None, description="c2pa: whether the signer is on DEEPFAKE_C2PA_ANCHORS' list")


class Provenance(Strict):
    """What a file says of its own origin: never a proof that a picture is real, and easily removed."""

    evidence: list[Evidence] = Field(description="The strongest first")


class Prediction(Strict):
    """What a model says of one image."""

    index: int = Field(description="Position of the file in the request, from 0: tells files of one name apart")
    filename: str = Field(examples=["cat.jpg"])
    sha256: str = Field(description="SHA-256 of the file's bytes, in hex")
    model_id: str
    label: Literal["REAL", "FAKE"] = Field(description="FAKE when `probability_fake` reaches `threshold`")
    probability_fake: float = Field(ge=0, le=1, description="Calibrated; assumes an even share of REAL and FAKE")
    score: float = Field(description="The head's own output: log-odds (logreg) or margin (svm), positive towards FAKE")
    threshold: float = Field(gt=0, lt=1, description="The model's own, fixed on validation images")
    verdict: Literal["real", "fake", "unsure"] = Field(
        description="What to tell a person first; `real` means: no trace of the generators that this model knows"
    )
    in_domain: bool | None = Field(
        None, description="false: of a size that the model was not trained on; null: nothing speaks against it"
    )
    reasons: list[str] = Field(description="Sentences that explain the verdict")
    reason_codes: list[str] = Field(
        description="One for each of the reasons, for a program; they do not change between versions",
        examples=[["size", "too_close"]],
    )
    width: int = Field(description="Pixels, upright")
    height: int = Field(description="Pixels, upright")
    format: str = Field(description="The file's format", examples=["JPEG"])
    explanation: dict[str, Any] | None = Field(None, description="With `explain`; null where there is none")
    provenance: Provenance | None = Field(
        None, description="With `provenance`: what the file says of its origin; null where it says nothing"
    )

    @classmethod
    def of(cls, index: int, filename: str, verdict: Verdict) -> Prediction:
        """The entry for one answered file. Unchecked: the values are our own, and checking costs more than making."""
        about = verdict.to_json()
        lists = {name: list(about[name]) for name in ("reasons", "reason_codes")}
        return cls.model_construct(**{**about, **lists, "index": index, "filename": filename})


class FileProblem(Problem):
    """Why one file of the request was not answered; the others were."""

    index: int = Field(description="Position of the file in the request, from 0")
    filename: str


class PredictOut(Strict):
    """All answers of one request."""

    model_id: str
    predictions: list[Prediction]
    errors: list[FileProblem]
