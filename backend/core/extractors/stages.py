"""Where a network is tapped: the stages that a spec can name, and the presets "all", "last", "texture" and "detail"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from backend.core.errors import ConfigError

PRESETS = {
    "all": "the stem and the output of every stage",
    "last": "the final feature vector alone, as a classifier would see it",
    "texture": "the depthwise activations of the early blocks, where a generator's traces live, and the means of the "
    "late stages for context; the same as all where a network has no depthwise blocks",
    "detail": "texture, and how the channels of the stem and of the first two blocks vary together: more accurate, "
    "40 % more numbers",
}
STATISTICS = ("mean", "std", "cov")


@dataclass(frozen=True)
class Tap:
    """One place in a network: its module's path and the channels of that module's output."""

    module: str
    channels: int


def taps_of(network: Any) -> dict[str, Tap]:
    """The places by name, in the order of the forward pass; "last" is the final feature vector.

    EfficientNets and MobileNets: stem, block1 … blockK (the stages), block1.0, block1.1 … (the blocks in them) and
    block1.0.dw … (the activations after a block's depthwise convolution). Other networks: stage1 … as timm lists them.
    """
    taps: dict[str, Tap] = {}
    if hasattr(network, "conv_stem") and hasattr(network, "blocks"):
        taps["stem"] = Tap("bn1", network.conv_stem.out_channels)
        for i, stage in enumerate(network.blocks):
            for j, block in enumerate(stage):
                where, name = f"blocks.{i}.{j}", f"block{i + 1}.{j}"
                if hasattr(block, "conv_dw"):
                    norm = "bn2" if hasattr(block, "conv_pwl") else "bn1"
                    taps[f"{name}.dw"] = Tap(f"{where}.{norm}", block.conv_dw.out_channels)
                taps[name] = Tap(where, _out_channels(block))
            taps[f"block{i + 1}"] = Tap(f"blocks.{i}", _out_channels(stage[-1]))
    else:
        for i, info in enumerate(network.feature_info):
            taps[f"stage{i + 1}"] = Tap(info["module"], info["num_chs"])
    taps["last"] = Tap("", network.num_features)
    return taps


def _out_channels(block: Any) -> int:
    """Channels that a block gives: those of its last convolution."""
    for name in ("conv_pwl", "conv_pw", "conv"):
        if hasattr(block, name):
            return int(getattr(block, name).out_channels)
    raise ConfigError(f"A block of type {type(block).__name__} cannot be tapped.", "Use the stages all or last.")


def resolve_stages(stages: str | Sequence[str], pooling: Sequence[str], taps: dict[str, Tap]) -> list[tuple[str, str]]:
    """(stage, statistic) in the order of the features. An item "block5:mean" takes that statistic alone.

    Raises ConfigError on a stage or a statistic that does not exist.
    """
    wanted: list[tuple[str, str]] = []
    for item in _expand(stages, taps):
        stage, _, statistic = item.partition(":")
        if stage not in taps:
            raise ConfigError(f"The network has no stage {stage!r}.", f"Its stages: {', '.join(taps)}.")
        if statistic and statistic not in STATISTICS:
            raise ConfigError(f"There is no statistic {statistic!r}.", f"Known: {', '.join(STATISTICS)}.")
        for name in [statistic] if statistic else ["mean"] if stage == "last" else pooling:
            if (stage, name) not in wanted:
                wanted.append((stage, name))
    return wanted


def _expand(stages: str | Sequence[str], taps: dict[str, Tap]) -> list[str]:
    if not isinstance(stages, str):
        return list(stages)
    if stages == "last":
        return ["last"]
    depthwise = [name for name in taps if name.endswith(".dw")]
    if stages == "texture" and depthwise:
        early = depthwise[: depthwise.index("block4.0.dw") + 1] if "block4.0.dw" in depthwise else depthwise
        late = [name for name in ("block5", "block6", "block7") if name in taps]
        return [*early, *(f"{name}:mean" for name in late)]
    if stages == "detail":
        together = [f"{name}:cov" for name in ("stem", "block1", "block2") if name in taps]
        return [*_expand("texture", taps), *together]
    if stages in ("all", "texture"):
        return [name for name in taps if name != "last" and "." not in name]
    raise ConfigError(f"There is no preset {stages!r} of stages.", f"Presets: {', '.join(PRESETS)}; or name stages.")
