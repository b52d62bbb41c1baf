"""Texts of why a model answers as it does, and of whether the answer holds."""

from __future__ import annotations

from frontend.texts.language import Text

TEXTS: dict[str, Text] = {
    "explanation.exact": Text(
        "Orange places speak for fake, blue ones for real. The maps of all stages and the base add up to the score "
        "exactly.",
        "Оранжевые места говорят за подделку, синие — за настоящее. Карты всех ступеней и основа в сумме дают оценку "
        "точно.",
    ),
    "explanation.approximate": Text(
        "Orange places speak for fake, blue ones for real. This model is not linear: the maps are its slope at this "
        "picture, and the base takes the rest of the score.",
        "Оранжевые места говорят за подделку, синие — за настоящее. Эта модель не линейна: карты показывают её наклон "
        "на этом изображении, а остаток оценки входит в основу.",
    ),
    "explanation.stages": Text("What each stage of the network adds", "Что добавляет каждая ступень сети"),
    "explanation.stage": Text("Stage", "Ступень"),
    "explanation.share": Text("Share", "Доля"),
    "explanation.sees": Text("One place sees", "Одно место видит"),
    "explanation.sees_help": Text(
        "How much of the picture's side one place of the map looks at. The more that is, the less its place says.",
        "Какую часть стороны изображения охватывает одно место карты. Чем она больше, тем меньше говорит само место.",
    ),
    "explanation.base": Text("Base: what a mean picture gets", "Основа: что получает среднее изображение"),
    "explanation.margin": Text("Sum: the score", "Сумма: оценка"),
    "answer.try_changes": Text("Does the answer hold?", "Устойчив ли ответ?"),
    "answer.try_changes_help": Text(
        "Tries the picture again compressed, scaled, cropped, blurred and mirrored.",
        "Проверяет изображение ещё раз: сжатое, увеличенное и уменьшенное, обрезанное, размытое и отражённое.",
    ),
    "stability.holds": Text(
        "None of {total} harmless changes gives another answer.",
        "Ни одно из {total} безобидных изменений не меняет ответа.",
    ),
    "stability.flips": Text(
        "Harmless changes that give another answer: {flips} of {total}.",
        "Безобидных изменений, меняющих ответ: {flips} из {total}.",
    ),
    "stability.change": Text("Change", "Изменение"),
    "stability.probability": Text("Fake", "Подделка"),
    "stability.verdict": Text("Verdict", "Вердикт"),
    "change.jpeg": Text("saved as JPEG, quality {strength}", "сохранение в JPEG, качество {strength}"),
    "change.resize": Text("scaled by {strength}", "масштаб ×{strength}"),
    "change.crop": Text("cropped to {strength} of each side", "обрезка до {strength} каждой стороны"),
    "change.blur": Text("blurred by {strength} pixels", "размытие на {strength} пикселя"),
    "change.flip": Text("mirrored", "отражение"),
    "reason.unstable": Text(
        "The answer does not hold: harmless changes (compression, scaling, cropping) turn it into its opposite.",
        "Ответ неустойчив: безобидные изменения (сжатие, масштаб, обрезка) превращают его в противоположный.",
    ),
    "reason.short.unstable": Text("Does not hold", "Неустойчив"),
}
