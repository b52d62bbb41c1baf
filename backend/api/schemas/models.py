"""Models: cards, and the predictions that their figures come from."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from backend.api.schemas.common import OneLine, Strict


class ModelCard(BaseModel):
    """Everything about a detector. Later versions may add keys: ignore those you do not know."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())

    id: str = Field(examples=["cifake-logreg-1c0ffee1"])
    name: str
    notes: str = ""
    created_at: str = Field(description="UTC, ISO 8601")
    active: bool = Field(description="Whether predictions use it unless told otherwise")
    size_bytes: int = Field(description="On disk, without the shared backbone")
    digest: str | None = Field(
        None, description="SHA-256 over all that decides an answer; null where a file of the model is missing"
    )
    dataset: dict[str, Any] | None = Field(description="id, name, version, digest and number of images")
    config: dict[str, Any] = Field(description="What was asked for: extractor, head, splits, seed")
    extractor: dict[str, Any] = Field(description="name, spec, digest, dimensions")
    backbone: str | None = Field(None, description="Name of the pretrained network, null where there is none")
    backbone_digest: str | None = Field(None, description="SHA-256 of its weights")
    finetuned: dict[str, Any] | None = Field(
        None,
        description="Where the fit trained the network: config, start, history by epoch, best_epoch, images, seconds, "
        "device; null where the network came as it is",
    )
    fingerprints: list[dict[str, Any]] | None = Field(
        None,
        description="Of the extractor `fingerprint`: digest of its file, generator, denoiser, height, width and count "
        "of images of each; they are kept with the model, whatever becomes of the enrolment. null where there are none",
    )
    head: dict[str, Any] = Field(description="name, kind, chosen hyper-parameters, history by epoch")
    activation: str = Field(description="Of the last layer: sigmoid (logreg) or identity (svm)")
    loss: str = Field(description="log_loss or hinge")
    threshold: float = Field(description="On probability_fake")
    calibration: dict[str, Any] = Field(
        description="probability_fake = 1 / (1 + exp(-x)) with x = a * score + b (kind platt, temperature) or straight "
        "between knots [score, x] and of slope a beyond (isotonic). losses: of each kind, cross-fitted, nats an image "
        "at the images' own share of FAKE; reason: why there was no choice. A card without kind is an older one: platt"
    )
    fpr_promise: dict[str, Any] | None = Field(
        None,
        description="Which share of REAL called FAKE is not exceeded, for images like these: bound at confidence, from "
        "false_positives of images (of split source) that neither head, calibration nor threshold has seen; bound is "
        "null where they are too few, and reason says so. null for models of older versions",
        examples=[
            {
                "threshold": 0.51,
                "source": "test",
                "images": 10_000,
                "false_positives": 387,
                "confidence": 0.95,
                "bound": 0.042,
                "statement": "At 95% confidence at most 4.20% …",
                "reason": None,
            }
        ],
    )
    unsure_band: list[float] = Field(description="Probabilities between which the verdict is `unsure`")
    domain: dict[str, Any] | None = Field(
        None,
        description="The check whether an image's features are like those of the training images: how many features "
        "and neighbours it looks at, and its limit; null where there is none. What it calls outside: `outside_share`",
        examples=[{"features": 432, "neighbours": 2048, "limit": 2.9}],
    )
    codec: dict[str, Any] | None = Field(
        None,
        description="Lowest and highest JPEG quality of the training images, 100 for those of another format, and the "
        "quality below which an image is outside; null for models of older versions",
        examples=[{"jpeg_quality": [75, 75], "outside_below": 45}],
    )
    traces: dict[str, Any] | None = Field(
        None,
        description="What a fit with `doubt` takes back `real` by: the generators whose common direction it looks "
        "along, and how far along it an image may lie, in standard deviations of REAL images; null without it",
        examples=[{"generators": ["began", "dcgan", "glow"], "limit": 0.93}],
    )
    metrics: dict[str, Any] = Field(
        description="By split: accuracy, AUROC, losses, intervals, curves, confusion, unsure_share, sure_accuracy, "
        "outside_share …"
    )
    generators: list[str] = Field(default_factory=list, description="Whose images it was trained on")
    audit: list[dict[str, str]] | None = Field(
        None,
        description="What the audit of the data set had found when the fit began: code, severity and title of each "
        "finding; null where the data set had not been profiled",
    )
    fitted_on: int | None = Field(
        None, description="Training images that the head was fitted on: fewer than all where they exceed the memory"
    )
    accuracy: dict[str, float | None] = Field(description="By split, 0 to 1")
    held_out_generators: dict[str, Any] | None = Field(
        None,
        description="What evaluations found on generators that it was not trained on: recall and AUROC of each, the "
        "shares of their fakes that are answered `real` and `unsure` (null for evaluations of older versions), mean "
        "recall and AUROC, the worst; null where there is none",
    )
    left_out_generators: dict[str, Any] | None = Field(
        None,
        description="What the fit itself found by leaving each of its generators out in turn: recall, AUROC and their "
        "95 % intervals of a `head` fitted on the same features without it, at the detector's own false alarms `fpr`; "
        "means and the worst. reason: why there is none, as where the data set has one generator: then what it makes "
        "of another one is unknown. null for models of older versions",
        examples=[
            {
                "generators": [
                    {
                        "generator": "ddpm",
                        "n": 256,
                        "recall": 0.12,
                        "auroc": 0.55,
                        "intervals": {"recall": [0.08, 0.19], "auroc": [0.51, 0.59]},
                    }
                ],
                "recall": 0.12,
                "auroc": 0.55,
                "worst": "ddpm",
                "fpr": 0.05,
                "head": "logreg",
                "reason": None,
            }
        ],
    )
    edited: dict[str, Any] | None = Field(
        None,
        description="What it makes of photographs edited in part, `images` of the split `source` that it had not seen: "
        "fpr, the share of them called FAKE unedited, and of each kind of edit the recall with its 95 % interval. "
        "whole_images_only: some kind is hardly found, or nothing was measured (reason says why), so that its word "
        "counts for whole images alone. null for models of older versions: take it for such a one",
        examples=[
            {
                "images": 200,
                "source": "test",
                "fpr": 0.04,
                "kinds": [{"kind": "splice", "recall": 0.06, "interval": [0.031, 0.102]}],
                "whole_images_only": True,
                "reason": None,
            }
        ],
    )
    timings: dict[str, float | None] = Field(default_factory=dict, description="Seconds of each step of the fit")
    seed: int | None = None


class ModelPage(Strict):
    """A page of cards."""

    items: list[ModelCard]
    total: int
    limit: int
    offset: int


class SetIn(Strict):
    """Which model to use from now on."""

    model_id: str = Field(min_length=1, max_length=200, examples=["cifake-logreg-1c0ffee1"])


class ModelChanges(Strict):
    """What a person may change about a model; what is left out stays."""

    name: OneLine | None = Field(None, min_length=1, max_length=100, examples=["CIFAKE, first try"])
    notes: str | None = Field(None, max_length=10_000)


class ScoredImage(Strict):
    """One evaluated image of the data set that a model was fitted on."""

    row: int = Field(description="The image's number in the data set: GET /datasets/{id}/images/{row}")
    path: str = Field(description="Its name in the data set")
    label: Literal["REAL", "FAKE"] = Field(description="The truth")
    predicted: Literal["REAL", "FAKE"]
    split: Literal["train", "validation", "test"]
    score: float
    probability_fake: float


class ModelComparison(Strict):
    """Two models image by image; `first` is the one that the address names first."""

    model_id: str = Field(examples=["cifake-logreg-1c0ffee1"])
    other_id: str = Field(examples=["cifake-svm-0decade2"])
    split: Literal["train", "validation", "test"]
    n: int = Field(description="Images that are in this split for both models; only they count")
    both_right: int
    only_first: int = Field(description="Images on which the first model is right and the second is wrong")
    only_second: int
    neither: int
    accuracy_first: float = Field(description="On these images, 0 to 1")
    accuracy_second: float
    difference: float = Field(description="accuracy_first - accuracy_second")
    interval: tuple[float, float] = Field(
        description="Its 95 % interval, for proportions of the same images (Newcombe 1998, method 10)"
    )
    p: float = Field(description="McNemar's exact test, two-sided: the chance of such a difference between equals")
    significant: bool = Field(description="Whether p is below 0.05")


class ScoredPage(Strict):
    """A page of evaluated images, worst mistakes first."""

    items: list[ScoredImage]
    total: int
    limit: int
    offset: int
