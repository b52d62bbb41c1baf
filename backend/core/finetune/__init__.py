"""Fine-tuning: a pretrained network trained further on the images at hand. Only `config` is free of torch."""

from __future__ import annotations

from backend.core.finetune.config import FinetuneConfig

__all__ = ["FinetuneConfig"]
