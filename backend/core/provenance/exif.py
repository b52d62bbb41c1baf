"""What the EXIF block says: camera, program, and the prompts that some generators write into it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

from PIL import ExifTags, Image

from backend.core.provenance.evidence import Evidence, Statement, clean, plain, unreadable
from backend.core.provenance.prompts import has_settings
from backend.core.provenance.tools import program_says

_TAGS = ExifTags.Base


def read_exif(block: bytes) -> list[Evidence]:
    """Evidence of an EXIF block, with or without its first six letters; a damaged one gives an entry too."""
    if not block:
        return []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exif = Image.Exif()
            exif.load(block)
            details = exif.get_ifd(ExifTags.IFD.Exif)
            values = {**dict(exif), **dict(details)}
            return list(_evidence(values)) if values else [unreadable("exif", "EXIF", "The EXIF block holds no value.")]
        except MemoryError:
            raise
        except Exception as error:  # readers raise whatever a hostile block leads them to
            return [unreadable("exif", "EXIF", f"The EXIF block cannot be read: {error}")]


def _evidence(values: dict[int, object]) -> Iterator[Evidence]:
    camera = " ".join(dict.fromkeys(clean(values[tag]) for tag in (_TAGS.Make, _TAGS.Model) if values.get(tag)))
    if camera:
        taken = values.get(_TAGS.DateTimeOriginal)
        statement: Statement = "made_by_ai" if program_says(camera) == "made_by_ai" else "captured"
        detail = f"{camera}, {clean(taken)}" if taken else camera
        yield plain("exif", "EXIF camera", statement, detail)
    if program := clean(values.get(_TAGS.Software) or ""):
        yield plain("exif", "EXIF software", program_says(program), program)
    for tag in (_TAGS.Artist, _TAGS.ImageDescription):
        text = clean(values.get(tag) or "")
        if text and program_says(text) == "made_by_ai":
            yield plain("exif", f"EXIF {tag.name}", "made_by_ai", text)
    comment = _comment(values.get(_TAGS.UserComment))
    if comment and (has_settings(comment) or program_says(comment) == "made_by_ai"):
        yield plain("exif", "EXIF UserComment", "made_by_ai", comment)


def _comment(value: object) -> str:
    """The text of a UserComment: eight letters of its encoding come first (Exif 3.0, 4.6.6)."""
    if isinstance(value, str):
        return value
    if not isinstance(value, bytes):
        return ""
    encoding, text = value[:8], value[8:]
    if encoding.startswith(b"UNICODE"):
        guess = "utf-16-le" if text[1:2] == b"\0" else "utf-16-be"
        return text.decode(guess, "replace").strip("\0")
    return (text if encoding.startswith((b"ASCII", b"\0")) else value).decode("utf-8", "replace").strip("\0")
