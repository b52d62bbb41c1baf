"""Valid inputs, damaged in every way that comes to mind: each reader returns or refuses, and soon.

`benchmarks/fuzz.py` searches longer and by coverage; what it finds stands in test_finds.py.
"""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.readers import READERS, REFUSALS
from tests.fuzz.seeds import SEEDS

SECONDS_PER_INPUT = 5.0
_TELLING = (b"\0", b"\xff", b"\0" * 4, b"\xff" * 4, b"\xff" * 8, b"\x7f\xff\xff\xff", b"\r\n", b'"', b"..")


@st.composite
def damage(draw: st.DrawFn) -> list[tuple[str, float, bytes]]:
    """A few edits: (kind, where as a share 0..1 of the length, bytes)."""
    edit = st.tuples(
        st.sampled_from(["put", "insert", "cut", "end", "repeat"]),
        st.floats(0, 1, exclude_max=True, allow_subnormal=False),
        st.one_of(st.sampled_from(_TELLING), st.binary(min_size=1, max_size=8)),
    )
    return draw(st.lists(edit, min_size=1, max_size=6))


def apply(data: bytes, edits: list[tuple[str, float, bytes]]) -> bytes:
    """The damaged data."""
    for kind, share, new in edits:
        at = int(share * len(data))
        if kind == "put":
            data = data[:at] + new + data[at + len(new) :]
        elif kind == "insert":
            data = data[:at] + new + data[at:]
        elif kind == "cut":
            data = data[:at] + data[at + 16 * len(new) :]
        elif kind == "end":
            data = data[:at]
        else:
            data = data[:at] + data[at : at + 64] * 3 + data[at + 64 :]
    return data


@pytest.mark.parametrize("name", list(READERS))
def test_every_seed_is_read(name: str) -> None:
    for seed in SEEDS[name]():
        READERS[name](seed)


@pytest.mark.parametrize("name", list(READERS))
@settings(max_examples=250, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(number=st.integers(0, 1000), edits=damage())
def test_damage_is_refused_and_never_crashes(name: str, number: int, edits: list[tuple[str, float, bytes]]) -> None:
    seeds = SEEDS[name]()
    began = time.monotonic()
    with contextlib.suppress(*REFUSALS):
        READERS[name](apply(seeds[number % len(seeds)], edits))
    assert time.monotonic() - began < SECONDS_PER_INPUT
