"""The demonstration set as a source: made on the worker, from nothing but the installed packages."""

from __future__ import annotations

from collections.abc import Iterator

from backend.core.demo import IMAGES, make_demo
from backend.service.sources.base import ChunkPlan, RawImage, Skip


class DemoSource:
    """The images of core.demo, each with its photograph as the group."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed

    def chunks(self) -> list[ChunkPlan]:
        """One piece: its generators are fitted once."""
        return [ChunkPlan(0, IMAGES, ())]

    def read(self, plan: ChunkPlan) -> Iterator[RawImage | Skip]:  # noqa: ARG002
        """All images, made now."""
        for image in make_demo(self._seed):
            yield RawImage(image.path, image.data, image.label, "", image.generator, image.group)

    def groups(self) -> dict[str, str]:
        """Empty: the groups come with the images."""
        return {}
