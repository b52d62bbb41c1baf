"""Options of `deepfake fit` that are read from a text."""

from __future__ import annotations

import pytest

from backend.cli.fit import as_widths, finetune_settings, warn_of
from backend.core.errors import ConfigError


def test_widths_are_numbers_with_commas_between() -> None:
    assert as_widths("512, 128") == [512, 128]
    assert as_widths("64") == [64]
    assert as_widths(None) is None


@pytest.mark.parametrize("text", ["", "wide", "512,", "1.5"])
def test_what_is_no_list_of_widths_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="hidden"):
        as_widths(text)


NOTHING = {"epochs": None}


@pytest.mark.parametrize(
    ("wanted", "before", "text", "given", "result"),
    [
        (None, None, None, NOTHING, None),
        (True, None, None, NOTHING, True),
        (None, {}, None, NOTHING, {}),  # of a config file: every default, as over HTTP
        (None, "yes", None, NOTHING, "yes"),  # refused where the configuration is read
        (None, None, "{}", NOTHING, True),
        (None, {"ema": 0.5}, '{"dropout": 0}', {"epochs": 2}, {"ema": 0.5, "dropout": 0, "epochs": 2}),
        (False, {"ema": 0.5}, None, {"epochs": 2}, None),
    ],
)
def test_naming_any_setting_asks_for_fine_tuning(
    wanted: bool | None, before: object, text: str | None, given: dict[str, object], result: object
) -> None:
    assert finetune_settings(wanted, before, text, given) == result


@pytest.mark.parametrize("text", ["[]", "3", "{"])
def test_options_of_fine_tuning_are_an_object(text: str) -> None:
    with pytest.raises(ConfigError, match="finetune"):
        finetune_settings(None, None, text, NOTHING)


def test_what_an_audit_found_is_said_before_a_fit(capsys: pytest.CaptureFixture[str]) -> None:
    found = [
        {"code": "file.size", "severity": "critical", "title": "Size alone tells the classes apart"},
        {"code": "duplicates", "severity": "info", "title": "Some images are there several times"},
    ]
    warn_of(found, "photos")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "CRITICAL Size alone tells the classes apart (file.size)\n")
    warn_of(None, "photos")
    assert "deepfake datasets audit 'photos'" in capsys.readouterr().err
    warn_of([], "photos")
    assert capsys.readouterr().err == ""
