"""Answers and models in the visitor's words, as text: the same sentences on the page, in tables and in reports."""

from __future__ import annotations

from itertools import zip_longest

from frontend.formatting import count, number, percent, rate
from frontend.texts import say_known, say_text
from frontend.transport import Json


def describe_probability(prediction: Json) -> str:
    """The calibrated probability with the threshold; where the picture is outside, that it does not count."""
    key = "predict.probability_outside" if prediction.get("in_domain") is False else "predict.probability"
    probability, threshold = float(prediction["probability_fake"]), float(prediction["threshold"])
    return say_text(key, percent=percent(probability), threshold=percent(threshold))


def describe_reasons(prediction: Json, card: Json) -> list[str]:
    """The reasons of the verdict in the visitor's language; those with a code unknown here in the service's English."""
    sentences, codes = prediction.get("reasons") or [], prediction.get("reason_codes") or []
    values: dict[str, dict[str, str]] = {"features": {}, "traces": {}}
    if card.get("sides"):
        values["size"] = {"size": describe_size(prediction), "sides": describe_sides(card)}
    if card.get("codec"):
        values["codec"] = {"quality": str(card["codec"]["jpeg_quality"][0])}
    if card.get("unsure_band"):
        low, high = (percent(float(limit)) for limit in card["unsure_band"])
        values["too_close"] = {"percent": percent(float(prediction["probability_fake"])), "low": low, "high": high}
    values["unstable"] = {}
    return [
        say_text(f"reason.{code}", **values[code]) if code in values else str(sentence)
        for code, sentence in zip_longest(codes[: len(sentences)], sentences, fillvalue="")
    ]


def name_reasons(prediction: Json) -> list[str]:
    """The reasons of the verdict in a few words each, for a table; the service's sentence where we have none."""
    sentences, codes = prediction.get("reasons") or [], prediction.get("reason_codes") or []
    return [
        say_known(f"reason.short.{code}", str(sentence))
        for code, sentence in zip_longest(codes[: len(sentences)], sentences, fillvalue="")
    ]


def describe_closest(prediction: Json) -> str:
    """The generator whose specialist spoke loudest for FAKE, as a sentence; "" where none did."""
    closest = prediction.get("closest_generator")
    return say_text("enrol.closest", generator=closest) if closest else ""


def describe_domain(prediction: Json, card: Json) -> str:
    """Whether the picture is of a kind that the model was trained on, as far as the service knows."""
    if prediction.get("in_domain") is False:
        return say_text("answer.outside")
    if prediction.get("in_domain"):
        return say_text("answer.inside")
    if not card.get("sides"):
        return say_text("answer.domain_unknown")
    return say_text("answer.size_known", size=describe_size(prediction), sides=describe_sides(card))


def describe_flips(stability: Json) -> str:
    """How many of the changes that were tried give another answer, as a sentence."""
    total, flips = len(stability["tried"]), int(stability["flips"])
    return say_text("stability.flips" if flips else "stability.holds", flips=flips, total=total)


def describe_size(prediction: Json) -> str:
    """Width and height in pixels, such as "32 × 32"."""
    return f"{prediction['width']} × {prediction['height']}"


def describe_sides(card: Json) -> str:
    """Shortest and longest side of the training pictures, such as "32" or "32–64"."""
    shortest, longest = card["sides"]
    return f"{shortest}" if shortest == longest else f"{shortest}–{longest}"


def describe_quality(card: Json) -> str:
    """How often the model was right on how many test pictures, as text."""
    test = (card.get("metrics") or {}).get("test") or {}
    accuracy = test.get("accuracy", (card.get("accuracy") or {}).get("test"))
    if accuracy is None:
        return say_text("model.without_accuracy", name=card["name"])
    return say_text(
        "model.with_accuracy",
        name=card["name"],
        accuracy=rate(accuracy),
        interval=describe_interval(test),
        count=count(test.get("n")),
        dataset=name_dataset(card),
        auroc=number(test.get("auroc")),
    )


def describe_interval(test: Json) -> str:
    """The interval of an accuracy, such as "96.3 % – 96.8 %"."""
    low, high = (test.get("intervals") or {}).get("accuracy") or (None, None)
    return f"{rate(low)} – {rate(high)}"


def name_dataset(card: Json) -> str:
    """The data set that a model learnt from."""
    return str((card.get("dataset") or {}).get("name") or say_text("unknown"))


def name_generators(card: Json) -> str:
    """The generators whose pictures a model learnt from."""
    return ", ".join(card.get("generators") or []) or say_text("model.generators_unknown")
