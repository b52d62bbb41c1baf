"""Requests with images wait in a bounded queue, and one client never fills it."""

from __future__ import annotations

import pytest

from backend.api.packs import Gate
from backend.api.problems import ProblemError


def test_beyond_its_places_the_queue_refuses_with_a_time_to_come_back() -> None:
    gate = Gate(at_once=1, places=8)
    places = [gate.place(str(client)) for client in range(8)]
    for place in places:
        place.__enter__()
    with pytest.raises(ProblemError) as refused:
        gate.require_room("another")
    assert (refused.value.status_code, refused.value.code) == (503, "unavailable.busy")
    assert refused.value.headers == {"Retry-After": "1"}
    places[0].__exit__(None, None, None)
    gate.require_room("another")
    assert gate.waiting == 7


def test_the_last_places_are_for_others() -> None:
    gate = Gate(at_once=1, places=8)
    places = [gate.place("greedy") for _ in range(7)]
    for place in places:
        place.__enter__()
    with pytest.raises(ProblemError):
        gate.require_room("greedy")
    with gate.place("modest"):
        assert gate.waiting == 8
    assert gate.waiting == 7


def test_a_place_is_free_again_after_a_failure() -> None:
    gate = Gate(at_once=1, places=1)
    with pytest.raises(ValueError, match="failed"), gate.place("a"):
        raise ValueError("failed")
    gate.require_room("a")
