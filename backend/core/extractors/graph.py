"""The module that is exported: uint8 pixels -> resize -> normalise -> network -> pooled statistics. Imports torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from backend.core.extractors.stages import Tap

STD_EPSILON = 1e-5
"""Added to the variance under the root: a flat image must not turn rounding errors into features."""


class FeatureGraph(nn.Module):
    """uint8 pixels [N, H, W, 3] -> features float32 [N, dimensions]: the statistics in the order of `wanted`."""

    scale: Tensor
    shift: Tensor

    def __init__(
        self,
        network: nn.Module,
        taps: dict[str, Tap],
        wanted: list[tuple[str, str]],
        input_size: int,
        record: dict[str, Any],
        *,
        flips: bool = False,
    ) -> None:
        """`record` is the weights' own of their preprocessing; `flips`: features of image and mirror image averaged."""
        super().__init__()
        self.flips = flips
        self.top: nn.Module | None = None  # statistics [N, n] -> features, where a fine-tuning has put layers on them
        self.network, self.taps, self.wanted, self.input_size = network, taps, wanted, input_size
        self.interpolation = "bicubic" if record.get("interpolation") == "bicubic" else "bilinear"
        mean, std = torch.tensor(record["mean"]), torch.tensor(record["std"])
        self.register_buffer("scale", (1 / (255 * std)).view(3, 1, 1))
        self.register_buffer("shift", (-mean / std).view(3, 1, 1))

    def forward(self, pixels: Tensor) -> Tensor:
        if not self.flips:
            return self.features(self.resize(pixels))
        features = self.features(self.resize(torch.cat([pixels, pixels.flip(2)])))
        return features.reshape(2, -1, features.shape[1]).mean(dim=0)

    def names(self, pixels: Tensor) -> list[tuple[str, str, int]]:
        """(stage, statistic, how many numbers) of the features in their order."""
        blocks = self.blocks(self.resize(pixels))
        if self.top is not None:
            return [("top", "unit", int(self.top(torch.cat(blocks, dim=1)).shape[1]))]
        return [(*wanted, int(block.shape[1])) for wanted, block in zip(self.wanted, blocks, strict=True)]

    def features(self, resized: Tensor) -> Tensor:
        """Features [N, dimensions] of resized pixels 0..255, without their mirror images."""
        statistics = self.statistics(resized)
        return statistics if self.top is None else self.top(statistics)

    def statistics(self, resized: Tensor) -> Tensor:
        """All pooled statistics of resized pixels 0..255, [N, n]."""
        return torch.cat(self.blocks(resized), dim=1)

    def resize(self, pixels: Tensor) -> Tensor:
        """float [N, 3, input_size, input_size], by two matrix products, rows first."""
        height, width = pixels.shape[1], pixels.shape[2]
        rows = resize_matrix(height, self.input_size, self.interpolation)
        columns = resize_matrix(width, self.input_size, self.interpolation)
        lines = rows @ pixels.to(torch.float32).flatten(2)  # [N, input_size, W * 3]
        lines = lines.reshape(-1, self.input_size, width, 3).permute(0, 3, 1, 2)  # [N, 3, input_size, W]
        resized: Tensor = lines @ columns.T
        return resized

    def blocks(self, resized: Tensor) -> list[Tensor]:
        """The pooled statistics of resized pixels 0..255, one [N, width] each."""
        maps = self._run(resized * self.scale + self.shift)
        return [STATISTICS[statistic](maps[stage].float()) for stage, statistic in self.wanted]  # from mixed precision

    def _run(self, x: Tensor) -> dict[str, Tensor]:
        maps: dict[str, Tensor] = {}
        handles = [self._hook(name, maps) for name, _ in self.wanted if name != "last"]
        try:
            final = self.network.forward_features(x)  # type: ignore[operator]
        finally:
            for handle in handles:
                handle.remove()
        if any(name == "last" for name, _ in self.wanted):
            maps["last"] = self.network.forward_head(final, pre_logits=True)[:, :, None, None]  # type: ignore[operator]
        return maps

    def _hook(self, name: str, maps: dict[str, Tensor]) -> torch.utils.hooks.RemovableHandle:
        tap = self.taps[name]

        def keep(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
            maps[name] = _channels_first(output, tap.channels)

        return self.network.get_submodule(tap.module).register_forward_hook(keep)


def resize_matrix(size_in: int, size_out: int, interpolation: str) -> Tensor:
    """float [size_out, size_in]: each output pixel's weights, antialiased when shrinking, as Pillow and PyTorch do.

    The kernel is the triangle, or Keys' cubic with a = -0.5 (IEEE Trans. ASSP 29(6), 1981), stretched by the shrinking
    factor and normalised at the borders.
    """
    positions = torch.arange(size_in, dtype=torch.float32) + 0.5
    ratio = (positions[-1:] + 0.5) / size_out  # a tensor, so that the exported graph computes it from the input
    centres = (torch.arange(size_out, dtype=torch.float32) + 0.5) * ratio
    distance = (positions[None, :] - centres[:, None]).abs() / ratio.clamp(min=1)
    if interpolation == "bilinear":
        weights = (1 - distance).clamp(min=0)
    else:
        inner = (1.5 * distance - 2.5) * distance * distance + 1
        outer = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
        weights = torch.where(distance < 1, inner, torch.where(distance < 2, outer, torch.zeros_like(outer)))
    return weights / weights.sum(dim=1, keepdim=True)


def _mean(x: Tensor) -> Tensor:
    return functional.adaptive_avg_pool2d(x, 1).flatten(1)


def _std(x: Tensor) -> Tensor:
    """Standard deviation over the places of a map."""
    variance = functional.adaptive_avg_pool2d(x * x, 1) - functional.adaptive_avg_pool2d(x, 1).square()
    return (variance.clamp(min=0) + STD_EPSILON).sqrt().flatten(1)


def _cov(x: Tensor) -> Tensor:
    """Covariances between channels over the places of a map, upper triangle: second-order pooling (Carreira 2012)."""
    places = x.flatten(2)
    centred = places - places.mean(dim=2, keepdim=True)
    covariance = centred @ centred.transpose(1, 2) / places.shape[2]
    row, column = np.triu_indices(x.shape[1])
    return covariance.flatten(1)[:, torch.from_numpy(row * x.shape[1] + column)]


STATISTICS: dict[str, Callable[[Tensor], Tensor]] = {"mean": _mean, "std": _std, "cov": _cov}


def _channels_first(output: Tensor, channels: int) -> Tensor:
    """[N, C, H, W], from that, from [N, H, W, C] or from a transformer's tokens [N, L, C]."""
    if output.ndim == 3:
        return output.transpose(1, 2)[..., None]
    return output if output.shape[1] == channels else output.permute(0, 3, 1, 2)
