"""Fine-tuning: pixels and labels in, a feature graph with better weights out. Imports torch: only where a fit runs."""

from __future__ import annotations

import copy
import hashlib
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from backend.core.errors import ConfigError
from backend.core.extractors.backbones import weights_digest
from backend.core.extractors.graph import FeatureGraph
from backend.core.extractors.options import digest_of
from backend.core.finetune.augment import augment
from backend.core.finetune.checkpoint import Place, optimizer_tensors, pack, read_checkpoint, restore_optimizer
from backend.core.finetune.config import FinetuneConfig
from backend.core.finetune.network import JointNetwork, Labelled, adapt_statistics, freeze, probe, scores, set_training
from backend.core.heads import HeadConfig
from backend.core.heads.rows import class_weights
from backend.core.metrics import auroc

VERSION = 3
"""Raise when equal settings would give other weights: older checkpoints do not count then."""

PROBE_IMAGES = 20_000
ADAPT_IMAGES = 5_000
"""Most training images that the start of the layers on top and the batch statistics are taken from."""

PROBE_EPOCHS = 8

LEAST_STEPS = 16
LEAST_BATCH = 16
"""Small sets: batches are made smaller, down to LEAST_BATCH images, for LEAST_STEPS steps an epoch."""

CHECKPOINT_SECONDS = 60.0
MOST_GRADIENT = 5.0
"""Norm that gradients are clipped to."""

STAGE = "fine-tune"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Plan:
    """What decides the result beside the images."""

    config: FinetuneConfig
    class_weight: str | None = None  # of the loss: None, or "balanced"
    seed: int = 0


@dataclass(frozen=True)
class Tuned:
    """The best epoch's network, ready to be exported, and what the model card says of the way to it."""

    graph: FeatureGraph
    report: dict[str, Any]


def finetune(
    graph: FeatureGraph,
    train: Labelled,
    validation: Labelled,
    plan: Plan,
    *,
    threads: int = 1,
    progress: Progress,
    place: Place,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> Tuned:
    """The network of `graph` trained further on `train`, in place.

    The epoch of the lowest loss on `validation` counts, the start (epoch 0) among them. On a CPU the result depends on
    nothing but the arguments, however often the run was killed and went on from `place`; `progress(stage, images
    seen, images in all)` is called in each step and may raise to cancel. Raises ConfigError.
    """
    torch.set_num_threads(threads)
    run = _Run(graph, (train, validation), plan, progress, place)
    run.start()
    while not run.is_over():
        run.epoch(checkpoint_seconds)
    return run.result()


class _Run:
    """One training run: model, average, optimizer and how far they are."""

    def __init__(
        self, graph: FeatureGraph, images: tuple[Labelled, Labelled], plan: Plan, progress: Progress, place: Place
    ) -> None:
        (train, validation), config = images, plan.config
        self.train, self.validation, self.config, self.seed = train, validation, config, plan.seed
        self.class_weight, self._progress, self._place = plan.class_weight, progress, place
        self.device = choose_device(config.device)
        described = [graph.wanted, graph.input_size, graph.interpolation, graph.flips, weights_digest(graph)]
        torch.manual_seed(plan.seed)
        model = JointNetwork(graph, config.hidden, config.dropout)
        freeze(model, config.train)
        self.model = model.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.batch = batch_size(len(train.y), config.batch_size)
        self.steps_per_epoch = -(-len(train.y) // self.batch)
        self.weights = class_weights(train.y, plan.class_weight)
        self.fingerprint = digest_of(VERSION, described, asdict(plan), _digest(train), _digest(validation))
        self.step, self.seconds, self.resumed = 0, 0.0, 0
        self.sums = {"loss": 0.0, "right": 0.0, "seen": 0.0}
        self.history: list[dict[str, Any]] = []
        self.first: dict[str, Any] = {}
        self.best: dict[str, Tensor] = {}
        self.best_epoch = 0

    def start(self) -> None:
        """Goes on from the last checkpoint, or begins with the probe."""
        self._told = time.monotonic()
        found = read_checkpoint(self._place, self.fingerprint)
        if found is None:
            self._begin()
        self._prepare()
        if found is not None:
            self._restore(*found)

    def _begin(self) -> None:
        random = np.random.default_rng([self.seed, 0])
        some = np.sort(random.permutation(len(self.train.y))[:PROBE_IMAGES])
        images = Labelled(self.train.pixels[some], self.train.y[some], self.train.groups[some])
        if self.config.batch_norm == "adapt":
            adapt_statistics(self.model, images.pixels[:: max(1, -(-len(some) // ADAPT_IMAGES))], self._tell)
        head = HeadConfig(
            "mlp",
            class_weight=self.class_weight,
            epochs=PROBE_EPOCHS,
            hidden=self.config.hidden,
            dropout=self.config.dropout,
            seed=self.seed,
        )
        probe(self.model, images, head, self._tell)
        self.first = self._measure(self.model)
        self._keep_best(0, self.model)

    def _prepare(self) -> None:
        """Average, optimizer and schedule, as timm makes them."""
        from timm.optim._param_groups import param_groups_weight_decay
        from timm.scheduler.cosine_lr import CosineLRScheduler
        from timm.utils.model_ema import ModelEmaV3

        config, total = self.config, self.config.epochs * self.steps_per_epoch
        self.average = ModelEmaV3(self.model, config.ema, use_warmup=True) if config.ema else None
        groups = []
        for part, rate in (
            (self.model.graph, config.learning_rate),
            (self.model.top, config.head_learning_rate),
            (self.model.unit, config.head_learning_rate),
        ):
            groups += [{**group, "lr": rate} for group in param_groups_weight_decay(part, config.weight_decay)]
        self.optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.99))
        self.schedule = CosineLRScheduler(
            self.optimizer, t_initial=total, warmup_t=round(config.warmup * total), t_in_epochs=False
        )

    def is_over(self) -> bool:
        """Whether all epochs are done, or none was better than the best for too long."""
        done = len(self.history)
        patience = self.config.patience
        return done >= self.config.epochs or (patience > 0 and done - self.best_epoch >= patience)

    def epoch(self, checkpoint_seconds: float) -> None:
        """The rest of the present epoch, measured at its end."""
        epoch = len(self.history)
        order = np.random.default_rng([self.seed, 1, epoch]).permutation(len(self.train.y))
        parts = np.array_split(order, self.steps_per_epoch)  # nearly equal: no batch is left with a few images
        saved = time.monotonic()
        for rows in parts[self.step - epoch * self.steps_per_epoch :]:
            self._learn(np.sort(rows))
            self._tell()
            if time.monotonic() - saved > checkpoint_seconds:
                self._save()
                saved = time.monotonic()
        self._close_epoch(epoch + 1)
        self._save()

    def _learn(self, rows: NDArray[np.intp]) -> None:
        """One step. Whatever is random in it follows from the seed and the step's number."""
        random = np.random.default_rng([self.seed, 2, self.step])
        torch.manual_seed(int(random.integers(2**62)))  # of the dropout
        y = self.train.y[rows].astype(np.float32)
        changed, targets = augment(self.train.pixels[rows], y, self.config.augment, random)
        pixels = torch.from_numpy(changed).to(self.device)
        self.schedule.step_update(self.step)
        set_training(self.model, batch_norm=self.config.batch_norm == "adapt" and len(rows) >= LEAST_BATCH // 2)
        with self._precision():
            logits = self.model(pixels).float()
        losses = functional.binary_cross_entropy_with_logits(
            logits, torch.from_numpy(targets).to(self.device), reduction="none"
        )
        loss = (losses * torch.from_numpy(self.weights[rows]).to(self.device)).mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), MOST_GRADIENT)
        self.optimizer.step()
        self.step += 1
        if self.average is not None:
            self.average.update(self.model, self.step)
        value = float(loss.detach())
        if not np.isfinite(value):
            raise self._diverged()
        right = int(((logits.detach().cpu().numpy() > 0) == (targets > 0.5)).sum())
        for name, amount in (("loss", value * len(rows)), ("right", right), ("seen", len(rows))):
            self.sums[name] += amount

    def _diverged(self) -> ConfigError:
        hint = "Choose smaller learning rates, or a longer warm-up."
        return ConfigError(f"Fine-tuning diverged in step {self.step}.", hint)

    def _close_epoch(self, epoch: int) -> None:
        """Measures the network as it is and its average, and keeps the better of them where it is the best so far."""
        candidates = {"raw": self.model} | ({} if self.average is None else {"average": self.average.module})
        measured = {name: self._measure(model) for name, model in candidates.items()}
        name = min(measured, key=lambda name: measured[name]["validation_loss"])
        seen = max(self.sums["seen"], 1.0)
        self.history.append(
            {
                "epoch": float(epoch),
                "train_loss": self.sums["loss"] / seen,
                "train_accuracy": self.sums["right"] / seen,
                **measured[name],
                "weights": name,
            }
        )
        self.sums = dict.fromkeys(self.sums, 0.0)
        before = [self.first, *self.history[:-1]][self.best_epoch]["validation_loss"]
        if measured[name]["validation_loss"] < before:
            self._keep_best(epoch, candidates[name])

    def _measure(self, model: JointNetwork) -> dict[str, Any]:
        with self._precision():
            logits = scores(model, self.validation.pixels, self._tell)
        if not np.isfinite(logits).all():
            raise self._diverged()
        y = self.validation.y
        losses = np.logaddexp(0.0, np.where(y > 0, -logits, logits)) * class_weights(y, self.class_weight)
        return {
            "validation_loss": float(losses.mean()),
            "validation_accuracy": float(((logits > 0) == (y > 0)).mean()),
            "validation_auroc": auroc(y, logits),
        }

    def _keep_best(self, epoch: int, model: JointNetwork) -> None:
        self.best_epoch = epoch
        self.best = {name: tensor.detach().cpu().clone() for name, tensor in model.state_dict().items()}

    def _precision(self) -> AbstractContextManager[Any]:
        wanted = self.config.mixed_precision
        enabled = wanted == "on" or (wanted == "auto" and self.device.type != "cpu")
        return torch.autocast(self.device.type, torch.bfloat16, enabled=enabled)

    def _tell(self) -> None:
        now = time.monotonic()
        self.seconds += now - self._told
        self._told = now
        images = len(self.train.y)
        seen = len(self.history) * images + int(self.sums["seen"])
        self._progress(STAGE, seen, self.config.epochs * images)

    def _save(self) -> None:
        tensors = {"model": self.model.state_dict(), "best": self.best, "optimizer": optimizer_tensors(self.optimizer)}
        if self.average is not None:
            tensors["average"] = self.average.module.state_dict()
        notes = {name: getattr(self, name) for name in _NOTED}
        self._place.write(pack(tensors, notes))

    def _restore(self, tensors: dict[str, dict[str, Tensor]], notes: dict[str, Any]) -> None:
        self.model.load_state_dict(tensors["model"])
        if self.average is not None:
            self.average.module.load_state_dict(tensors["average"])
        restore_optimizer(self.optimizer, tensors["optimizer"])
        self.best = tensors["best"]
        for name in _NOTED:
            setattr(self, name, notes[name])
        self.resumed += 1

    def result(self) -> Tuned:
        """The best epoch's network on the CPU, and the report."""
        model = copy.deepcopy(self.model).cpu()
        model.load_state_dict(self.best)
        return Tuned(
            model.embedding(),
            {
                "config": asdict(self.config),
                "start": self.first,
                "history": self.history,
                "best_epoch": self.best_epoch,
                "images": len(self.train.y),
                "validation_images": len(self.validation.y),
                "batch_size": self.batch,
                "seconds": round(self.seconds, 2),
                "resumed": self.resumed,
                "device": torch.cuda.get_device_name() if self.device.type == "cuda" else "cpu",
            },
        )


_NOTED = ("fingerprint", "step", "seconds", "resumed", "sums", "history", "first", "best_epoch")
"""What of a run is noted beside its tensors."""


def batch_size(images: int, most: int) -> int:
    """Images a step: `most`, and fewer where an epoch would have less than LEAST_STEPS steps."""
    return max(2, min(most, images, max(LEAST_BATCH, images // LEAST_STEPS)))


def choose_device(name: str) -> torch.device:
    """Where to train. Raises ConfigError for a GPU that is not there."""
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise ConfigError("finetune.device is 'cuda', but PyTorch sees no GPU here.", "Choose auto or cpu.")
    return torch.device("cuda" if there and name != "cpu" else "cpu")


def _digest(images: Labelled) -> str:
    digest = hashlib.sha256(np.ascontiguousarray(images.y).tobytes())
    digest.update(str(images.pixels.shape).encode())
    digest.update(np.ascontiguousarray(images.pixels).data)
    return digest.hexdigest()
