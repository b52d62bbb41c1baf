"""Predictions: one answer or one problem a file."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from backend.api.schemas.common import Problem, Strict
from backend.service.predictor import Verdict


class StageOut(Strict):
    """What one stage of the network adds to the score."""

    name: str = Field(examples=["block2.0.dw"])
    share: float = Field(description="In the unit of the score, positive towards FAKE", examples=[0.83])
    map: list[list[float]] | None = Field(
        description="`share` by place, rows from the top, at most 32 x 32; null where the features have no places",
        examples=[[[0.5, -0.25], [0.25, 0.33]]],
    )
    receptive_field: float | None = Field(description="Of the image's side, that one place sees, 0..1", examples=[0.17])
    note: str | None = Field(description="A limit of this map, in words")


class ExplanationOut(Strict):
    """Which parts of the image led to the score: `base` and the shares of all stages add up to `margin`."""

    exact: bool = Field(description="false: the head is not linear, and `base` takes what its slope does not explain")
    base: float = Field(description="What the head says of an image whose features are the training images' mean")
    margin: float = Field(description="The score before calibration")
    note: str = Field(description="How to read the map, in words")
    note_code: Literal["exact", "approximate"] = Field(description="The note, for a program")
    stages: list[StageOut]
    heatmap: str = Field(
        description="All maps together as PNG (RGBA, in base64), of the image's size or reduced to 512 pixels: orange "
        "speaks for FAKE, blue for REAL, opacity is strength",
        examples=["iVBORw0KGgo="],
    )


class TriedOut(Strict):
    """One changed copy of the image."""

    change: str = Field(description="jpeg, resize, crop, blur or flip", examples=["jpeg"])
    strength: float = Field(
        description="jpeg: quality; resize: factor; crop: share of each side that stays; blur: pixels", examples=[75]
    )
    probability_fake: float = Field(ge=0, le=1, examples=[0.91])
    verdict: Literal["real", "fake", "unsure"] = Field(description="By the probability alone")
    flipped: bool = Field(description="The label is another one than that of the image itself")


class StabilityOut(Strict):
    """Whether the answer holds on changed copies of the image."""

    unstable: bool = Field(
        description="Two or more copies get the opposite verdict, and not a close one: the verdict is `unsure`"
    )
    flips: int = Field(ge=0, description="Copies with another label")
    tried: list[TriedOut]


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
        None,
        description="false: unlike the images that the model was trained on, by its size (reason `size`), its "
        "compression (`codec`) or its features (`features`); null: nothing speaks against it",
    )
    reasons: list[str] = Field(description="Sentences that explain the verdict")
    reason_codes: list[str] = Field(
        description="One for each of the reasons, for a program; they do not change between versions",
        examples=[["size", "codec", "features", "traces", "too_close", "unstable"]],
    )
    closest_generator: str | None = Field(
        None,
        description="Of a FAKE, by a model with a specialist for each generator (head multi): whose specialist spoke "
        "loudest; null where the head of all FAKE images did, and for other heads",
        examples=["flux-2"],
    )
    width: int = Field(description="Pixels, upright")
    height: int = Field(description="Pixels, upright")
    format: str = Field(description="The file's format", examples=["JPEG"])
    explanation: ExplanationOut | None = Field(
        None, description="With `explain`; null for a model without a network: its features have no places"
    )
    provenance: Provenance | None = Field(
        None, description="With `provenance`: what the file says of its origin; null where it says nothing"
    )
    stability: StabilityOut | None = Field(None, description="With `stability`")

    @classmethod
    def of(cls, index: int, filename: str, verdict: Verdict) -> Prediction:
        """The entry for one answered file."""
        return cls.model_validate({**verdict.to_json(), "index": index, "filename": filename})


class FileProblem(Problem):
    """Why one file of the request was not answered; the others were."""

    index: int = Field(description="Position of the file in the request, from 0")
    filename: str


class PredictOut(Strict):
    """All answers of one request."""

    model_id: str
    predictions: list[Prediction]
    errors: list[FileProblem]
