"""Texts of a detector's figures: headline, table, curves, and the images behind them with their new labels."""

from __future__ import annotations

from frontend.texts.language import Text

TEXTS: dict[str, Text] = {
    "figures.split.train": Text("Training", "Обучение"),
    "figures.split.validation": Text("Validation", "Валидация"),
    "figures.split.test": Text("Test", "Тест"),
    "figures.split.test_without_duplicates": Text("Test, new images only", "Тест без повторов"),
    "figures.name.n": Text("Images", "Изображения"),
    "figures.name.accuracy": Text("Accuracy", "Точность (accuracy)"),
    "figures.name.balanced_accuracy": Text("Balanced accuracy", "Сбалансированная точность"),
    "figures.name.auroc": Text("AUROC", "Площадь под ROC-кривой (AUROC)"),
    "figures.name.log_loss": Text("Log loss", "Логарифмическая функция потерь (log loss)"),
    "figures.name.hinge_loss": Text("Hinge loss", "Кусочно-линейная функция потерь (hinge loss)"),
    "figures.name.brier": Text("Brier score", "Оценка Брайера"),
    "figures.name.ece": Text("Calibration error (ECE)", "Ошибка калибровки (ECE)"),
    "figures.name.ece_equal_mass": Text(
        "Calibration error, bins of equal size", "Ошибка калибровки, равные по числу корзины"
    ),
    "figures.name.recall": Text("Fakes found (recall)", "Найдено подделок (recall)"),
    "figures.name.fpr": Text("False alarms (FPR)", "Ложные тревоги (FPR)"),
    "figures.name.unsure_share": Text("Unsure", "Не уверена"),
    "figures.name.sure_accuracy": Text("Accuracy where it is sure", "Точность там, где уверена"),
    "figures.tile.accuracy": Text("Accuracy", "Точность"),
    "figures.tile.auroc": Text("AUROC", "AUROC"),
    "figures.tile.log_loss": Text("Log loss", "Потери (log)"),
    "figures.tile.hinge_loss": Text("Hinge loss", "Потери (hinge)"),
    "figures.tile.fpr": Text("False alarms", "Тревоги зря"),
    "figures.tile.recall": Text("Fakes found", "Найдено"),
    "figures.help.accuracy": Text(
        "Share of the test images whose label the model gives.",
        "Доля тестовых изображений, метку которых модель называет верно.",
    ),
    "figures.help.auroc": Text(
        "Chance that a fake image gets a higher score than a real one. 1 is perfect, 0.5 is guessing.",
        "Вероятность того, что подделка получит оценку выше, чем настоящее изображение. 1 — идеально, "
        "0,5 — угадывание.",
    ),
    "figures.help.log_loss": Text(
        "How far the probabilities are from the truth, in nats: 0 is perfect, 0.69 is saying 50 % each time.",
        "Насколько вероятности далеки от истины, в натах: 0 — идеально, 0,69 — всегда отвечать «50 %».",
    ),
    "figures.help.hinge_loss": Text(
        "How far images lie on the wrong side of the margin: 0 is perfect.",
        "Насколько изображения заходят за границу зазора не с той стороны: 0 — идеально.",
    ),
    "figures.help.fpr": Text(
        "Share of the real images that the model calls fake.",
        "Доля настоящих изображений, которые модель называет подделкой.",
    ),
    "figures.help.recall": Text(
        "Share of the fake images that the model calls fake.",
        "Доля подделок, которые модель называет подделкой.",
    ),
    "figures.measured": Text(
        "Measured on test images that the model did not learn from: {count}. The ranges are 95 % intervals: how far "
        "chance alone may have moved a figure.",
        "Измерено на тестовых изображениях, на которых модель не училась: {count}. Диапазоны — 95-процентные "
        "интервалы: насколько показатель мог сместиться из-за случайности.",
    ),
    "figures.not_tested": Text(
        "This model was not measured on test images. The curves below are of the {split} images, which took part in "
        "making it: they look better than the truth.",
        "На тестовых изображениях эту модель не измеряли. Кривые ниже построены по выборке «{split}», которая "
        "участвовала в её создании, поэтому выглядят лучше, чем на самом деле.",
    ),
    "figures.none": Text("No figures were measured for this model.", "Для этой модели ничего не измерено."),
    "figures.overfit": Text(
        "Training images are known to the model: the gap between training and test is how much it learnt by heart.",
        "Обучающие изображения модели знакомы: разница между обучением и тестом показывает, сколько она заучила.",
    ),
    "figures.table": Text("Figures by part of the data set", "Показатели по частям набора данных"),
    "figures.column": Text("Figure", "Показатель"),
    "figures.curves": Text("Curves", "Кривые"),
    "figures.roc": Text("Fakes found against false alarms (ROC)", "Найденные подделки и ложные тревоги (ROC)"),
    "figures.roc.x": Text("Real images called fake, %", "Настоящие, принятые за подделку, %"),
    "figures.roc.y": Text("Fakes found, %", "Найденные подделки, %"),
    "figures.roc.zoom": Text("Only the first 10 % of false alarms", "Только первые 10 % ложных тревог"),
    "figures.roc.reading": Text(
        "At its threshold (the dot) the model finds {recall} of the fakes and calls {fpr} of the real images fake. The "
        "nearer the line comes to the upper left corner the better; the grey diagonal is guessing.",
        "При своём пороге (точка) модель находит {recall} подделок и называет подделкой {fpr} настоящих изображений. "
        "Чем ближе линия к левому верхнему углу, тем лучше; серая диагональ — угадывание.",
    ),
    "figures.roc.readings": Text(
        "The line nearest to the upper left corner is the best; the dot on each is the model's threshold. The grey "
        "diagonal is guessing.",
        "Лучше та линия, которая ближе к левому верхнему углу; точка на каждой — порог модели. Серая диагональ — "
        "угадывание.",
    ),
    "figures.roc.alternative": Text(
        "ROC curve: share of fakes found against share of real images called fake. {points}",
        "ROC-кривая: доля найденных подделок и доля настоящих изображений, принятых за подделку. {points}",
    ),
    "figures.roc.point": Text(
        "{model}: AUROC {auroc}, {recall} of the fakes at {fpr} of false alarms.",
        "{model}: AUROC {auroc}, {recall} подделок при {fpr} ложных тревог.",
    ),
    "figures.reliability": Text("Does the probability hold?", "Можно ли верить вероятности?"),
    "figures.reliability.x": Text("Probability of fake that was given, %", "Названная вероятность подделки, %"),
    "figures.reliability.y": Text("Really fake, %", "Подделок на самом деле, %"),
    "figures.reliability.reading": Text(
        "Of the images that got 80 %, about 80 % should be fake: the nearer the dots lie to the grey diagonal, the "
        "more a probability can be trusted. Large dots are many images, small dots scatter.",
        "Среди изображений с ответом «80 %» подделок должно быть около 80 %: чем ближе точки к серой диагонали, тем "
        "больше можно верить вероятности. Крупные точки — много изображений, мелкие разбросаны случайно.",
    ),
    "figures.reliability.alternative": Text(
        "Share of fakes among images by the probability that they got. {points}",
        "Доля подделок среди изображений в зависимости от названной вероятности. {points}",
    ),
    "figures.reliability.point": Text("{model}: calibration error {ece}.", "{model}: ошибка калибровки {ece}."),
    "figures.losses": Text("Loss of each epoch", "Функция потерь по эпохам"),
    "figures.losses.finetune": Text("Fine-tuning: loss of each epoch", "Дообучение сети: потери по эпохам"),
    "figures.losses.x": Text("Epoch", "Эпоха"),
    "figures.losses.y": Text("Loss", "Функция потерь"),
    "figures.losses.reading": Text(
        "Both lines should fall and become level. Where the validation line rises while the training line falls, the "
        "model begins to learn by heart.",
        "Обе линии должны снижаться и выравниваться. Если линия валидации растёт, пока линия обучения падает, модель "
        "начинает заучивать.",
    ),
    "figures.losses.alternative": Text(
        "Loss over {epochs} epochs, at the end {train} on training and {validation} on validation images.",
        "Функция потерь за эпохи (их {epochs}); в конце {train} на обучении и {validation} на валидации.",
    ),
    "figures.c": Text("Choice of C", "Выбор C"),
    "figures.c.x": Text("C (larger: the model may bend more to its data)", "C (больше — сильнее подгонка под данные)"),
    "figures.c.y": Text("Loss in cross-validation", "Потери"),
    "figures.c.chosen": Text("chosen", "выбрано"),
    "figures.c.reading": Text(
        "C = {chosen} was chosen by cross-validation on training images: of the candidates it has the lowest loss.",
        "Выбрано C = {chosen}: у него наименьшие потери при перекрёстной проверке на обучающих изображениях.",
    ),
    "figures.c.alternative": Text(
        "Loss in cross-validation for each C that was tried: {points}.",
        "Потери при перекрёстной проверке для каждого проверенного C: {points}.",
    ),
    "figures.by_class": Text("By what the picture shows", "По содержанию изображения"),
    "figures.by_class.x": Text("Right answers, %", "Верных ответов, %"),
    "figures.by_class.answer": Text("Right about", "Верно о"),
    "figures.by_class.reading": Text(
        "For each kind of picture: how many of the real ones were called real (dot) and of the fake ones fake "
        "(triangle). Least sure about: {worst}.",
        "Для каждого вида изображений: сколько настоящих названо настоящими (кружок) и сколько подделок — подделками "
        "(треугольник). Хуже всего: {worst}.",
    ),
    "figures.by_class.alternative": Text(
        "Share of right answers by kind of picture: {points}.", "Доля верных ответов по видам изображений: {points}."
    ),
    "figures.by_generator": Text("By generator", "По генераторам"),
    "figures.generator": Text("Generator", "Генератор"),
    "confusion.title": Text("Right and wrong answers", "Верные и неверные ответы"),
    "confusion.split": Text("Images", "Изображения"),
    "confusion.called.REAL": Text("Called :blue[REAL]", "Ответ :blue[REAL]"),
    "confusion.called.FAKE": Text("Called :orange[FAKE]", "Ответ :orange[FAKE]"),
    "confusion.truth.REAL": Text("Truly :blue[REAL]", "На деле :blue[REAL]"),
    "confusion.truth.FAKE": Text("Truly :orange[FAKE]", "На деле :orange[FAKE]"),
    "confusion.cell.tn": Text("Cleared: {count} ({share})", "Признаны: {count} ({share})"),
    "confusion.cell.fp": Text("False alarms: {count} ({share})", "Ложные тревоги: {count} ({share})"),
    "confusion.cell.fn": Text("Missed: {count} ({share})", "Пропущены: {count} ({share})"),
    "confusion.cell.tp": Text("Found: {count} ({share})", "Найдены: {count} ({share})"),
    "confusion.hint": Text(
        "Each button opens the images it counts. Shares are of the row.",
        "Каждая кнопка открывает изображения, которые она считает. Доли — от строки.",
    ),
    "confusion.opened.tn": Text("Real images that it calls real", "Настоящие, названные настоящими"),
    "confusion.opened.fp": Text(
        "False alarms: real images that it calls fake", "Ложные тревоги: настоящие, названные подделкой"
    ),
    "confusion.opened.fn": Text(
        "Missed: fake images that it calls real", "Пропущенные: подделки, названные настоящими"
    ),
    "confusion.opened.tp": Text("Fake images that it calls fake", "Подделки, названные подделками"),
    "confusion.no_pictures": Text(
        "The pictures cannot be shown: the data set {name} that this model was made from is not on this service.",
        "Показать изображения нельзя: набора данных {name}, из которого сделана эта модель, на этом сервисе нет.",
    ),
    "confusion.empty": Text("There is no image in this cell.", "В этой клетке нет изображений."),
    "confusion.moved": Text(
        "The data set has changed since this model was made (version {then}, now {now}): some of these images may be "
        "relabelled or dropped already.",
        "Набор данных изменился с тех пор, как сделана эта модель (версия была {then}, теперь {now}): метки некоторых "
        "изображений, возможно, уже исправлены, а сами они исключены.",
    ),
    "confusion.caption": Text("Fake: {percent}", "Подделка: {percent}"),
    "relabel.choice": Text("What becomes of {path}", "Что сделать с {path}"),
    "relabel.to.KEEP": Text("Keep as it is", "Оставить"),
    "relabel.to.REAL": Text("It is REAL", "Это REAL"),
    "relabel.to.FAKE": Text("It is FAKE", "Это FAKE"),
    "relabel.to.DROP": Text("Drop it", "Исключить"),
    "relabel.hint": Text(
        "Worst first. Is a label wrong, or a picture unusable? Choose below it what it should be; the choices of all "
        "pages are collected.",
        "Сначала худшие. Метка неверна или изображение негодное? Выберите под ним, что с ним сделать; выбор со всех "
        "страниц собирается вместе.",
    ),
    "relabel.summary": Text("Changes chosen: {count}", "Выбрано изменений: {count}"),
    "relabel.explain": Text(
        "They make a new version of the data set {name} (now at version {version}), and a model with the "
        "same settings is "
        "fitted on it. That takes seconds, as the features of the images are kept. This model stays as it is.",
        "Из них получится новая версия набора данных {name} (сейчас версия {version}), и на ней с теми же параметрами "
        "обучится новая модель. Это займёт секунды: признаки изображений уже вычислены. Эта модель не изменится.",
    ),
    "relabel.care": Text(
        "These are test images. Change only labels that are really wrong: a test set without its hard pictures makes "
        "every model look better than it is.",
        "Это тестовые изображения. Исправляйте только действительно неверные метки: без трудных изображений тест "
        "показывает любую модель лучше, чем она есть.",
    ),
    "relabel.refit": Text("Make a new version and refit", "Создать версию и переобучить"),
    "relabel.forget": Text("Forget the changes", "Забыть изменения"),
    "relabel.moved": Text(
        "The data set has changed meanwhile: it is at version {version} now. Your choices are kept; look whether they "
        "are still right, then press the button again.",
        "Набор данных тем временем изменился: теперь это версия {version}. Ваш выбор сохранён; проверьте, верен ли он "
        "ещё, и нажмите кнопку снова.",
    ),
    "relabel.kept": Text("Your choices are kept: try again later.", "Ваш выбор сохранён: повторите позже."),
    "relabel.not_started": Text(
        "Version {version} of the data set is made, but the training did not start: {detail} Start it on the "
        "page Train.",
        "Версия {version} набора данных создана, но обучение не началось: {detail} Запустите его на странице "
        "«Обучение».",
    ),
}
