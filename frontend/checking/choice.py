"""Which model answers, and how good it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from frontend.checking.describing import describe_quality, name_generators
from frontend.client import pages
from frontend.session import asked, client
from frontend.texts import plain, say, say_text
from frontend.transport import Json

MODEL, OTHER = "model", "compare"
"""Parameters of the page's address."""


@dataclass(frozen=True)
class Choice:
    """The card of the model that answers, and of the one it is compared with, if any."""

    card: Json
    other: Json | None = None

    @property
    def cards(self) -> list[Json]:
        """One card or two."""
        return [self.card] if self.other is None else [self.card, self.other]

    @property
    def model_ids(self) -> list[str]:
        """One id or two."""
        return [str(card["id"]) for card in self.cards]


def load_cards() -> list[Json]:
    """The cards of all models, the active one first. Raises ApiError, also where none is active."""
    active = str(client().ready()["model_id"])
    cards = list(pages(client().models))
    cards.sort(key=lambda card: card["id"] != active)
    st.session_state["predict.cards"] = cards
    return cards


def remembered_cards() -> list[Json]:
    """The cards of the last time that the service gave them; empty where it never did."""
    cards: list[Json] = st.session_state.get("predict.cards", [])
    return cards


def choose_model(cards: Sequence[Json]) -> Choice:
    """Two lists to choose from; the choice is kept in the page's address and in the session."""
    by_id = {str(card["id"]): card for card in cards}
    ids = list(by_id)

    def name(model_id: str) -> str:
        if not model_id:
            return say_text("predict.compare_none")
        words = "choice.active" if model_id == ids[0] else "choice.other"
        return say_text(words, name=by_id[model_id]["name"])

    missing = next((asked(parameter) for parameter in (MODEL, OTHER) if asked(parameter) not in {"", *ids}), None)
    if missing is not None:
        st.warning(say("choice.missing", id=missing))
    chosen = _select(MODEL, ids, ids[0], name, say("predict.model"))
    others = ["", *(model_id for model_id in ids if model_id != chosen)]
    other = ""
    if len(others) > 1:
        other = _select(OTHER, others, "", name, say("predict.compare"))
    return Choice(by_id[chosen], by_id[other] if other else None)


def _select(
    parameter: str,
    options: Sequence[str],
    default: str,
    name: Callable[[str], str],
    label: str,
) -> str:
    key, kept = f"predict.choice.{parameter}", f"predict.kept.{parameter}"
    wanted = asked(parameter) or st.session_state.get(kept)
    st.session_state[key] = wanted if wanted in options else default

    def keep() -> None:
        chosen = st.session_state[key]
        if chosen == default:
            st.session_state.pop(kept, None)
            st.query_params.pop(parameter, None)
        else:
            st.session_state[kept] = st.query_params[parameter] = chosen

    value: str = st.selectbox(label, options, format_func=name, key=key, on_change=keep)
    if value != default:
        keep()  # it came from the address, or from before another page was opened: now it stands in both
    return value


def show_models(choice: Choice) -> None:
    """How often the model that answers was right on test pictures; behind a fold what it knows, and the other model."""
    st.caption(plain(describe_quality(choice.card)))
    with st.expander(say("model.about")):
        for card in choice.cards:
            if card is choice.other:
                st.caption(plain(describe_quality(card)))
            st.caption(say("model.knows", name=card["name"], generators=name_generators(card)))
            st.page_link(
                "screens/model.py",
                label=say("model.open", name=card["name"]),
                icon=":material/info:",
                query_params={"id": card["id"]},
            )
