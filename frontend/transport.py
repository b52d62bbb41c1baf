"""HTTP as the client needs it: JSON or a streamed form out, JSON or a file back, every failure one ApiError."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import requests

from frontend.uploads import PIECE_BYTES, Multipart

Json = dict[str, Any]

CONNECT_S = 3.0
ANSWER_S = 60.0
"""Seconds without a byte of an answer after which a request counts as lost; one that sends files gets UPLOAD_S."""
UPLOAD_S = 600.0
TRIES = 3
"""Attempts at a GET whose connection fails; anything that changes something is sent once."""
DOWN = "service.down"
"""Code of an error where nothing answers at the service's address, or it breaks off in the middle of an answer."""

_BROKEN = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


class ApiError(Exception):
    """What went wrong: `code` is the service's own or one of DOWN, "service.lost", "service.answer".

    `status` is the HTTP status, 0 where no answer came; `hint` says what would be right; `errors` lists the faults
    where the service named several.
    """

    def __init__(self, code: str, detail: str, hint: str = "", status: int = 0, errors: Sequence[Json] = ()) -> None:
        super().__init__(detail)
        self.code, self.detail, self.hint, self.status, self.errors = code, detail, hint, status, list(errors)

    @classmethod
    def from_problem(cls, problem: Json, status: int) -> ApiError:
        """The error in a problem document (RFC 9457)."""
        return cls(
            str(problem.get("code") or "service.answer"),
            str(problem.get("detail") or problem.get("title") or f"The service answered with status {status}."),
            str(problem.get("hint") or ""),
            status,
            problem.get("errors") or (),
        )


class Transport:
    """Requests to the service at `base_url`. Safe between threads: each request has its own connection."""

    def __init__(self, base_url: str, api_key: str | None = None) -> None:
        self.base_url = base_url
        key = "".join(api_key.split()) if api_key else ""  # a header with a line end would be refused, and shown
        self._headers: dict[str, str | bytes] = {"Authorization": f"Bearer {key}".encode()} if key else {}

    def json(
        self,
        method: str,
        path: str,
        *,
        params: Json | None = None,
        body: Json | None = None,
        form: Multipart | None = None,
        seconds: float = ANSWER_S,
    ) -> Json:
        """The JSON object in the answer. `body` is sent as JSON, `form` as a form; raises ApiError."""
        response = self.send(method, path, params=params, body=body, form=form, seconds=seconds)
        try:
            answer = response.json()
        except requests.JSONDecodeError as error:
            raise self._not_ours(response.status_code) from error
        if not isinstance(answer, dict):
            raise self._not_ours(response.status_code)
        return answer

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Json | None = None,
        body: Json | None = None,
        form: Multipart | None = None,
        seconds: float = ANSWER_S,
        stream: bool = False,
    ) -> requests.Response:
        """The answer, once its status says success; with `stream` its content is not read yet. Raises ApiError."""
        tries = TRIES if method == "GET" else 1
        for attempt in range(1, tries + 1):
            try:
                response = requests.request(
                    method,
                    self.base_url + path,
                    params=params,
                    json=body,
                    data=form,  # an iterable with a length: streamed, never read whole
                    headers=self._headers | ({"Content-Type": form.content_type} if form is not None else {}),
                    timeout=(CONNECT_S, UPLOAD_S if form is not None else seconds),
                    stream=stream,
                )
            except requests.RequestException as error:
                if attempt == tries or not isinstance(error, _BROKEN):
                    raise self._unreached(error) from error
                time.sleep(0.2 * attempt)
            else:
                return self._checked(response)
        raise AssertionError("the last attempt returns or raises")

    def download(self, path: str, target: Path, params: Json | None = None) -> Path:
        """`target`, with the answer's content in it; a download that breaks off leaves nothing behind."""
        partial = target.with_name(target.name + ".part")
        try:
            response = self.send("GET", path, params=params, seconds=UPLOAD_S, stream=True)
            with response, partial.open("wb") as stream:
                for piece in response.iter_content(PIECE_BYTES):
                    stream.write(piece)
            return partial.replace(target)
        except requests.RequestException as error:
            raise self._unreached(error) from error
        finally:
            partial.unlink(missing_ok=True)

    def _checked(self, response: requests.Response) -> requests.Response:
        if response.ok:
            return response
        try:
            problem = response.json()
        except requests.JSONDecodeError as error:
            raise self._not_ours(response.status_code) from error
        if not isinstance(problem, dict):
            raise self._not_ours(response.status_code)
        raise ApiError.from_problem(problem, response.status_code)

    def _unreached(self, error: requests.RequestException) -> ApiError:
        if isinstance(error, requests.Timeout) and not isinstance(error, requests.ConnectTimeout):
            return ApiError("service.lost", f"The service at {self.base_url} took too long to answer.")
        if isinstance(error, _BROKEN):
            return ApiError(DOWN, f"The service at {self.base_url} does not answer.", "Start it: make run")
        return ApiError("service.lost", f"The request to {self.base_url} could not be sent: {error}")

    def _not_ours(self, status: int) -> ApiError:
        hint = "Is DEEPFAKE_API_URL the address of the deepfake service?"
        return ApiError("service.answer", f"{self.base_url} did not answer as the service does.", hint, status)
