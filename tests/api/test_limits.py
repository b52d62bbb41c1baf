"""Bodies over the limit, with and without Content-Length, and malformed ones; against a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

from backend.api import problems
from backend.api.limits import MAX_JSON_BYTES, BodyLimit
from backend.api.multipart import clean_name, read_multipart
from backend.api.spool import Pack
from tests.api.serving import serving, talk

LIMIT = 2_000_000


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    app = FastAPI()
    problems.install(app)
    folder = tmp_path_factory.mktemp("packs")

    @app.post("/upload")
    async def upload(request: Request) -> dict[str, Any]:
        pack = Pack(folder, max_memory=1000, max_file_bytes=500_000)
        try:
            fields = await read_multipart(request, lambda field, name: pack.open(f"{field}:{name}"), max_files=3)
            return {
                "fields": fields,
                "files": [[f.filename, f.size, f.is_whole, pack.read(f)[:9].decode("latin-1")] for f in pack.files],
            }
        finally:
            pack.close()
            assert list(folder.iterdir()) == []

    @app.post("/json")
    async def small(body: dict[str, Any]) -> dict[str, int]:
        return {"keys": len(body)}

    app.add_middleware(BodyLimit, max_upload_bytes=LIMIT, upload_paths=["/upload"], idle_seconds=2)
    return app


@pytest.fixture(scope="module")
def port(app: FastAPI) -> Iterator[int]:
    with serving(app) as port:
        yield port


def post(port: int, **arguments: Any) -> httpx.Response:
    return httpx.post(f"http://127.0.0.1:{port}/upload", **arguments)


def form(*parts: bytes, end: bytes = b"--X--\r\n") -> dict[str, Any]:
    return {"content": b"".join(parts) + end, "headers": {"Content-Type": "multipart/form-data; boundary=X"}}


def part(disposition: bytes, content: bytes) -> bytes:
    return b"--X\r\nContent-Disposition: form-data; " + disposition + b"\r\n\r\n" + content + b"\r\n"


def test_fields_and_files_arrive(port: int) -> None:
    files = [("files", ("a.jpg", b"aaaa")), ("files", ("ü.jpg", b"b" * 300_000))]
    answer = post(port, files=files, data={"name": "Müller", "empty": ""}).json()
    assert answer["fields"] == {"name": "Müller", "empty": ""}
    assert answer["files"] == [["files:a.jpg", 4, True, "aaaa"], ["files:ü.jpg", 300_000, True, "b" * 9]]


def test_a_file_over_its_limit_is_dropped_and_the_others_arrive(port: int) -> None:
    answer = post(port, files=[("f", ("1", b"one")), ("f", ("2", b"x" * 600_000)), ("f", ("3", b"three"))]).json()
    assert [file[:3] for file in answer["files"]] == [["f:1", 3, True], ["f:2", 600_000, False], ["f:3", 5, True]]
    assert (answer["files"][0][3], answer["files"][2][3]) == ("one", "three")


def test_an_unused_file_input_of_a_page_counts_as_nothing(port: int) -> None:
    unused, nameless = part(b'name="a"; filename=""', b""), part(b'name="b"; filename=""', b"content")
    assert post(port, **form(unused, nameless)).json()["files"] == [["b:", 7, True, "content"]]


def test_a_declared_length_over_the_limit_is_refused_before_the_body(port: int) -> None:
    head = f"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: {LIMIT + 1}\r\nConnection: close\r\n"
    kind = "Content-Type: multipart/form-data; boundary=X\r\nExpect: 100-continue\r\n\r\n"
    answer = talk(port, (head + kind).encode())
    assert answer.startswith(b"HTTP/1.1 413 "), answer[:100]
    assert json.loads(answer.split(b"\r\n\r\n", 1)[1])["code"] == "upload.too_large"


def test_a_client_that_sends_on_still_reads_the_refusal(port: int) -> None:
    answer = post(port, files={"f": ("big", b"x" * (20 * LIMIT))})
    assert (answer.status_code, answer.json()["code"]) == (413, "upload.too_large")


def test_a_body_without_length_is_cut_off_at_the_limit(port: int) -> None:
    def endless() -> Iterator[bytes]:
        yield b"--X\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\n"
        for _ in range(60):
            yield b"x" * 100_000
        yield b"\r\n--X--\r\n"

    answer = post(port, content=endless(), headers={"Content-Type": "multipart/form-data; boundary=X"})
    assert (answer.status_code, answer.json()["code"]) == (413, "upload.too_large")


def test_only_uploads_may_be_large(port: int) -> None:
    large = json.dumps({"a": "x" * (MAX_JSON_BYTES + 1)})
    json_type = {"Content-Type": "application/json"}
    for path in ("/json", "/upload"):
        answer = httpx.post(f"http://127.0.0.1:{port}{path}", content=large, headers=json_type)
        assert (answer.status_code, answer.json()["code"]) == (413, "upload.too_large")
    answer = httpx.post(
        f"http://127.0.0.1:{port}/json",
        content=large,
        headers={"Content-Type": "multipart/form-data; boundary=X"},  # the type alone is no way around it
    )
    assert answer.status_code == 413


def test_too_many_files_say_what_to_do(port: int) -> None:
    answer = post(port, files=[("f", (str(n), b"x")) for n in range(4)])
    assert (answer.status_code, answer.json()["code"]) == (413, "upload.too_many_files")
    assert "zip" in answer.json()["hint"]


@pytest.mark.parametrize(
    "request_",
    [
        {"content": b"hello", "headers": {"Content-Type": "multipart/form-data"}},
        form(b"hello"),
        form(part(b"name=a", b"1"), end=b""),
        form(part(b"name=a", b"1"), end=b"--X"),
        form(part(b"filename=nameless", b"1")),
        form(b"--X\r\nNonsense\r\n\r\n1\r\n"),
        form(part(b"name=a", b"1"), part(b"name=a", b"2")),
        form(*(part(b"name=f%d" % n, b"1") for n in range(51))),
        {"content": b"", "headers": {"Content-Type": "multipart/form-data; boundary=X"}},
        {"content": b"x", "headers": {"Content-Type": "multipart/form-data; boundary=" + "y" * 5000}},
        form(b"--X\r\n" + b"A: b\r\n" * 50 + b"\r\n1\r\n"),
        form(b"--X\r\nContent-Disposition: " + b"a" * 100_000 + b"\r\n\r\n1\r\n"),
    ],
)
def test_a_malformed_form_is_a_problem(port: int, request_: dict[str, Any]) -> None:
    answer = post(port, **request_)
    assert (answer.status_code, answer.json()["code"]) == (400, "upload.malformed"), answer.text


@pytest.mark.parametrize("path", [b"/upload", b"/json"])
def test_a_body_that_stops_arriving_is_given_up(port: int, path: bytes) -> None:
    kind = b"multipart/form-data; boundary=X" if path == b"/upload" else b"application/json"
    head = b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\nContent-Type: " + kind
    answer = talk(port, head + b"\r\n\r\n--X\r\n", seconds=20)
    assert b" 408 " in answer.splitlines()[0]
    assert b"upload.too_slow" in answer


def test_text_fields_are_bounded(port: int) -> None:
    answer = post(port, data={"a": "x" * 700_000, "b": "y" * 700_000}, files={"f": ("f", b"")})
    assert (answer.status_code, answer.json()["code"]) == (413, "upload.too_large")


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
def test_malformed_json_is_a_problem(port: int, content_type: str) -> None:
    answer = httpx.post(f"http://127.0.0.1:{port}/json", content=b'{"a": ', headers={"Content-Type": content_type})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.status_code in (400, 422)


@pytest.mark.parametrize(
    ("given", "clean"),
    [
        ("cat.jpg", "cat.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\cat.jpg", "cat.jpg"),
        ("a\r\nSet-Cookie: x\x00.jpg", "aSet-Cookie: x.jpg"),
        ("x" * 999, "x" * 200),
        ("..", ".."),
        ("dir/", ""),
    ],
)
def test_client_file_names_are_cleaned(given: str, clean: str) -> None:
    assert clean_name(given) == clean


def test_packs_leave_no_file(tmp_path: Path) -> None:
    pack = Pack(tmp_path / "new", max_memory=10, max_file_bytes=100)
    for content in (b"a" * 50, b"", b"c" * 200, b"d" * 50):
        sink = pack.open("n")
        for start in range(0, len(content), 7):
            sink.write(content[start : start + 7])
        sink.close()
    assert list((tmp_path / "new").iterdir()) == []  # over max_memory, yet it has no name
    assert [(entry.index, data) for batch in pack.batches(2, 60) for entry, data in batch] == [
        (0, b"a" * 50),
        (1, b""),
        (3, b"d" * 50),
    ]
    assert [len(batch) for batch in pack.batches(2, 60)] == [2, 1]
    assert [entry.is_whole for entry in pack.files] == [True, True, False, True]
    pack.close()
