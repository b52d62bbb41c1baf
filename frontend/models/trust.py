"""How far a model's words can be trusted: calibration, promise on false alarms, unsure answers, edited pictures."""

from __future__ import annotations

import streamlit as st

from frontend.formatting import count, number, rate
from frontend.texts import say, say_known
from frontend.transport import Json


def show_trust(card: Json) -> None:
    """A few sentences with figures; those that a card of an older version lacks are left out."""
    lines = [*describe_calibration(card), *describe_promise(card), *describe_unsure(card), *describe_edited(card)]
    st.subheader(say("trust.title"))
    st.markdown("\n".join(f"* {line}" for line in lines))


def describe_calibration(card: Json) -> list[str]:
    """Which curve makes a score a probability, why that one, and how far off it is on new images."""
    calibration, test = card["calibration"], card["metrics"].get("test") or {}
    kind = say_known(f"trust.kind.{calibration.get('kind', 'platt')}", str(calibration.get("kind", "")))
    losses = calibration.get("losses")
    lines = [
        say("trust.chosen", kind=kind, kinds=count(len(losses)), images=count(calibration.get("images")))
        if losses
        else say("trust.calibrated", kind=kind)
    ]
    if test.get("ece_equal_mass") is not None:
        lines.append(say("trust.error", error=rate(test["ece_equal_mass"], 2), brier=number(test.get("brier"), 4)))
    return lines


def describe_promise(card: Json) -> list[str]:
    """Which share of real pictures called fake is not exceeded, and on what that rests."""
    asked, promise = card["config"].get("target_fpr"), card.get("fpr_promise")
    lines = [say("trust.asked", rate=rate(asked, 2))] if asked is not None else []
    if promise and promise.get("bound") is not None:
        values = {name: count(promise.get(name)) for name in ("images", "false_positives")}
        confidence = rate(promise.get("confidence"), 0)
        lines.append(say("trust.promise", bound=rate(promise["bound"], 2), confidence=confidence, **values))
    elif promise:
        lines.append(say("trust.no_promise", images=count(promise.get("images"))))
    return lines


def describe_unsure(card: Json) -> list[str]:
    """How often the model is unsure on test images, else on validation images, and how good the rest is."""
    measured = card["metrics"].get("test") or card["metrics"].get("validation") or {}
    if measured.get("unsure_share") is None:
        return []
    share, accuracy = rate(measured["unsure_share"]), rate(measured.get("sure_accuracy"))
    key = "trust.unsure.test" if card["metrics"].get("test") else "trust.unsure.validation"
    lines = [say(key, share=share, accuracy=accuracy)]
    if traces := card.get("traces"):
        lines.append(
            say("trust.doubt", rate=rate(card["config"].get("doubt")), generators=count(len(traces["generators"])))
        )
    return lines


def describe_edited(card: Json) -> list[str]:
    """What it makes of photographs that were edited in part, and whether it judges whole images only."""
    edited = card.get("edited") or {}
    lines = []
    if edited.get("kinds"):
        names = [say_known(f"trust.edit.{row['kind']}", str(row["kind"])) for row in edited["kinds"]]
        recalls = [rate(row["recall"]) for row in edited["kinds"]]
        found = "; ".join(f"{name} {recall}" for name, recall in zip(names, recalls, strict=True))
        lines.append(say("trust.edited", images=count(edited["images"]), fpr=rate(edited["fpr"]), found=found))
    if edited.get("whole_images_only", True):
        lines.append(say("trust.whole.measured" if edited.get("kinds") else "trust.whole"))
    return lines
