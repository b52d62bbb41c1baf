"""What files say of their origin: every kind of block, damaged ones, signatures whole and broken."""

from __future__ import annotations

import io
import socket
import struct
import threading
import zlib
from collections.abc import Iterator

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from backend.core.images import decode
from backend.core.provenance import c2pa as c2pa_reader
from backend.core.provenance.evidence import MOST_LETTERS, Evidence, clean
from backend.core.provenance.examine import examine
from tests.pictures import crop, encode
from tests.signed import authority, pointing, signed

XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" {attributes}>{elements}</rdf:Description></rdf:RDF></x:xmpmeta>'
)
SETTINGS = "a cat\nNegative prompt: dog\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Model: sdxl"


def said(data: bytes, anchors: str = "") -> dict[str, tuple[str, str]]:
    """Source -> (statement, strength)."""
    return {one.source: (one.statement, one.strength) for one in examine(data, anchors)}


def only(data: bytes, anchors: str = "") -> Evidence:
    (one,) = examine(data, anchors)
    return one


def with_xmp(attributes: str = "", elements: str = "") -> bytes:
    return encode(crop(0), "JPEG", xmp=XMP.format(attributes=attributes, elements=elements).encode())


def with_texts(**texts: str) -> bytes:
    info = PngInfo()
    for keyword, text in texts.items():
        info.add_itxt(keyword.replace("_", "-"), text) if not text.isascii() else info.add_text(
            keyword.replace("_", "-"), text
        )
    return encode(crop(0), "PNG", pnginfo=info)


def with_chunk(name: bytes, body: bytes) -> bytes:
    """A PNG with a chunk behind its pixels."""
    data = encode(crop(0))
    chunk = struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    return data[:-12] + chunk + data[-12:]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"])
def test_a_file_that_says_nothing_gives_nothing(kind: str) -> None:
    assert examine(encode(crop(0), kind)) == []


def test_a_camera_and_a_program_in_exif_are_plain_claims() -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0131] = "Canon", "EOS R5", "Adobe Photoshop 25.0"
    exif.get_ifd(0x8769)[0x9003] = "2024:05:01 10:00:00"
    for kind in ("JPEG", "PNG", "WEBP", "TIFF"):
        data = encode(crop(0), kind, exif=exif)
        assert said(data)["EXIF camera"] == ("captured", "plain"), kind
        assert said(data)["EXIF software"] == ("edited", "plain"), kind
    assert "Canon EOS R5" in examine(data)[0].detail


def test_prompts_in_exif_comments_are_found_in_both_byte_orders() -> None:
    for encoding in ("utf-16-be", "utf-16-le"):
        exif = Image.Exif()
        exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + SETTINGS.encode(encoding)
        found = only(encode(crop(0), "JPEG", exif=exif))
        assert (found.source, found.statement) == ("EXIF UserComment", "made_by_ai")
        assert "Steps: 20" in found.detail


@pytest.mark.parametrize(
    ("code", "statement"),
    [
        ("trainedAlgorithmicMedia", "made_by_ai"),
        ("compositeWithTrainedAlgorithmicMedia", "edited_with_ai"),
        ("digitalCapture", "captured"),
        ("humanEdits", "edited"),
        ("somethingNew", "claims"),
    ],
)
def test_the_digital_source_type_is_read_however_it_is_written(code: str, statement: str) -> None:
    address = f"http://cv.iptc.org/newscodes/digitalsourcetype/{code}"
    for data in (
        with_xmp(f'Iptc4xmpExt:DigitalSourceType="{address}"'),
        with_xmp(elements=f"<Iptc4xmpExt:DigitalSourceType>{address}</Iptc4xmpExt:DigitalSourceType>"),
        with_xmp(elements=f'<Iptc4xmpExt:DigitalSourceType rdf:resource="{address}"/>'),
        with_xmp(f"Iptc4xmpExt:DigitalSourceType='{code}'"),
    ):
        assert said(data) == {"IPTC DigitalSourceType": (statement, "plain")}


def test_programs_in_xmp_are_told() -> None:
    found = said(
        with_xmp(
            'xmp:CreatorTool="Adobe Photoshop 25.1" photoshop:Credit="Made with Google AI"',
            "<stEvt:softwareAgent>Adobe Firefly</stEvt:softwareAgent>",
        )
    )
    assert found == {
        "XMP CreatorTool": ("edited", "plain"),
        "XMP Credit": ("made_by_ai", "plain"),
        "XMP history": ("made_by_ai", "plain"),
    }


@pytest.mark.parametrize(
    ("texts", "statement"),
    [
        ({"parameters": SETTINGS}, "made_by_ai"),
        ({"prompt": '{"3": {"class_type": "KSampler", "inputs": {}}}'}, "made_by_ai"),
        ({"workflow": '{"nodes": [], "links": []}'}, "made_by_ai"),
        ({"Dream": "a cat -s 50"}, "made_by_ai"),
        ({"sd_metadata": "{}"}, "made_by_ai"),
        ({"Software": "NovelAI"}, "made_by_ai"),
        ({"Description": "a cat --v 6.0 --ar 1:1 Job ID: 0f3c1b2a-1111-2222-3333-444455556666"}, "made_by_ai"),
        ({"Software": "GIMP 2.10"}, "edited"),
        ({"Software": "кисть"}, "claims"),
        ({"prompt": "{no json"}, "unreadable"),
    ],
)
def test_what_generators_write_into_pngs_is_found(texts: dict[str, str], statement: str) -> None:
    assert only(with_texts(**texts)).statement == statement


def test_text_behind_the_pixels_and_packed_text_are_read() -> None:
    packed = b"parameters\0\0" + zlib.compress(SETTINGS.encode())
    assert only(with_chunk(b"zTXt", packed)).statement == "made_by_ai"
    packed = b"parameters\0\1\0\0\0" + zlib.compress(SETTINGS.encode())
    assert only(with_chunk(b"iTXt", packed)).statement == "made_by_ai"


def test_a_comment_of_a_jpeg_counts_where_it_names_a_generator() -> None:
    assert only(encode(crop(0), "JPEG", comment=SETTINGS)).source == "comment"
    assert examine(encode(crop(0), "JPEG", comment="holidays")) == []


def test_the_older_iptc_block_is_read() -> None:
    from backend.core.provenance.xmp import read_iptc

    program = b"\x1c\x02\x41\x00\x09Photoshop"
    credit = b"\x1c\x02\x6e\x00\x13Made with Google AI"
    assert [one.statement for one in read_iptc(program + credit)] == ["edited", "made_by_ai"]
    assert [one.statement for one in read_iptc(program + credit[:-4])] == ["edited", "unreadable"]
    assert [one.statement for one in read_iptc(b"junk")] == ["unreadable"]


DAMAGED = {
    "EXIF": encode(crop(0), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff junk"),
    "EXIF without a head": encode(crop(0), "JPEG", exif=b"Exif\0\0no header at all"),
    "XMP": encode(crop(0), "JPEG", xmp=b"\xff\xfe\x00 not xml"),
    "packed text": with_chunk(b"zTXt", b"parameters\0\0this is not packed"),
    "text without keyword": with_chunk(b"iTXt", b"\0"),
    "C2PA": with_chunk(b"caBX", b"\0\0\0\x20jumb\0\0\0\x18jumdc2pa junk junk junk"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_block_gives_an_entry_and_the_picture_is_still_read(name: str) -> None:
    data = DAMAGED[name]
    assert decode(data).width == 48
    assert [(one.statement, one.strength) for one in examine(data)] == [("unreadable", "none")]


def test_values_are_one_bounded_line_without_invisible_letters() -> None:
    hostile = "a\u202eb\x00c\nd" + "x" * 10_000
    assert clean(hostile) == "ab c d" + "x" * (MOST_LETTERS - 7) + "…"
    assert len(only(with_texts(parameters=SETTINGS * 500)).detail) <= MOST_LETTERS
    assert len(examine(with_xmp("".join(f' a{n}:CreatorTool="tool {n}"' for n in range(100))))) == 5


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_an_intact_manifest_is_told_apart_from_a_trusted_signer(kind: str) -> None:
    data = signed(encode(crop(0), kind), f"image/{kind.lower()}")
    stranger = only(data)
    assert (stranger.statement, stranger.strength) == ("made_by_ai", "signed")
    assert (stranger.intact, stranger.trusted) == (True, False)
    assert "Test camera, Test Signer (not on the trust list)" in stranger.detail
    assert "Test <b>Diffusion</b>" in stranger.detail
    known = only(data, authority().root)
    assert (known.strength, known.intact, known.trusted) == ("trusted", True, True)


def test_a_photograph_that_was_changed_after_signing_is_broken_and_no_error() -> None:
    data = bytearray(signed(encode(crop(0), "JPEG"), source_type="digitalCapture"))
    assert only(bytes(data), authority().root).statement == "captured"
    data[-300] ^= 1
    broken = only(bytes(data), authority().root)
    assert (broken.statement, broken.strength) == ("claims", "none")
    assert (broken.intact, broken.trusted) == (False, False)
    assert "the picture was changed after it was signed" in broken.detail
    assert "captured" in broken.detail


def test_a_signature_that_does_not_fit_what_is_signed_is_told() -> None:
    data = signed(encode(crop(0), "JPEG"))
    assert data.count(b"test program") == 1  # in the claim, which the signature covers
    broken = only(data.replace(b"test program", b"best program"), authority().root)
    assert (broken.strength, broken.intact, broken.trusted) == ("none", False, False)
    assert "the signature does not fit what is signed" in broken.detail


def test_a_manifest_that_is_cut_is_an_entry() -> None:
    data = signed(encode(crop(0), "PNG"), "image/png")
    place = data.index(b"caBX") + 2000
    found = only(data[:place] + bytes(500) + data[place + 500 :])
    assert found.strength == "none"


@pytest.fixture
def listening() -> Iterator[tuple[str, list[bytes]]]:
    """An address of loopback and what was asked there."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                with connection:
                    asked.append(connection.recv(1000))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/manifest.c2pa", asked
        finally:
            ended.set()
            thread.join()


def test_a_manifest_that_is_kept_elsewhere_is_never_fetched(listening: tuple[str, list[bytes]]) -> None:
    url, asked = listening
    data = pointing(encode(crop(0), "JPEG"), url)
    assert url.encode() in data
    found = only(data, authority().root)
    assert (found.source, found.statement, found.strength) == ("XMP provenance", "claims", "plain")
    assert found.detail == f"A C2PA manifest is kept elsewhere; not fetched: {url}"
    assert asked == []


def test_nobody_is_asked_whether_a_certificate_was_revoked(listening: tuple[str, list[bytes]]) -> None:
    url, asked = listening
    data = signed(encode(crop(0), "JPEG"), ocsp=url)
    assert url.encode() in data
    assert only(data, authority(url).root).strength == "trusted"
    assert asked == []


def test_a_reader_that_hangs_or_dies_is_an_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    data = signed(encode(crop(0), "JPEG"))
    monkeypatch.setattr(c2pa_reader, "SECONDS", 0.001)
    assert "too long" in only(data).detail
    monkeypatch.setattr(c2pa_reader, "SECONDS", 60.0)
    monkeypatch.setattr(c2pa_reader, "_CHILD", c2pa_reader._CHILD.with_name("no_such_program.py"))
    assert "stopped" in only(data).detail
    monkeypatch.setattr(c2pa_reader, "MOST_BYTES", 10)
    assert "too large" in only(data).detail


def test_every_beginning_of_a_signed_file_is_survived() -> None:
    exif = Image.Exif()
    exif[0x0131] = "GIMP"
    data = encode(crop(0), "JPEG", exif=exif, xmp=XMP.format(attributes='xmp:CreatorTool="x"', elements="").encode())
    for length in range(0, len(data), 37):
        examine(data[:length])
    assert io.BytesIO(data).read(2) == b"\xff\xd8"
