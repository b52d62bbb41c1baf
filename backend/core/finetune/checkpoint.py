"""The state of a training run as bytes, so that a killed one goes on where it was: safetensors, never a pickle."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor

logger = logging.getLogger(__name__)

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Place:
    """Where checkpoints are kept: `read` gives the last one's bytes or None, `write` puts one in its place, whole."""

    read: Callable[[], bytes | None]
    write: Callable[[bytes], None]


def pack(tensors: dict[str, Tensors], notes: dict[str, Any]) -> bytes:
    """Named groups of tensors, and plain JSON values beside them."""
    flat = {f"{group}/{name}": each for group, named in tensors.items() for name, each in named.items()}
    return save(
        {name: tensor.detach().cpu().contiguous() for name, tensor in flat.items()},
        {"notes": json.dumps(notes)},
    )


def unpack(data: bytes) -> tuple[dict[str, Tensors], dict[str, Any]]:
    """What `pack` was given. Raises an error of some kind where the bytes are damaged."""
    size = int.from_bytes(data[:8], "little")
    notes = json.loads(json.loads(data[8 : 8 + size])["__metadata__"]["notes"])
    tensors: dict[str, Tensors] = {}
    for flat, tensor in load(data).items():
        group, _, name = flat.partition("/")
        tensors.setdefault(group, {})[name] = tensor
    return tensors, notes


def read_checkpoint(place: Place, fingerprint: str) -> tuple[dict[str, Tensors], dict[str, Any]] | None:
    """The last checkpoint of the run with that fingerprint; None where there is none, or with a line in the log."""
    data = place.read()
    if data is None:
        return None
    try:
        tensors, notes = unpack(data)
        if notes["fingerprint"] == fingerprint:
            return tensors, notes
        reason = "it belongs to another run"
    except Exception as error:  # safetensors raises errors of its own for whatever damage it meets
        reason = f"it is damaged ({type(error).__name__})"
    logger.warning("A checkpoint is left alone, since %s: fine-tuning starts from the beginning.", reason)
    return None


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> Tensors:
    """The optimizer's state by "<parameter's number>.<name>"."""
    state = optimizer.state_dict()["state"]
    return {f"{number}.{name}": value for number, held in state.items() for name, value in held.items()}


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Tensors) -> None:
    """Puts back what `optimizer_tensors` gave."""
    state: dict[int, Tensors] = {}
    for flat, value in tensors.items():
        number, _, name = flat.partition(".")
        state.setdefault(int(number), {})[name] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
