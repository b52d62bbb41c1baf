"""Options of `deepfake fit` that are read from a text."""

from __future__ import annotations

import pytest

from backend.cli.fit import as_widths
from backend.core.errors import ConfigError


def test_widths_are_numbers_with_commas_between() -> None:
    assert as_widths("512, 128") == [512, 128]
    assert as_widths("64") == [64]
    assert as_widths(None) is None


@pytest.mark.parametrize("text", ["", "wide", "512,", "1.5"])
def test_what_is_no_list_of_widths_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="hidden"):
        as_widths(text)
