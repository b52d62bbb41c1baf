"""Makes `import torchvision`, hence `import timm`, work where torchvision's compiled operators do not load.

The registry's torchvision wheel is built for CUDA. Beside a CPU-only torch its extension does not load, and then
`import torchvision` fails with "operator torchvision::nms does not exist". Nothing here ever calls these operators.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_declared: list[torch.library.Library] = []  # a Library takes its schemas with it when it is collected


def declare_missing_operators() -> None:
    """Declare the schemas that `import torchvision` asks for, when and only when its own extension cannot load."""
    if _declared or _extension_loads():
        return
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for schema in _SCHEMAS:
        library.define(schema)  # type: ignore[no-untyped-call]
    _declared.append(library)


def _extension_loads() -> bool:
    spec = importlib.util.find_spec("torchvision")
    if spec is None or not spec.submodule_search_locations:
        return True  # no torchvision, nothing to repair
    for folder in spec.submodule_search_locations:
        for library in sorted([*Path(folder).glob("_C*.so"), *Path(folder).glob("_C*.pyd")]):
            try:
                torch.ops.load_library(str(library))  # type: ignore[no-untyped-call]
            except (OSError, RuntimeError):
                continue
            return True
    return False
