"""Texts of the page of evaluations by generator, and of their figures on a model's page."""

from __future__ import annotations

from frontend.texts.language import Text

TEXTS: dict[str, Text] = {
    "generators.title": Text("Other generators", "Другие генераторы"),
    "generators.intro": Text(
        "A detector knows the traces of the generators that it was trained on. Here you measure what it makes of "
        "others.",
        "Детектор знает следы тех генераторов, на которых он обучен. Здесь измеряется, что он делает с другими.",
    ),
    "generators.back": Text("All evaluations", "Все оценки"),
    "generators.kind": Text("What to measure", "Что измерить"),
    "generators.kind.evaluate": Text("One model", "Одна модель"),
    "generators.kind.matrix": Text("Each generator against every other", "Каждый генератор против каждого"),
    "generators.kind.evaluate.help": Text(
        "What the model finds of each generator's fakes at its own threshold. Images that it was trained on are left "
        "out. One of the data sets should have REAL photographs: without them only the recall can be told.",
        "Сколько подделок каждого генератора находит модель при своём пороге. Изображения, на которых она обучена, "
        "исключаются. В одном из наборов нужны настоящие фотографии (REAL): без них известна только полнота.",
    ),
    "generators.kind.matrix.help": Text(
        "A detector for each generator alone, and one for all others without it, each tested on all; REAL photographs "
        "are shared. It takes some seconds a detector once the features are there. No model is kept.",
        "По детектору на каждый генератор отдельно и по одному на все остальные без него; каждый проверяется на всех, "
        "фотографии REAL общие. Когда признаки готовы, детектор обучается несколько секунд. Модели не сохраняются.",
    ),
    "generators.model": Text("Model", "Модель"),
    "generators.datasets": Text("Data sets", "Наборы данных"),
    "generators.datasets.choose": Text("Choose one or several", "Выберите один или несколько"),
    "generators.split": Text("Images", "Изображения"),
    "generators.split.test": Text("Test images, where a data set names some", "Тестовые, если набор их выделяет"),
    "generators.split.all": Text("All images", "Все изображения"),
    "generators.only": Text("Generators", "Генераторы"),
    "generators.only.all": Text("All of these data sets", "Все из этих наборов"),
    "generators.only.help": Text(
        "At least two; nothing chosen takes all.", "Не меньше двух; если ничего не выбрано, участвуют все."
    ),
    "generators.start": Text("Measure", "Измерить"),
    "generators.nothing": Text(
        "This takes a model and a data set: bring images on the page Data, with fakes in folders FAKE/<generator>/.",
        "Нужны модель и набор данных: загрузите изображения на странице «Данные», подделки — в папках "
        "FAKE/<генератор>/.",
    ),
    "generators.past": Text("Evaluations", "Оценки"),
    "generators.past.none": Text("Nothing was evaluated yet.", "Пока ничего не оценено."),
    "generators.item.evaluate": Text("{model} on {datasets}", "{model} на {datasets}"),
    "generators.item.matrix": Text("Matrix of {datasets}", "Матрица: {datasets}"),
    "generators.when": Text("Measured {date}", "Измерено {date}"),
    "generators.running": Text("Under way:", "Выполняется:"),
    "generators.delete": Text("Delete this evaluation", "Удалить эту оценку"),
    "generators.gone": Text("This evaluation was deleted.", "Эта оценка удалена."),
    "generators.excluded": Text(
        "Images left out since they stand in the training set: {count}.",
        "Исключено изображений, входящих в обучающий набор: {count}.",
    ),
    "generators.reals": Text(
        "REAL photographs beside them: {count}; called FAKE at this threshold: {fpr} ({interval}).",
        "Рядом фотографий REAL: {count}; при этом пороге приняты за FAKE: {fpr} ({interval}).",
    ),
    "generators.reals.unsure": Text(
        "Of these photographs {share} get no answer (unsure).",
        "Без ответа («неясно») остаются {share} этих фотографий.",
    ),
    "generators.table": Text("By generator", "По генераторам"),
    "generators.column.generator": Text("Generator", "Генератор"),
    "generators.column.seen": Text("Trained on it", "Обучена на нём"),
    "generators.column.n": Text("Images", "Изображений"),
    "generators.column.recall": Text("Found", "Найдено"),
    "generators.column.interval": Text("95 % interval", "95 %-й интервал"),
    "generators.column.answered_real": Text("Answered real", "Ответ «настоящее»"),
    "generators.column.unsure_share": Text("Unsure", "Неясно"),
    "generators.column.accuracy": Text("Accuracy", "Точность"),
    "generators.column.recall_at_1_fpr": Text("Found at 1 % false alarms", "Найдено при 1 % ложных тревог"),
    "generators.column.recall_at_5_fpr": Text("Found at 5 % false alarms", "Найдено при 5 % ложных тревог"),
    "generators.column.auroc": Text("AUROC", "AUROC"),
    "generators.chart": Text("Share of each generator's fakes that is found", "Доля найденных подделок по генераторам"),
    "generators.chart.x": Text("Found, per cent", "Найдено, процентов"),
    "generators.chart.reading": Text(
        "Dots are measured shares, lines their 95 % intervals. Far to the left: the detector does not see these fakes.",
        "Точки — измеренные доли, линии — 95 %-е интервалы. Далеко слева: таких подделок детектор не видит.",
    ),
    "generators.chart.alternative": Text(
        "Share of fakes found by generator: {points}.", "Доля найденных подделок по генераторам: {points}."
    ),
    "generators.heat": Text("Who finds whose fakes", "Кто находит чьи подделки"),
    "generators.heat.alone": Text("Fitted on one generator", "Обучен на одном генераторе"),
    "generators.heat.without": Text("Fitted on all others", "Обучен на всех остальных"),
    "generators.heat.row.without": Text("without {generator}", "без {generator}"),
    "generators.heat.x": Text("Tested on", "Проверен на"),
    "generators.heat.y": Text("Fitted on", "Обучен на"),
    "generators.heat.value.recall": Text("Found, per cent", "Найдено, процентов"),
    "generators.heat.value.auroc": Text("AUROC", "AUROC"),
    "generators.heat.value.accuracy": Text("Accuracy, per cent", "Точность, процентов"),
    "generators.measure": Text("What the cells show", "Что показывают клетки"),
    "generators.measure.recall": Text(
        "Share of fakes found at the fixed threshold", "Доля найденных подделок при заданном пороге"
    ),
    "generators.measure.auroc": Text("AUROC, at no threshold: 0.5 is chance", "AUROC, без порога: 0,5 — наугад"),
    "generators.measure.accuracy": Text(
        "Accuracy at the fixed threshold, REAL included", "Точность при заданном пороге, вместе с REAL"
    ),
    "generators.heat.reading": Text(
        "A row is a detector, a column the fakes that it is tested on. A diagonal that stands out says: each finds its "
        "own generator's fakes and hardly any other's.",
        "Строка — детектор, столбец — подделки, на которых он проверен. Выделяющаяся диагональ значит: каждый находит "
        "подделки своего генератора и почти не находит чужие.",
    ),
    "generators.heat.reading.without": Text(
        "The diagonal is what matters here: fakes of the one generator that the detector did not see.",
        "Здесь важна диагональ: подделки того единственного генератора, которого детектор не видел.",
    ),
    "generators.heat.alternative": Text(
        "Table, a row a detector. {measure}: {rows}.",
        "Таблица, строка — детектор. {measure}: {rows}.",
    ),
    "generators.alarms": Text("False alarms", "Ложные тревоги"),
    "generators.conclusion": Text("Conclusion", "Вывод"),
    "generators.conclusion.left_out": Text(
        "With all other generators in training", "Когда в обучении все остальные генераторы"
    ),
    "generators.verdict.supported": Text(
        "Supported: detectors fail on fakes of generators that they were not trained on.",
        "Подтверждается: детекторы не справляются с подделками генераторов, на которых не обучены.",
    ),
    "generators.verdict.partly": Text(
        "Supported for some pairs only: not every unseen generator escapes.",
        "Подтверждается лишь для части пар: не каждый незнакомый генератор проходит незамеченным.",
    ),
    "generators.verdict.not_supported": Text(
        "Not supported by these images: no significant fall on unseen generators.",
        "Этими изображениями не подтверждается: значимого падения на незнакомых генераторах нет.",
    ),
    "generators.found": Text(
        "Of the fakes of their own generators {own} are found, of others {other} at the same threshold, at which "
        "{fpr} of the REAL images are called FAKE. The share falls by {drop} points (95 % interval "
        "{low} to {high}); the fall is significant in {significant} of {tests} "
        "pairs (Fisher's exact test, one-sided, at 5 % after Holm's correction).",
        "Подделок своих генераторов находится {own}, чужих — {other} при том же пороге, при котором за "
        "FAKE принимается {fpr} изображений REAL. Доля падает на {drop} пункта "
        "(95 %-й интервал от {low} до {high}); падение значимо в {significant} из {tests} пар (точный тест Фишера, "
        "односторонний, уровень 5 % с поправкой Холма).",
    ),
    "generators.note.few_images": Text(
        "Few images of {generators}: read the intervals, not the figures.",
        "Мало изображений ({generators}): смотрите на интервалы, а не на сами числа.",
    ),
    "generators.note.no_real": Text(
        "There are no REAL images, so AUROC, accuracy and recall at a rate of false alarms cannot be told.",
        "Нет изображений REAL, поэтому AUROC, точность и полнота при заданной доле ложных тревог неизвестны.",
    ),
    "generators.note.no_fake": Text(
        "There are no FAKE images: only the false alarms can be told.",
        "Нет изображений FAKE: известны только ложные тревоги.",
    ),
    "generators.note.few_real": Text(
        "Too few REAL images for a threshold with 1 % or 5 % false alarms.",
        "Слишком мало изображений REAL для порога с 1 % или 5 % ложных тревог.",
    ),
    "generators.note.training_unknown": Text(
        "The images that the model was trained on are not here any more: those among the evaluated ones could not be "
        "left out.",
        "Изображений, на которых обучена модель, здесь больше нет: исключить их из оценённых было невозможно.",
    ),
    "generators.note.not_fitted": Text(
        "Some generators have too few images to fit on and are only tested.",
        "Некоторых генераторов слишком мало для обучения: на них только проверяется.",
    ),
    "generators.tile.other": Text("Other generators", "Другие генераторы"),
    "generators.tile.worst": Text("least: {worst}", "хуже всего: {worst}"),
    "generators.tile.help.other": Text(
        "Share of the fakes found of generators that it was not trained on, the mean over them.",
        "Доля найденных подделок генераторов, на которых она не обучена, в среднем по ним.",
    ),
    "generators.tile.left_out": Text("Generators left out", "Исключённые генераторы"),
    "generators.tile.help.left_out": Text(
        "Share of the fakes found of a generator that the fit leaves out, the mean over its generators.",
        "Доля найденных подделок генератора, если исключить его из обучения, в среднем по генераторам.",
    ),
    "generators.held_out": Text("On generators that it never saw", "На незнакомых генераторах"),
    "generators.held_out.says": Text(
        "Beside an accuracy of {accuracy} on images like its own, it finds {recall} of the fakes of other generators "
        "(measured: {count}; least of all of {worst}).",
        "При точности {accuracy} на изображениях, подобных своим, она находит {recall} подделок других генераторов "
        "({count}); хуже всего — {worst}.",
    ),
    "generators.held_out.none": Text(
        "What it makes of generators that it never saw has not been measured.",
        "Что она делает с незнакомыми генераторами, не измерено.",
    ),
    "generators.left_out.says": Text(
        "The fit left each of its {count} generators out in turn: without its images, and at {fpr} false alarms, "
        "{recall} of its fakes are found on average; least of all of {worst}.",
        "При обучении каждый из генераторов ({count}) был по очереди исключён: без его изображений и при {fpr} ложных "
        "тревог находится в среднем {recall} его подделок; хуже всего — {worst}.",
    ),
    "generators.left_out.none": Text(
        "The fit could not leave a generator out, as that takes two with their names: what it makes of another one is "
        "unknown from the fit alone.",
        "Исключить генератор при обучении было нельзя: для этого нужны два с именами. Что модель скажет о другом, по "
        "самому обучению неизвестно.",
    ),
    "generators.held_out.measure": Text("Measure it", "Измерить"),
}
