"""Texts of teaching a model another generator, and of what that brought."""

from __future__ import annotations

from frontend.texts.language import Text

TEXTS: dict[str, Text] = {
    "enrol.title": Text("Teaching it generators", "Обучение другим генераторам"),
    "enrol.teach": Text("Teach it another generator", "Научить её ещё одному генератору"),
    "enrol.how": Text(
        "Give at least {fewest} pictures by one generator, better {advised}, as files or as one zip. A new model is "
        "made that knows it beside what this one knows; this one stays as it is. Pictures that the model has already "
        "are left out.",
        "Дайте не меньше {fewest} изображений одного генератора, лучше {advised}: файлами или одним архивом zip. "
        "Получится новая модель, которая знает его вдобавок к тому, что знает эта; сама она не изменится. Изображения, "
        "которые у модели уже есть, пропускаются.",
    ),
    "enrol.generator": Text("Name of the generator", "Название генератора"),
    "enrol.pictures": Text("Its pictures, or one zip of them", "Его изображения или один архив zip с ними"),
    "enrol.start": Text("Teach", "Научить"),
    "enrol.incomplete": Text(
        "Name the generator and choose its pictures first.", "Сначала назовите генератор и выберите его изображения."
    ),
    "enrol.learnt": Text(
        "It was taught {generator} from {images} pictures.", "Доучена на {generator}, изображений: {images}."
    ),
    "enrol.excluded": Text(
        "Left out, since the model had them already: {count}.", "Пропущено, так как уже были у модели: {count}."
    ),
    "enrol.figure": Text("Figure", "Показатель"),
    "enrol.before": Text("Before", "До"),
    "enrol.after": Text("After", "После"),
    "enrol.auroc": Text("AUROC on {generator}", "AUROC на {generator}"),
    "enrol.recall": Text(
        "Found of {generator} at {fpr} false alarms", "Найдено из {generator} при {fpr} ложных тревог"
    ),
    "enrol.accuracy": Text("Accuracy on the old test pictures", "Точность на прежних тестовых изображениях"),
    "enrol.reading": Text(
        "Each picture of the generator is judged by a model that was taught by the others alone.",
        "Каждое изображение генератора оценивает модель, которая его при обучении не видела.",
    ),
    "enrol.closest": Text(
        "Of the generators that it was taught, it looks most like {generator}.",
        "Из изученных генераторов больше всего похоже на {generator}.",
    ),
}
