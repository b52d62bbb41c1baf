"""An installation past one machine: an S3 server, PostgreSQL, a scheduler, workers, two API processes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from tests.cluster.parts import CREDENTIALS, Installation, ObjectStore, PostgreSQL

IMAGES, FEW_IMAGES = 2500, 300


@pytest.fixture(scope="package")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """An S3 server without a bucket, which this process may use as well."""
    store = ObjectStore("store", tmp_path_factory.mktemp("store"), {})
    store.start()
    with pytest.MonkeyPatch.context() as patched:
        for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": store.url}.items():
            patched.setenv(name, value)
        yield store
    store.kill()


@pytest.fixture(scope="package")
def installation(tmp_path_factory: pytest.TempPathFactory, object_store: ObjectStore) -> Iterator[Installation]:
    """All parts and two replicas. Whoever kills a part starts it again."""
    if PostgreSQL.programs() is None:
        pytest.skip("no PostgreSQL server is installed (initdb is neither in PATH nor below /usr/lib/postgresql)")
    parts = Installation(tmp_path_factory.mktemp("installation"), object_store)
    try:
        for _ in range(2):
            parts.add_replica()
        yield parts
    finally:
        parts.close()


@pytest.fixture(scope="package")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """See `write_noise`: IMAGES pictures, enough that something can die while their features are computed."""
    return write_noise(tmp_path_factory.mktemp("archive") / "noise.zip", IMAGES)


@pytest.fixture
def small_archive(tmp_path: Path) -> Path:
    """See `write_noise`: FEW_IMAGES pictures."""
    return write_noise(tmp_path / "noise.zip", FEW_IMAGES)


def write_noise(path: Path, images: int) -> Path:
    """A zip of different pictures of 32 x 32 pixels: REAL noise is soft, FAKE noise is hard."""
    random = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as file:
        for number in range(images):
            picture = Image.fromarray(random.integers(0, 256, (32, 32, 3), dtype=np.uint8))
            label = "REAL" if number % 2 else "FAKE"
            if label == "REAL":
                picture = picture.filter(ImageFilter.GaussianBlur(1))
            data = io.BytesIO()
            picture.save(data, "PNG", compress_level=1)
            file.writestr(f"{label}/{number:05d}.png", data.getvalue())
    return path
