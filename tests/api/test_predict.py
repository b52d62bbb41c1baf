"""POST /predict against the running service: every kind of image, every kind of bad one, and the others answered."""

from __future__ import annotations

import base64
import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from backend.core.images import FORMATS
from tests.api.leftovers import leftovers, peak_growth
from tests.pictures import crop, encode, fake, photo, pixel_bomb
from tests.running import RunningService
from tests.signed import signed


def predict(service: RunningService, *files: tuple[str, bytes], **fields: str) -> httpx.Response:
    parts = [("files", (name, data, "application/octet-stream")) for name, data in files]
    return httpx.post(f"{service.url}/predict", files=parts, data=fields, timeout=60)


def only(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    (prediction,) = answer.json()["predictions"]
    return dict(prediction)


def test_an_answer_says_everything(fitted: RunningService) -> None:
    data = photo(1)
    answer = only(predict(fitted, ("cat.png", data)))
    assert answer["filename"] == "cat.png"
    assert answer["sha256"] == hashlib.sha256(data).hexdigest()
    assert 0 <= answer["probability_fake"] <= 1
    assert answer["label"] == ("FAKE" if answer["probability_fake"] >= answer["threshold"] else "REAL")
    assert answer["verdict"] in ("unsure", answer["label"].lower())
    assert bool(answer["reasons"]) == (answer["verdict"] == "unsure")
    assert len(answer["reason_codes"]) == len(answer["reasons"])
    assert (answer["in_domain"], answer["explanation"], answer["provenance"]) == (None, None, None)
    assert (answer["width"], answer["height"], answer["format"]) == (48, 48, "PNG")
    ready = httpx.get(f"{fitted.url}/ready").json()
    assert answer["model_id"] == ready["model_id"]


@pytest.mark.parametrize("kind", FORMATS)
def test_every_allowed_format_is_answered(fitted: RunningService, kind: str) -> None:
    if kind == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    assert only(predict(fitted, ("x", encode(crop(2, 64), kind))))["format"] == kind


@cache
def odd_images() -> dict[str, bytes]:
    picture = Image.fromarray(crop(3, 64))
    alpha = picture.convert("RGBA")
    alpha.putalpha(100)
    turned = Image.Exif()
    turned[0x0112] = 6
    wide = Image.fromarray(crop(3, 64)[..., 0].astype(np.uint16) * 257)
    return {
        "CMYK": encode(picture.convert("CMYK"), "JPEG"),
        "16 bit": encode(wide, "PNG"),
        "alpha": encode(alpha, "PNG"),
        "palette": encode(picture.convert("P"), "GIF"),
        "grey": encode(picture.convert("L"), "JPEG"),
        "one bit": encode(picture.convert("1"), "PNG"),
        "rotated": encode(picture.crop((0, 0, 64, 32)), "JPEG", exif=turned),
        "animated GIF": encode(picture, "GIF", save_all=True, append_images=[picture.rotate(90)] * 3),
        "animated WebP": encode(picture, "WEBP", save_all=True, append_images=[picture.rotate(90)] * 3),
        "float TIFF": encode(Image.fromarray(crop(3, 64)[..., 0].astype(np.float32) / 255), "TIFF"),
    }


@pytest.mark.parametrize("kind", sorted(odd_images()))
def test_odd_images_are_answered(fitted: RunningService, kind: str) -> None:
    answer = only(predict(fitted, (kind, odd_images()[kind])))
    expected = (32, 64) if kind == "rotated" else (64, 64)  # a photograph on its side is turned upright first
    assert (answer["width"], answer["height"]) == expected


@cache
def bad_images() -> dict[str, tuple[bytes, int, str]]:
    whole = encode(crop(4, 64), "JPEG")
    return {
        "empty": (b"", 415, "image.not_an_image"),
        "text": (b"not an image at all", 415, "image.not_an_image"),
        "html": (b"<html><script>alert(1)</script></html>", 415, "image.not_an_image"),
        "svg": (b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', 415, "image.not_an_image"),
        "pdf": (encode(crop(4, 64), "PDF"), 415, "image.not_an_image"),
        "eps": (encode(crop(4, 64), "EPS"), 415, "image.not_an_image"),
        "icns": (encode(crop(4, 64), "ICNS"), 415, "image.not_an_image"),
        "zip": (b"PK\x03\x04" + b"\0" * 40, 415, "image.not_an_image"),
        "truncated": (whole[: len(whole) // 2], 422, "image.broken"),
        "header only": (whole[:200], 422, "image.broken"),
        "corrupt PNG": (photo(4)[:500] + b"\xff" * 200 + photo(4)[700:], 422, "image.broken"),
        "one pixel": (encode(crop(4)[:1, :1]), 422, "image.too_small"),
        "a thin line": (encode(np.zeros((2, 900, 3), np.uint8)), 422, "image.too_small"),
        "179 million pixels": (pixel_bomb(), 413, "image.too_many_pixels"),
        "900 million pixels": (pixel_bomb(30_000), 413, "image.too_many_pixels"),
    }


@pytest.mark.parametrize("kind", sorted(bad_images()))
def test_a_bad_image_alone_is_the_problem_itself(fitted: RunningService, kind: str) -> None:
    data, status, code = bad_images()[kind]
    answer = predict(fitted, ("bad.jpg", data))
    problem = answer.json()
    if code == "image.broken" and problem["code"] == "image.not_an_image":
        pytest.fail(f"{kind} was not recognised as a broken image: {problem}")
    assert (answer.status_code, problem["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["filename"] == "bad.jpg"
    assert problem["hint"]


def test_bad_files_do_not_fail_the_others(fitted: RunningService) -> None:
    files = []
    for n, (kind, (data, _, _)) in enumerate(sorted(bad_images().items())):
        files += [(f"good-{n}", photo(n)), (kind, data)]
    answer = predict(fitted, *files)
    assert answer.status_code == 200
    body = answer.json()
    assert [item["index"] for item in body["predictions"]] == list(range(0, len(files), 2))
    assert [item["index"] for item in body["errors"]] == list(range(1, len(files), 2))
    for item in body["errors"]:
        _, status, code = bad_images()[item["filename"]]
        assert (item["status"], item["code"]) == (status, code)
        assert {"type", "title", "detail", "hint"} <= item.keys()


def test_several_bad_files_and_no_good_one(fitted: RunningService) -> None:
    answer = predict(fitted, ("a", b"x"), ("b", bad_images()["one pixel"][0]))
    assert (answer.status_code, answer.json()["code"]) == (422, "image")
    assert [item["code"] for item in answer.json()["errors"]] == ["image.not_an_image", "image.too_small"]


def test_files_of_one_name_are_told_apart(fitted: RunningService) -> None:
    answer = predict(fitted, ("same.png", photo(1)), ("same.png", b"bad"), ("same.png", photo(2))).json()
    assert [item["index"] for item in answer["predictions"]] == [0, 2]
    assert [item["index"] for item in answer["errors"]] == [1]
    sums = [hashlib.sha256(photo(n)).hexdigest() for n in (1, 2)]
    assert [item["sha256"] for item in answer["predictions"]] == sums


def test_an_image_gets_the_same_answer_in_any_company(fitted: RunningService) -> None:
    together = predict(fitted, *((str(n), photo(n)) for n in range(40))).json()["predictions"]
    for n in (0, 17, 39):
        alone = only(predict(fitted, ("alone", photo(n))))
        assert alone["score"] == pytest.approx(together[n]["score"], abs=1e-4)


def test_hostile_file_names_are_shown_clean(fitted: RunningService) -> None:
    assert only(predict(fitted, ("../../../etc/passwd", photo(1))))["filename"] == "passwd"


def test_memory_stays_bounded(fitted: RunningService) -> None:
    predict(fitted, ("warm", photo(1)))

    def bombard() -> None:
        assert predict(fitted, *((str(n), pixel_bomb()) for n in range(40))).status_code == 413

    assert peak_growth(fitted, bombard) < 60 * 2**20  # one of them takes 500 MB and more once it is decoded


def test_unknown_model(fitted: RunningService) -> None:
    answer = predict(fitted, ("a", photo(1)), model_id="no-such-model")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_named_model(fitted: RunningService) -> None:
    model_id = httpx.get(f"{fitted.url}/models?q=fitted").json()["items"][0]["id"]
    assert only(predict(fitted, ("a", photo(1)), model_id=model_id))["model_id"] == model_id


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"explain": "perhaps"}, "upload.fields"),
        ({"stability": "2"}, "upload.fields"),
        ({"nonsense": "1"}, "upload.fields"),
    ],
)
def test_wrong_fields(fitted: RunningService, fields: dict[str, str], code: str) -> None:
    answer = predict(fitted, ("a", photo(1)), **fields)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_flags_are_accepted(fitted: RunningService) -> None:
    answer = only(predict(fitted, ("a", photo(1)), explain="true", provenance="true"))
    assert (answer["explanation"], answer["provenance"]) == (None, None)  # features of the spectrum have no places


SHIPPED_MODEL = "cifake-logreg"


def test_an_explanation_adds_up_and_has_a_picture(fitted: RunningService) -> None:
    data = photo(1)
    plain = only(predict(fitted, ("a.png", data), model_id=SHIPPED_MODEL))
    answer = only(predict(fitted, ("a.png", data), model_id=SHIPPED_MODEL, explain="true"))
    explanation = answer.pop("explanation")
    score = answer.pop("score")
    assert score == pytest.approx(plain.pop("score"), abs=1e-4)
    assert {key for key, value in answer.items() if value != plain[key]} <= {"probability_fake"}
    assert (explanation["exact"], explanation["note_code"]) == (True, "exact")
    assert explanation["margin"] == pytest.approx(score, abs=1e-4)
    sums = [np.sum(stage["map"]) for stage in explanation["stages"]]
    assert sums == pytest.approx([stage["share"] for stage in explanation["stages"]], abs=1e-4)
    assert explanation["base"] + sum(sums) == pytest.approx(score, abs=1e-3)
    assert explanation["stages"][0]["note"] is None
    assert "100%" in explanation["stages"][-1]["note"]
    with Image.open(io.BytesIO(base64.b64decode(explanation["heatmap"]))) as heatmap:
        assert (heatmap.format, heatmap.mode, heatmap.size) == ("PNG", "RGBA", (48, 48))


def test_the_heat_map_of_a_large_image_lies_upright_and_is_reduced(fitted: RunningService) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encode(Image.fromarray(crop(3, 290)).resize((1200, 900)), "JPEG", exif=exif)
    explanation = only(predict(fitted, ("a.jpg", data), model_id=SHIPPED_MODEL, explain="1"))["explanation"]
    with Image.open(io.BytesIO(base64.b64decode(explanation["heatmap"]))) as heatmap:
        assert heatmap.size == (384, 512)
    assert all(len(stage["map"]) <= 32 for stage in explanation["stages"])


def test_stability_tells_what_became_of_each_changed_copy(fitted: RunningService) -> None:
    answers = [only(predict(fitted, ("a", data), stability="true")) for data in (photo(1), fake(2), photo(3))]
    for answer in answers:
        stability = answer["stability"]
        assert [each["change"] for each in stability["tried"]] == ["jpeg"] * 3 + ["resize"] * 2 + [
            "crop",
            "blur",
            "flip",
        ]
        assert stability["flips"] == sum(each["flipped"] for each in stability["tried"])
        assert stability["unstable"] == ("unstable" in answer["reason_codes"])
        assert len(answer["reasons"]) == len(answer["reason_codes"])
        if stability["unstable"]:
            assert answer["verdict"] == "unsure"
    assert only(predict(fitted, ("a", photo(1))))["stability"] is None


@pytest.mark.parametrize("flag", ["explain", "stability"])
def test_what_costs_ten_answers_is_for_few_files(fitted: RunningService, flag: str) -> None:
    answer = predict(fitted, *((str(n), photo(n)) for n in range(17)), **{flag: "true"})
    assert (answer.status_code, answer.json()["code"]) == (422, "upload.fields")
    assert "17 files" in answer.json()["detail"]
    assert "16" in answer.json()["detail"]


def test_a_broken_file_among_explained_ones_gets_its_problem(fitted: RunningService) -> None:
    answer = predict(fitted, ("bad", b"x"), ("good", photo(1)), explain="true", stability="true")
    assert [item["index"] for item in answer.json()["errors"]] == [0]
    assert answer.json()["predictions"][0]["stability"]["tried"]


def test_what_a_file_says_of_its_origin_is_told_when_asked_for(fitted: RunningService) -> None:
    data = signed(encode(crop(1), "JPEG"))
    files = (("a.jpg", data), ("b.png", photo(1)), ("c.txt", b"no image"))
    answer = predict(fitted, *files, provenance="true").json()
    assert [bool(item["provenance"]) for item in answer["predictions"]] == [True, False]
    (found,) = answer["predictions"][0]["provenance"]["evidence"]
    assert (found["kind"], found["statement"], found["strength"]) == ("c2pa", "made_by_ai", "signed")
    assert (found["intact"], found["trusted"]) == (True, False)
    assert only(predict(fitted, ("a.jpg", data)))["provenance"] is None


def test_no_files(fitted: RunningService) -> None:
    answer = httpx.post(f"{fitted.url}/predict", files={"model_id": (None, "x")})
    assert (answer.status_code, answer.json()["code"]) == (422, "upload.fields")
    answer = httpx.post(f"{fitted.url}/predict", files={"images": ("a", photo(1))})
    assert (answer.status_code, answer.json()["code"]) == (422, "upload.fields")


def test_no_multipart(fitted: RunningService) -> None:
    answer = httpx.post(f"{fitted.url}/predict", content=photo(1), headers={"Content-Type": "image/png"})
    assert (answer.status_code, answer.json()["code"]) == (415, "request.media_type")


def test_a_file_sent_as_text_is_explained(fitted: RunningService) -> None:
    answer = httpx.post(f"{fitted.url}/predict", files={"files": (None, "photo.jpg")})  # curl -F files=photo.jpg
    assert (answer.status_code, answer.json()["code"]) == (422, "upload.fields")
    assert "-F files=@" in answer.json()["detail"]


def test_more_than_a_thousand_files(fitted: RunningService) -> None:
    answer = predict(fitted, *((str(n), b"x") for n in range(1001)))
    assert (answer.status_code, answer.json()["code"]) == (413, "upload.too_many_files")


def test_many_at_once(fitted: RunningService) -> None:
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda n: predict(fitted, (str(n), photo(n))), range(36)))
    assert [only(answer)["filename"] for answer in answers] == [str(n) for n in range(36)]


def test_predictions_are_not_cached_and_leave_nothing(fitted: RunningService) -> None:
    large = encode(np.random.default_rng(0).integers(0, 256, (1200, 1200, 3), dtype=np.uint8))
    answer = predict(fitted, ("large.png", large))
    assert len(large) > 4 * 10**6
    assert answer.headers["cache-control"] == "no-store"
    assert only(answer)["width"] == 1200
    assert leftovers(fitted) == []


def test_verdicts_are_counted(fitted: RunningService) -> None:
    predict(fitted, ("a", photo(1)), ("b", b"bad"))
    text = httpx.get(f"{fitted.url}/metrics").text
    assert "deepfake_predictions_total{verdict=" in text
    assert 'deepfake_refused_images_total{code="image.not_an_image"}' in text


def test_foreign_pages_cannot_predict(fitted: RunningService) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = httpx.post(f"{fitted.url}/predict", files={"files": ("a", photo(1))}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "security.cross_site")
    answer = httpx.post(f"{fitted.url}/predict", files={"files": ("a", photo(1))}, headers={"Host": "evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (421, "security.host")


def test_images_of_pil_only_formats_are_never_opened() -> None:
    """The list is closed: a format that Pillow reads but nobody asked for stays out."""
    assert set(FORMATS) <= {"JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF"}
    with pytest.raises(OSError, match="cannot identify"):
        Image.open(io.BytesIO(encode(crop(1), "PPM")), formats=FORMATS)


def test_a_parameter_of_the_address_that_nobody_reads_is_refused(fitted: RunningService) -> None:
    answer = httpx.post(f"{fitted.url}/predict?model_id=other", files={"files": ("a.png", photo())})
    assert (answer.status_code, answer.json()["code"]) == (422, "request.unknown_query")
    assert "model_id" in answer.json()["detail"]
    answer = httpx.get(f"{fitted.url}/models?limt=3")
    assert answer.status_code == 422
    assert "limit" in answer.json()["hint"]
