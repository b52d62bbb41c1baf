"""Small valid inputs of every reader, to be damaged."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from safetensors.numpy import save

from backend.core.calibrators import Calibration
from backend.core.detector import Detector
from backend.core.extractors import create
from backend.core.heads import HeadConfig, fit_head
from backend.core.images import FORMATS
from tests.pictures import crop, encode, fake, photo, zipped

_SIDE = 12


@cache
def images() -> list[bytes]:
    """One small image of every format and of unusual modes."""
    pixels = crop(1, _SIDE)
    plain = [encode(pixels, kind) for kind in FORMATS]
    image = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turned by 90 degrees
    exif[0x010E] = "a picture"
    frames = [image, image.rotate(90), image.rotate(180)]
    animated: dict[str, Any] = {"save_all": True, "append_images": frames[1:], "duration": 40}
    return [
        *plain,
        encode(image, "JPEG", exif=exif, quality=40, progressive=True),
        encode(image.convert("CMYK"), "JPEG"),
        encode(image.convert("L"), "JPEG"),
        encode(image, "PNG", exif=exif),
        encode(image.convert("P"), "PNG", transparency=3),
        encode(image.convert("RGBA"), "PNG"),
        encode(Image.fromarray(np.arange(_SIDE * _SIDE, dtype=np.uint16).reshape(_SIDE, _SIDE) * 400), "PNG"),
        encode(image, "PNG", **animated),
        encode(image.convert("LA"), "PNG"),
        encode(image, "GIF", **animated),
        encode(image, "WEBP", lossless=True, exif=exif),
        encode(image, "WEBP", **animated),
        encode(image, "TIFF", compression="tiff_lzw", exif=exif),
        encode(image, "TIFF", compression="tiff_adobe_deflate"),
        encode(image, "TIFF", compression="packbits"),
        encode(image, "TIFF", save_all=True, append_images=frames[1:]),
        encode(Image.fromarray(np.linspace(0, 1, _SIDE * _SIDE, dtype=np.float32).reshape(_SIDE, _SIDE)), "TIFF"),
        encode(image.convert("1"), "BMP"),
        encode(image, "AVIF", exif=exif) if "AVIF" in FORMATS else plain[0],
        encode(image, "MPO", save_all=True, append_images=frames[1:]),
    ]


@cache
def told() -> list[bytes]:
    """Images that say where they come from: EXIF, XMP, text of generators, a comment."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0131] = "Canon", "GIMP"
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + "Steps: 20, Sampler: x".encode("utf-16-be")
    xmp = b'<x:xmpmeta><rdf:RDF a:CreatorTool="x"><b:DigitalSourceType>y</b:DigitalSourceType></rdf:RDF></x:xmpmeta>'
    info = PngInfo()
    info.add_text("parameters", "Steps: 20, Sampler: Euler a, Seed: 1")
    info.add_text("prompt", '{"3": {"class_type": "KSampler"}}', zip=True)
    info.add_itxt("Software", "NovelAI", zip=True)
    pixels = crop(1, _SIDE)
    return [
        encode(pixels, "JPEG", exif=exif, xmp=xmp, comment=b"Steps: 20, Sampler: x"),
        encode(pixels, "PNG", exif=exif, pnginfo=info),
        encode(pixels, "WEBP", exif=exif, xmp=xmp),
        encode(pixels, "TIFF", exif=exif),
    ]


@cache
def archives() -> list[bytes]:
    """Zips: stored, deflated, with metadata, with a comment, streamed."""
    members = [(f"train/REAL/{n}.png", photo(n)[:200]) for n in range(3)]
    members += [(f"train/FAKE/gan/{n}.png", fake(n)[:200]) for n in range(3)]
    listed = [*members[:4], ("metadata.csv", b"file_name,group\ntrain/REAL/0.png,g1\ntrain/FAKE/gan/0.png,g1\n")]
    packed, streamed = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = b"a comment"
        for name, data in members:
            archive.writestr(name, data * 3)
    with zipfile.ZipFile(streamed, "w") as archive:
        for name, data in members[:4]:
            with archive.open(name.replace("REAL", "réal"), "w", force_zip64=True) as member:
                member.write(data)
        archive.writestr("REAL/x.png", photo(0)[:100])
    return [zipped(members), zipped(listed), packed.getvalue(), streamed.getvalue()]


@cache
def parquets() -> list[bytes]:
    """Parquet: struct and bare bytes, labels of three kinds, with and without compression."""
    data = [photo(n)[:150] for n in range(4)]
    struct = [{"bytes": item, "path": f"{n}.png"} for n, item in enumerate(data)]
    names = {b"huggingface": json.dumps({"info": {"features": {"label": {"names": ["REAL", "FAKE"]}}}}).encode()}
    text = ["REAL", "FAKE", "REAL", "FAKE"]
    tables = [
        pa.table({"image": struct, "label": text, "split": ["train", "test"] * 2, "group": ["a", "b"] * 2}),
        pa.table({"image": data, "label": [True, False, None, True]}),
        pa.table({"image": data, "label": [0, 1, 0, 1]}).replace_schema_metadata(names),
        pa.table({"image": data, "label": pa.array(text).dictionary_encode(), "generator": ["", "gan"] * 2}),
    ]
    return [_parquet(table, compression) for table in tables for compression in ("none", "snappy", "zstd")]


def _parquet(table: pa.Table, compression: str) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression=compression, row_group_size=2)
    return buffer.getvalue()


def tables() -> list[bytes]:
    """Lists of groups."""
    return [
        b"file_name,group\nREAL/1.png,a\nFAKE/x/2.png,b\n",
        b'\xef\xbb\xbffile_name,other,group\r\n"REAL/a ""b"".png",1,"x, y"\r\n',
        b"group,file_name\n,\n1,../../x\n1,C:\\x\\y.png\n",
    ]


def forms() -> list[bytes]:
    """Multipart bodies below their Content-Type."""
    start = b"multipart/form-data; boundary=X\n"
    file = b'--X\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    text = b'--X\r\nContent-Disposition: form-data; name="labels"\r\n\r\n["REAL"]\r\n'
    starred = b"--X\r\nContent-Disposition: form-data; name=files; filename*=UTF-8''%e2%82%ac.png\r\n\r\nabc\r\n"
    return [
        start + file + b"\x89PNG\r\n--\r\n" + text + b"--X--\r\n",
        start + text + starred + b"--X--\r\n",
        start + b'--X\r\nContent-Disposition: form-data; name="archive"; filename=""\r\n\r\n\r\n--X--\r\n',
        b'multipart/form-data; boundary="X Y"; charset=utf-8\n--X Y--',
    ]


@cache
def models() -> list[bytes]:
    """Cards with their arrays: a linear and a kernel head on features without weights."""
    random = np.random.default_rng(0)
    made = []
    line, bent = Calibration("platt", 1.0), Calibration("isotonic", 1.0, knots=((-1.0, -2.0), (1.0, 2.0)))
    for head, spec, curve in (("logreg", {"name": "npr"}, line), ("svm_rbf", {"name": "residual"}, bent)):
        extractor = create(spec, backbones=None, threads=1)  # type: ignore[arg-type]  # needs no weights
        X = random.normal(size=(24, extractor.dimensions)).astype(np.float32)
        fitted = fit_head(X, np.tile(np.array([0, 1], np.int8), 12), HeadConfig(name=head, C=1.0))
        detector = Detector(extractor, fitted, curve, 0.5, (32, 64))
        card = json.dumps(detector.describe()).encode()
        arrays = save({name: np.ascontiguousarray(array) for name, array in fitted.arrays().items()})
        made.append(len(card).to_bytes(2, "little") + card + arrays)
    return made


def exports() -> list[bytes]:
    """An exported model with the smallest card that is let in."""
    texts = dict.fromkeys(("name", "notes", "created_at", "activation", "loss"), "x")
    tables: dict[str, Any] = {key: {} for key in ("dataset", "config", "head", "metrics", "accuracy", "timings")}
    extractor = {"name": "npr", "spec": {"name": "npr"}, "digest": "0"}
    fitted = {"calibration": {"a": 1.0, "b": 0}, "threshold": 0.5, "unsure_band": [0.4, 0.6], "generators": []}
    card = {"id": "a", **texts, **tables, **fitted, "extractor": extractor}
    return [zipped([("a/card.json", json.dumps(card).encode()), ("a/head.safetensors", models()[0][-200:])])]


SEEDS: dict[str, Callable[[], list[bytes]]] = {
    "image": images,
    "origin": told,
    "zip": archives,
    "parquet": parquets,
    "metadata": tables,
    "form": forms,
    "model": models,
    "export": exports,
}
"""Reader -> a function that makes its valid inputs."""
