"""What a person chooses before a fit, flat and with help for each value."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from backend.api.schemas.common import OneLine, Strict
from backend.core.config import DOUBT, TARGET_FPR, FitConfig
from backend.core.errors import ConfigError, UnknownHead
from backend.core.extractors import CNN, DEFAULT_SPEC, check_spec, concatenation
from backend.core.extractors.stages import PRESETS
from backend.core.finetune import FinetuneConfig
from backend.core.finetune.config import AUGMENTATIONS, RANGES
from backend.core.heads import HEADS, HeadConfig
from backend.core.heads.config import MOST_LAYERS, WIDEST_LAYER

ExtractorSpec = str | dict[str, Any] | list[str | dict[str, Any]]

_DEFAULTS = FitConfig()
_TUNE = FinetuneConfig()
_CNN_FIELDS = ("backbone", "stages", "input_size", "pooling", "flips")


def _ranged(name: str, description: str) -> Any:
    """A number of fine-tuning's: default and range are the core's."""
    low, high = RANGES[name]
    return Field(getattr(_TUNE, name), ge=low, le=high, description=description)


class FinetuneIn(Strict):
    """How the network is trained further. What is left out takes the default."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"epochs": 4, "train": "late", "patience": 2}]})

    train: Literal["all", "early", "late"] | list[str] = Field(
        "all",
        description="What is trained: all, the early or the late half of the network, or a list of its stages; the "
        "rest stays as pretrained",
        examples=["all", ["stem", "block1", "block2"]],
    )
    epochs: int = _ranged("epochs", "Passes over the training images")
    learning_rate: float = _ranged("learning_rate", "Of the network, at its peak")
    head_learning_rate: float = _ranged("head_learning_rate", "Of the layers on top, at its peak")
    weight_decay: float = _ranged("weight_decay", "Of AdamW, on the weights")
    batch_size: int = _ranged("batch_size", "Most images a step; small sets take smaller steps")
    augment: list[Literal["flip", "shift", "rotate", "erase", "mixup"]] = Field(
        ["flip"], max_length=len(AUGMENTATIONS), description="Random changes of the training images"
    )
    patience: int = _ranged("patience", "Epochs in a row without a better validation loss before it stops; 0: never")
    ema: float = _ranged("ema", "Decay of the moving average of the weights in a step; 0: none")
    hidden: list[Annotated[int, Field(ge=4, le=WIDEST_LAYER)]] = Field(
        _TUNE.hidden,
        min_length=1,
        max_length=MOST_LAYERS,
        description="Widths of the layers on top of the network; the last one gives the features of the heads",
    )
    dropout: float = _ranged("dropout", "Share of each hidden layer that each step leaves out")
    warmup: float = _ranged("warmup", "Share of all steps in which the learning rate rises")
    batch_norm: Literal["adapt", "frozen"] = Field(
        "adapt", description="Statistics of batch normalisation: follow the images, or stay as pretrained"
    )
    mixed_precision: Literal["auto", "on", "off"] = Field("auto", description="bfloat16; auto: on a GPU only")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: a GPU where there is one")


class FitConfigIn(Strict):
    """Extractor, head and splits. What is left out takes the default; `GET /options` lists the choices."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"head": "logreg"}, {"head": "svm", "C": 0.01, "stages": "all", "name": "SVM on all stages"}]
        }
    )

    extractor: ExtractorSpec = Field(
        str(DEFAULT_SPEC["name"]),
        description="What turns images into numbers: a name, an object with `name` and its options, or a list of "
        "these, whose numbers are put side by side",
        examples=["cnn", {"name": "spectrum"}, ["cnn", "residual"]],
    )
    backbone: str | None = Field(
        None, max_length=100, description="cnn only: name of the pretrained network", examples=["tf_efficientnet_lite0"]
    )
    stages: str | list[str] | None = Field(
        None, description="cnn only: `all`, `last`, or the stages whose features are used", examples=["all"]
    )
    input_size: int | None = Field(None, description="cnn only: images are resized to this many pixels a side")
    pooling: str | list[str] | None = Field(None, description="cnn only: what is kept of each stage's map")
    flips: bool | None = Field(
        None, description="cnn only: average the features of an image and its mirror image; twice the time"
    )
    head: str = Field(
        _DEFAULTS.head.name, max_length=50, description="The classifier on top", examples=["logreg", "svm"]
    )
    C: float | None = Field(
        None, ge=1e-6, le=1e6, description="Inverse strength of the penalty; null: chosen by cross-validation"
    )
    class_weight: Literal["balanced"] | None = Field(
        None, description="balanced: both classes weigh the same however many images each has; null: each image does"
    )
    epochs: int = Field(
        _DEFAULTS.head.epochs, ge=1, le=1000, description="Passes over the training images, of the sgd heads and mlp"
    )
    components: int = Field(
        _DEFAULTS.head.components, ge=10, le=5000, description="Size of the kernel approximation, of svm_rbf"
    )
    gamma: float = Field(
        _DEFAULTS.head.gamma, ge=1e-4, le=1e4, description="svm_rbf: width of the kernel, in mean squared norms"
    )
    hidden: list[Annotated[int, Field(ge=4, le=WIDEST_LAYER)]] = Field(
        _DEFAULTS.head.hidden, min_length=1, max_length=MOST_LAYERS, description="mlp: widths of its hidden layers"
    )
    dropout: float = Field(
        _DEFAULTS.head.dropout, ge=0, le=0.9, description="mlp: share of each hidden layer left out while it is trained"
    )
    mixup: float = Field(
        _DEFAULTS.head.mixup,
        ge=0,
        le=10,
        description="mlp: how much it is trained on mixtures of images; 0: not at all",
    )
    learning_rate: float = Field(
        _DEFAULTS.head.learning_rate, ge=1e-6, le=1, description="mlp: the largest step of the optimiser AdamW"
    )
    weight_decay: float = Field(
        _DEFAULTS.head.weight_decay, ge=0, le=10, description="mlp: how strongly AdamW pulls weights towards 0"
    )
    ensemble: int = Field(
        _DEFAULTS.head.ensemble, ge=1, le=10, description="mlp: networks from different starts that are averaged"
    )
    finetune: FinetuneIn | bool | None = Field(
        None,
        description="cnn only: train the network further before the head is fitted; true takes every default. Minutes "
        "to hours on a CPU",
        examples=[True, {"epochs": 4}],
    )
    validation_fraction: float = Field(
        _DEFAULTS.validation_fraction,
        ge=0.02,
        le=0.5,
        description="Share of the training images kept for calibration and threshold, where the data set names none",
    )
    test_fraction: float = Field(
        _DEFAULTS.test_fraction,
        ge=0.02,
        le=0.5,
        description="Share of all images kept for the final figures, where the data set names no test images",
    )
    target_fpr: float | None = Field(
        None,
        ge=TARGET_FPR[0],
        le=TARGET_FPR[1],
        description="Most REAL images, as a share, that may be called FAKE among those that set the threshold; null: "
        "best accuracy. The card's fpr_promise says what holds for new images",
        examples=[0.01],
    )
    evaluate_test: bool = Field(
        True, description="false while comparing configurations: the test images stay unread, and final figures honest"
    )
    doubt: float | None = Field(
        None,
        ge=DOUBT[0],
        le=DOUBT[1],
        description="Make `real` `unsure` for images that lean towards what the fakes of the data set's generators "
        "have in common, at the price of this share of REAL images: about half as many fakes of unknown generators are "
        "answered `real`. It takes three named generators. null: no such check",
        examples=[0.18],
    )
    measure_limits: bool = Field(
        True,
        description="Whether the fit measures at its end where the detector stops working: on photographs "
        "edited in part, and on each of its generators where that one is left out",
    )
    seed: int = Field(_DEFAULTS.seed, ge=0, le=2**32 - 1, description="Equal seeds give equal models")
    name: OneLine = Field(
        "", max_length=100, description="Name of the model; empty: made of the data set's and the head's"
    )
    notes: str = Field("", max_length=10_000, description="Anything worth remembering")

    def to_config(self) -> FitConfig:
        """The core's record, checked as far as that goes without data: raises ConfigError and what is below it."""
        if self.head not in HEADS:
            raise UnknownHead(f"There is no head {self.head!r}.", f"Known: {', '.join(HEADS)}.")
        return FitConfig(
            extractor=check_spec(self._spec()),
            head=HeadConfig(
                name=self.head,
                C=self.C,
                class_weight=self.class_weight,
                epochs=self.epochs,
                components=self.components,
                gamma=self.gamma,
                hidden=self.hidden,
                dropout=self.dropout,
                mixup=self.mixup,
                learning_rate=self.learning_rate,
                weight_decay=self.weight_decay,
                ensemble=self.ensemble,
                seed=self.seed,
            ),
            finetune=self._finetune(),
            validation_fraction=self.validation_fraction,
            test_fraction=self.test_fraction,
            target_fpr=self.target_fpr,
            evaluate_test=self.evaluate_test,
            doubt=self.doubt,
            measure_limits=self.measure_limits,
            seed=self.seed,
            name=self.name.strip(),
            notes=self.notes,
        )

    def _finetune(self) -> FinetuneConfig | None:
        given = self.finetune
        return FinetuneConfig.from_json(given.model_dump() if isinstance(given, FinetuneIn) else given)

    def _spec(self) -> dict[str, Any]:
        """The extractor's spec; the fields of the cnn are put into every cnn that does not set them itself."""
        parts = self.extractor if isinstance(self.extractor, list) else [self.extractor]
        given = {name: value for name in _CNN_FIELDS if (value := getattr(self, name)) is not None}
        if isinstance(given.get("pooling"), str):
            given["pooling"] = [given["pooling"]]
        specs = [{"name": part} if isinstance(part, str) else dict(part) for part in parts]
        networks = [spec for spec in specs if spec.get("name") == CNN]
        if given and not networks:
            raise ConfigError(f"`{min(given)}` is a setting of the extractor {CNN}.", f"Use {CNN}, or leave it out.")
        for spec in networks:
            if isinstance(stages := spec.get("stages", self.stages), str) and stages not in PRESETS:
                raise ConfigError(f"There is no preset {stages!r} of stages.", f"Presets: {', '.join(PRESETS)}.")
            spec.update({key: value for key, value in given.items() if key not in spec})
        if not specs:
            raise ConfigError("`extractor` is an empty list.", "Name at least one extractor.")
        return specs[0] if len(specs) == 1 else concatenation(specs)


class FitIn(Strict):
    """A fit on a data set that the server has."""

    dataset_id: str = Field(min_length=1, max_length=200, description="Id or name", examples=["cifake-0a1b2c3d"])
    config: FitConfigIn = FitConfigIn()
