"""Comparing models: a lead is claimed where the intervals say so, and only rows that differ are shown."""

from __future__ import annotations

from typing import Any

from frontend.models.comparison import differing_settings, flatten, judge, setting_name, setting_text, split_alike
from frontend.models.comparison import tested_alike as are_tested_alike
from frontend.models.paired import p_value


def measured(value: float | None, low: float = 0.0, high: float = 0.0, name: str = "accuracy") -> dict[str, Any]:
    return {name: value, "intervals": {name: [low, high]}}


def test_a_model_whose_interval_is_above_all_others_leads() -> None:
    verdict = judge("accuracy", [measured(0.9, 0.88, 0.92), measured(0.97, 0.96, 0.98), measured(0.91, 0.9, 0.92)])
    assert verdict.leading == (1,)
    assert [verdict.mark(i) for i in range(3)] == ["", "compare.best", ""]


def test_overlapping_intervals_are_no_lead() -> None:
    verdict = judge("accuracy", [measured(0.95, 0.93, 0.965), measured(0.97, 0.96, 0.98), measured(0.8, 0.7, 0.9)])
    assert [verdict.mark(i) for i in range(3)] == ["compare.level", "compare.level", ""]


def test_intervals_that_touch_are_no_lead() -> None:
    verdict = judge("accuracy", [measured(0.9, 0.88, 0.95), measured(0.97, 0.95, 0.98)])
    assert verdict.leading == (0, 1)


def test_where_all_are_level_nothing_is_marked() -> None:
    verdict = judge("accuracy", [measured(0.95, 0.9, 0.99), measured(0.96, 0.9, 0.99)])
    assert not verdict.tells
    assert [verdict.mark(i) for i in range(2)] == ["", ""]


def test_of_a_loss_the_lowest_leads() -> None:
    models = [measured(0.1, 0.09, 0.11, "log_loss"), measured(0.3, 0.28, 0.32, "log_loss")]
    assert judge("log_loss", models).leading == (0,)


def test_without_an_interval_no_lead_is_claimed() -> None:
    models = [measured(0.9, 0.89, 0.91), {"accuracy": 0.99, "intervals": {}}]
    assert judge("accuracy", models).leading == (0, 1)


def test_a_figure_that_was_not_measured_takes_no_part() -> None:
    models = [measured(0.9, 0.89, 0.91), measured(None), measured(0.99, 0.98, 1.0)]
    verdict = judge("accuracy", models)
    assert [verdict.mark(i) for i in range(3)] == ["", "", "compare.best"]
    assert judge("accuracy", models[:2]).leading == ()


def test_a_small_p_is_a_bound() -> None:
    assert [p_value(p) for p in (0.0, 0.00099, 0.0314, 1.0)] == ["p < 0.001", "p < 0.001", "p = 0.031", "p = 1.000"]


def card(**changes: Any) -> dict[str, Any]:
    made = {
        "dataset": {"id": "d", "name": "d", "version": 1, "digest": "a" * 64, "images": 10},
        "extractor": {"name": "spectrum", "spec": {"name": "spectrum", "rings": 24}, "dimensions": 40},
        "config": {"extractor": {"name": "spectrum"}, "head": {"name": "svm", "C": None}, "seed": 0, "name": "a"},
        "head": {"name": "svm", "chosen": {"C": 0.1, "candidates": {"0.1": 0.2}}, "history": [{"epoch": 1}]},
        "threshold": 0.5,
    }
    return made | changes


def test_equal_models_differ_in_nothing_but_names() -> None:
    assert differing_settings([card(), card(config=card()["config"] | {"name": "b"})]) == {}


def test_only_what_differs_is_listed() -> None:
    other = card(threshold=0.61234567, head={"name": "logreg", "chosen": {"C": 0.01}, "history": []})
    assert differing_settings([card(), other]) == {
        "head.name": ["svm", "logreg"],
        "head.chosen.C": ["0.1", "0.01"],
        "threshold": ["0.5", "0.6123"],
    }


def test_a_setting_that_only_one_has_differs() -> None:
    other = card(extractor={"name": "npr", "spec": {"name": "npr"}, "dimensions": 40})
    assert differing_settings([card(), other])["extractor.spec.rings"] == ["24", "–"]


def test_records_become_rows() -> None:
    assert flatten({"a": {"b": [1, 2.5], "c": None}, "d": True}) == {"a.b": "1, 2.5", "a.c": "–", "d": "yes"}


def test_models_of_other_images_were_not_tested_alike() -> None:
    other = card(dataset={"id": "e", "name": "d", "version": 1, "digest": "b" * 64, "images": 10})
    assert are_tested_alike([card(), card()])
    assert not are_tested_alike([card(), other])
    assert not are_tested_alike([card(), card(dataset=None)])


def test_another_seed_may_mean_other_test_images() -> None:
    assert not split_alike([card(), card(config=card()["config"] | {"seed": 1})])
    assert split_alike([card(), card()])


def test_extractors_side_by_side_are_words_and_no_data_structure() -> None:
    parts = [{"name": "cnn", "input_size": 64}, {"name": "spectrum", "rings": 12}, {"name": "npr"}]
    said = setting_text(parts)
    assert said == "cnn (Input size, pixels a side: 64), spectrum (Rings of frequency: 12), npr"


def test_an_option_of_an_extractor_has_the_name_that_the_form_gives_it() -> None:
    assert setting_name("extractor.spec.rings") == "Rings of frequency"
    assert setting_name("new.setting") == "new.setting"
