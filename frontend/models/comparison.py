"""Several models side by side: what differs, what is clearly better, and what may be chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from frontend.charts.evaluation import name_series
from frontend.formatting import MISSING, count, rate
from frontend.models.figures import show, show_reliability, show_roc, show_span
from frontend.models.paired import show_paired
from frontend.texts import plain, say, say_known, say_text
from frontend.training.setting_words import label_of
from frontend.transport import Json

MOST = 6
"""Models that can be told apart in one chart."""
HIGHER_IS_BETTER = {
    "accuracy": True,
    "balanced_accuracy": True,
    "auroc": True,
    "recall": True,
    "fpr": False,
    "log_loss": False,
    "hinge_loss": False,
    "brier": False,
    "ece": False,
    "ece_equal_mass": False,
}
_COMPARED = ("dataset", "extractor", "backbone", "config", "head", "activation", "loss", "threshold", "unsure_band")
_SAID_ELSEWHERE = ("config.extractor", "config.name", "config.notes", "config.head.name", "config.head.seed")
_RESULTS = ("head.history", "head.chosen.candidates", "head.chosen.iterations", "extractor.digest", "extractor.name")


@dataclass(frozen=True)
class Verdict:
    """Of one figure: the models (by position) that may be the best one. One alone is clearly the best."""

    leading: tuple[int, ...]
    measured: int

    @property
    def tells(self) -> bool:
        """Whether the figure tells some models apart; where all are level there is nothing to mark."""
        return 0 < len(self.leading) < self.measured

    def mark(self, position: int) -> str:
        """Key of the words for the model at `position`: clearly best or level with the best.

        "" for those behind, and for all where all are level.
        """
        if position not in self.leading or not self.tells:
            return ""
        return "compare.best" if len(self.leading) == 1 else "compare.level"


def judge(name: str, figures: Sequence[Json]) -> Verdict:
    """Who leads in the figure `name`: the best value, with all whose 95 % intervals overlap with that one's.

    Overlap of intervals is careful: where they do not overlap, the difference is no chance.
    """
    measured = [i for i, one in enumerate(figures) if one.get(name) is not None]
    if len(measured) < 2:
        return Verdict((), len(measured))
    sign = 1 if HIGHER_IS_BETTER[name] else -1
    best = max(measured, key=lambda i: sign * float(figures[i][name]))
    leading = tuple(i for i in measured if i == best or _overlap(name, figures[best], figures[i]))
    return Verdict(leading, len(measured))


def _overlap(name: str, one: Json, other: Json) -> bool:
    """Whether the intervals of a figure meet; where one was not measured nothing is claimed."""
    first, second = one["intervals"].get(name), other["intervals"].get(name)
    if not first or not second:
        return True
    return bool(first[0] <= second[1] and second[0] <= first[1])


def differing_settings(cards: Sequence[Json]) -> dict[str, list[str]]:
    """Setting -> its value in each card, as text, for those settings that are not the same in all of them."""
    flat = [flatten(_with_short_digest({key: card.get(key) for key in _COMPARED})) for card in cards]
    names = dict.fromkeys(name for one in flat for name in one)
    rows = {name: [one.get(name, MISSING) for one in flat] for name in names if not _skipped(name)}
    return {name: values for name, values in rows.items() if len(set(values)) > 1}


def _with_short_digest(settings: Json) -> Json:
    data = settings["dataset"]
    return {**settings, "dataset": {**data, "digest": f"{str(data['digest'])[:12]}…"} if data else None}


def _skipped(name: str) -> bool:
    return any(name == skipped or name.startswith(f"{skipped}.") for skipped in (*_SAID_ELSEWHERE, *_RESULTS))


def flatten(value: Any, prefix: str = "") -> dict[str, str]:
    """A record's leaves as text, named by the way to them with dots between."""
    if isinstance(value, dict):
        leaves: dict[str, str] = {}
        for key, inner in value.items():
            leaves |= flatten(inner, f"{prefix}.{key}" if prefix else str(key))
        return leaves
    return {prefix: setting_text(value)}


def setting_text(value: Any) -> str:
    """A setting's value as a person reads it."""
    if isinstance(value, bool):
        return say_text("yes" if value else "no")
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(setting_text(one) for one in value)
    if isinstance(value, dict):  # one of several extractors side by side
        options = ", ".join(f"{label_of(key)}: {setting_text(one)}" for key, one in value.items() if key != "name")
        return f"{value.get('name', '')} ({options})" if options else str(value.get("name", ""))
    return MISSING if value is None or value == "" else str(value)


def setting_name(name: str) -> str:
    """A setting in words where there are some, else its own name."""
    option = name.removeprefix("extractor.spec.")
    return say_known(f"card.{name}", label_of(option) if option != name else name)


def tested_alike(cards: Sequence[Json]) -> bool:
    """Whether all were tested on the images of one data set."""
    digests = {(card["dataset"] or {}).get("digest") for card in cards}
    return len(digests) == 1 and None not in digests


def split_alike(cards: Sequence[Json]) -> bool:
    """Whether the same images were put aside for tests where the data set itself does not name them."""
    return len({(card["config"].get("seed"), card["config"].get("test_fraction")) for card in cards}) == 1


def show_comparison(cards: Sequence[Json]) -> None:
    """Warnings first, then figures, curves, confusion matrices and settings of two or more models."""
    tested = [card for card in cards if card["metrics"].get("test")]
    if not tested_alike(cards):
        one_set = len({(card["dataset"] or {}).get("id") for card in cards}) == 1
        st.warning(say("compare.other_version" if one_set else "compare.other_data"), icon=":material/warning:")
    elif not split_alike(cards):
        st.info(say("compare.other_split"))
    names = name_series(cards)
    for name, card in zip(names, cards, strict=True):
        if card not in tested:
            st.info(say("compare.not_tested", name=name))
    if tested:
        show_figures(tested, judged=tested_alike(cards))
        if len(cards) == len(tested) == 2 and tested_alike(cards):
            show_paired(cards)
        with st.grid(2, min_column_width=340):
            with st.container():
                show_roc(tested)
            with st.container():
                show_reliability(tested)
        show_confusions(tested)
    show_settings(cards)


def show_figures(cards: Sequence[Json], *, judged: bool = True) -> None:
    """Test figures with intervals, a model a column; the best is marked where it is clear, if any is `judged`."""
    figures = [card["metrics"]["test"] for card in cards]
    rows = ["n", *HIGHER_IS_BETTER]
    verdicts = {name: judge(name, figures) for name in HIGHER_IS_BETTER if judged}
    table = {f"**{say('figures.column')}**": [say(f"figures.name.{name}") for name in rows]}
    for position, (title, one) in enumerate(zip(name_series(cards), figures, strict=True)):
        table[plain(title)] = [figure_cell(name, one, verdicts.get(name), position) for name in rows]
    st.subheader(say("compare.figures"))
    st.table(table, border="horizontal", hide_index=True, alt=say_text("compare.figures"))
    if judged and len(cards) > 1:
        st.caption(say("compare.clear" if any(verdict.tells for verdict in verdicts.values()) else "compare.unclear"))


def figure_cell(name: str, figures: Json, verdict: Verdict | None, position: int) -> str:
    """A figure with its interval and the words for its place, as Markdown."""
    shown, span = show(name, figures.get(name)), show_span(name, figures["intervals"].get(name))
    mark = verdict.mark(position) if verdict is not None else ""
    text = plain(f"{shown} ({span})" if span else shown)
    return f"**{text} {say(mark)}**" if mark == "compare.best" else f"{text} {say(mark)}" if mark else text


def show_confusions(cards: Sequence[Json]) -> None:
    """A small confusion matrix for each model, with counts and the share of the row."""
    st.subheader(say("compare.confusions"))
    with st.grid(len(cards), min_column_width=260):
        for name, card in zip(name_series(cards), cards, strict=True):
            found = card["metrics"]["test"]["confusion"]
            real, fake = found["tn"] + found["fp"], found["fn"] + found["tp"]
            with st.container():
                st.page_link("screens/model.py", label=plain(name), query_params={"id": str(card["id"])})
                table = {
                    "": [say("confusion.truth.REAL"), say("confusion.truth.FAKE")],
                    say("confusion.called.REAL"): [_share(found["tn"], real), _share(found["fn"], fake)],
                    say("confusion.called.FAKE"): [_share(found["fp"], real), _share(found["tp"], fake)],
                }
                st.table(table, hide_index=True, alt=say_text("compare.confusion", name=name))


def _share(images: int, of: int) -> str:
    return f"{count(images)} ({rate(images / of if of else None)})"


def show_settings(cards: Sequence[Json]) -> None:
    """A row for each setting that differs."""
    rows = differing_settings(cards)
    st.subheader(say("compare.settings"))
    if not rows:
        st.write(say("compare.same_settings"))
        return
    table = {f"**{say('compare.setting')}**": [plain(setting_name(name)) for name in rows]}
    for position, title in enumerate(name_series(cards)):
        table[plain(title)] = [plain(values[position]) for values in rows.values()]
    st.table(table, border="horizontal", hide_index=True, alt=say_text("compare.settings"))
    st.caption(say("compare.only_differing"))
