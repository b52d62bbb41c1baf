"""Answers of the service as messages (Telegram's HTML), in the language of `speak`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape

from frontend.bot.pictures import Picture
from frontend.checking.describing import (
    describe_closest,
    describe_flips,
    describe_probability,
    describe_quality,
    describe_reasons,
    name_generators,
    name_reasons,
)
from frontend.checking.origin import describe_statement, describe_worth
from frontend.formatting import count, percent, rate
from frontend.texts import say_known, say_problem, say_text
from frontend.transport import ApiError, Json

SIGNS = {"real": "🔵", "fake": "🟠", "unsure": "⚪"}
"""The colours of the web app; the words say it too."""
MOST_EVIDENCE, MOST_LETTERS, MOST_NAME = 5, 200, 60
CAPTION_LETTERS = 1000
"""Telegram takes 1024 below a picture."""


def order(answer: Json, n: int) -> list[Json]:
    """The prediction or the problem of each of `n` pictures, in the order that they were sent in."""
    found = {int(item["index"]): item for item in (*answer["predictions"], *answer["errors"])}
    return [found.get(index, {"detail": say_text("predict.no_answer")}) for index in range(n)]


def verdict_of(item: Json) -> str:
    """ "real", "fake", "unsure", or "failed" for a problem."""
    return str(item.get("verdict", "failed"))


def word_problem(problem: Json) -> str:
    """Why there is no verdict."""
    sentence = f"{problem.get('detail') or ''} {problem.get('hint') or ''}"
    return escape(say_problem(str(problem.get("code")), sentence))


def word_error(error: ApiError) -> str:
    """What the service says of a question that it refused."""
    return escape(say_text("bot.refused", detail=say_problem(error.code, f"{error.detail} {error.hint}")))


def word_answer(item: Json, card: Json, picture: Picture) -> str:
    """The whole answer for one picture: verdict, probability, reasons, origin, and advice on compression."""
    if "verdict" not in item:
        return word_problem(item)
    parts = [
        f"{SIGNS.get(verdict_of(item), '')} <b>{escape(say_text(f'verdict.{verdict_of(item)}'))}</b>\n"
        f"{escape(describe_probability(item))}",
        escape(describe_closest(item)),
        "\n".join(f"• {escape(reason)}" for reason in describe_reasons(item, card)),
        _word_origin(item),
        word_compression([(picture, item)]),
    ]
    return "\n\n".join(part for part in parts if part)


def word_album(items: Sequence[Json], pictures: Sequence[Picture]) -> str:
    """One answer for all pictures of an album, a line or two for each."""
    counts = Counter(verdict_of(item) for item in items)
    names = ("fake", "real", "unsure", "failed")
    lines = [f"<b>{escape(say_text('predict.summary', **{name: counts[name] for name in names}))}</b>"]
    for n, (item, picture) in enumerate(zip(items, pictures, strict=True), 1):
        place = say_text("bot.album.place", n=n) if picture.compressed else f"{n}. {picture.name[:MOST_NAME]}"
        lines.append(f"{SIGNS.get(verdict_of(item), '▫️')} {escape(place)}: {_in_short(item)}")
    advice = word_compression(list(zip(pictures, items, strict=True)))
    return "\n".join(lines) + (f"\n\n{advice}" if advice else "")


def word_compression(answered: Sequence[tuple[Picture, Json]]) -> str:
    """For photos, which Telegram compresses: the advice to send files, and what compression does to these answers."""
    compressed = [item for picture, item in answered if picture.compressed and "verdict" in item]
    if not compressed:
        return ""
    tried = [
        change
        for item in compressed
        for change in (item.get("stability") or {}).get("tried", ())
        if change["change"] == "jpeg"
    ]
    flips = sum(bool(change["flipped"]) for change in tried)
    effect = say_text(f"bot.compression.{'flips' if flips else 'holds'}", **_tally(flips, len(tried))) if tried else ""
    return escape(f"{say_text('bot.recompressed')} {effect}".strip())


def word_why(item: Json, card: Json) -> str:
    """What stands below the heat-map: how to read it, what the model knows, and whether the answer holds."""
    explanation, stability = item.get("explanation") or {}, item.get("stability") or {}
    note = say_known(f"explanation.{explanation.get('note_code')}", str(explanation.get("note") or ""))
    parts = [
        f"<b>{escape(say_text(f'verdict.{verdict_of(item)}'))}</b>",
        escape(note if explanation.get("heatmap") else say_text("bot.why.no_map")),
        escape(describe_flips(stability)) if stability.get("tried") else "",
        "\n".join(f"• {escape(reason)}" for reason in describe_reasons(item, card)),
        escape(say_text("model.knows", name=card["name"], generators=name_generators(card))),
    ]
    kept, letters = [], 0
    for part in parts:  # whole parts: half a tag would be refused
        if part and letters + len(part) + 2 <= CAPTION_LETTERS:
            kept.append(part)
            letters += len(part) + 2
    return "\n\n".join(kept)


def word_model(card: Json) -> str:
    """The detector that answers: how good, on what, and what it makes of generators that it never saw."""
    held_out = card.get("held_out_generators")
    test = (card.get("metrics") or {}).get("test") or {}
    others = say_text("generators.held_out.none")
    if held_out:
        others = say_text(
            "generators.held_out.says",
            accuracy=rate(test.get("accuracy")),
            recall=rate(held_out["recall"]),
            count=count(len(held_out["generators"])),
            worst=held_out["worst"],
        )
    parts = [
        escape(describe_quality(card)),
        escape(say_text("model.knows", name=card["name"], generators=name_generators(card))),
        f"<b>{escape(say_text('generators.held_out'))}</b>\n{escape(others)}",
        *([_word_generators(held_out["generators"])] if held_out else []),
        escape(say_text("model.limits")),
    ]
    return "\n\n".join(parts)


def _word_generators(generators: Sequence[Json]) -> str:
    return "\n".join(f"• {escape(str(row['generator']))}: {rate(row.get('recall'))}" for row in generators[:20])


def _in_short(item: Json) -> str:
    if "verdict" not in item:
        return word_problem(item)
    words = [f"<b>{escape(say_text(f'verdict.short.{verdict_of(item)}'))}</b>"]
    if item.get("in_domain") is not False:  # else the probability does not count
        words.append(f"({escape(percent(float(item['probability_fake'])))})")
    reasons = "; ".join(name_reasons(item))
    return " ".join(words) + (f" – {escape(reasons)}" if reasons else "")


def _word_origin(item: Json) -> str:
    evidence = (item.get("provenance") or {}).get("evidence") or []
    if not evidence:
        return ""
    lines = [f"<b>{escape(say_text('answer.provenance'))}</b>"]
    for each in evidence[:MOST_EVIDENCE]:
        # as code: an address that somebody wrote into a file becomes no link here
        detail = f"<code>{escape(str(each['detail'])[:MOST_LETTERS])}</code>"
        source, says, worth = (
            escape(text) for text in (str(each["source"]), describe_statement(each), describe_worth(each))
        )
        lines.append(f"• {source} {says}: {detail} ({worth})")
    return "\n".join([*lines, escape(say_text("provenance.note"))])


def _tally(flips: int, total: int) -> dict[str, int]:
    return {"flips": flips, "total": total} if flips else {"total": total}
