"""What the calls of the service share."""

from __future__ import annotations

from urllib.parse import quote

from frontend.transport import Transport


class Calls:
    """Some routes of the service."""

    _http: Transport


def id_of(text: str) -> str:
    """An id as one segment of a path, whatever a person typed."""
    return quote(text, safe="")
