"""Texts of how a model stands what happens to images on their way."""

from __future__ import annotations

from frontend.texts.language import Text

TEXTS: dict[str, Text] = {
    "robustness.title": Text("When images are compressed, scaled or blurred", "Если изображения сжаты или изменены"),
    "robustness.intro": Text(
        "Accuracy and AUROC on copies of test images that something happened to.",
        "Точность и AUROC на изменённых копиях проверочных изображений.",
    ),
    "robustness.show": Text("Show or measure it", "Показать или измерить"),
    "robustness.no_data": Text("There is no data set to measure it on.", "Нет набора данных, на котором это измерить."),
    "robustness.dataset": Text("Test images of", "Проверочные изображения набора"),
    "robustness.measure": Text("Measure", "Измерить"),
    "robustness.again": Text("Measure again", "Измерить заново"),
    "robustness.drawn": Text(
        "Drawn: {real} real and {fake} fake pictures; answers at the model's own threshold.",
        "Взято: настоящих — {real}, подделок — {fake}; ответы при собственном пороге модели.",
    ),
    "robustness.figure": Text("Figure", "Показатель"),
    "robustness.accuracy": Text("Accuracy", "Точность"),
    "robustness.auroc": Text("AUROC", "Площадь под ROC-кривой"),
    "robustness.recall": Text("Fakes found", "Найдено подделок"),
    "robustness.fpr": Text("False alarms", "Ложные тревоги"),
    "robustness.strength": Text("Strength", "Сила"),
    "robustness.reading": Text(
        "In percent, with 95 % intervals; the dashed line is the value of the images as they are. Mild changes stand "
        "at the left.",
        "В процентах, с 95-процентными интервалами; пунктир — значение для исходных изображений. Слабые изменения — "
        "слева.",
    ),
    "robustness.alt": Text(
        "Small charts, one for each kind of change, of a figure by strength",
        "Небольшие графики показателя по силе изменения, по одному на каждый вид",
    ),
    "robustness.table": Text("All figures", "Все показатели"),
    "robustness.corruption": Text("Change", "Изменение"),
    "robustness.as_they_are": Text("as they are", "без изменений"),
    "corruption.jpeg": Text("JPEG, quality", "Качество JPEG"),
    "corruption.resize": Text("Scaled by", "Масштаб"),
    "corruption.crop": Text("Cropped to", "Обрезка до"),
    "corruption.blur": Text("Blurred by, in pixels", "Размытие, пикселей"),
    "corruption.noise": Text("Noise, grey levels", "Шум, уровней серого"),
    "corruption.brightness": Text("Brightness times", "Яркость, множитель"),
    "corruption.flip": Text("Mirrored", "Отражение"),
}
