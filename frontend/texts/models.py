"""Texts of the pages of all models and of one model."""

from __future__ import annotations

from frontend.texts.language import Text

TEXTS: dict[str, Text] = {
    "models.title": Text("Models", "Модели"),
    "models.search": Text("Search in names, ids and notes", "Поиск по именам, id и заметкам"),
    "models.sort": Text("Sort by", "Сортировать"),
    "models.sort.-created_at": Text("Newest first", "Сначала новые"),
    "models.sort.-accuracy": Text("Test accuracy, best first", "По точности на тесте, сначала лучшие"),
    "models.sort.-auroc": Text("Test AUROC, best first", "По AUROC на тесте, сначала лучшие"),
    "models.sort.name": Text("Name", "По имени"),
    "models.sort.size_bytes": Text("Size, smallest first", "По размеру, сначала маленькие"),
    "models.none": Text(
        "There is no model yet. Train one: it takes a data set and a minute or two.",
        "Моделей пока нет. Обучите первую: нужны набор данных и минута-другая.",
    ),
    "models.nothing_found": Text("No model has this in its name, id or notes.", "Ничего не найдено."),
    "models.count": Text("Models: {count}", "Моделей: {count}"),
    "models.hint": Text(
        "Tick a row on the left to open, use or delete the model; tick several to compare them. A click on a heading "
        "sorts.",
        "Отметьте строку слева, чтобы открыть, использовать или удалить модель; отметьте несколько, чтобы сравнить их. "
        "Щелчок по заголовку сортирует.",
    ),
    "models.hint_more": Text("Tick another row to compare.", "Отметьте ещё одну строку, чтобы сравнить."),
    "models.chosen": Text("Chosen: {name}", "Выбрана модель {name}"),
    "models.open": Text("Open", "Открыть"),
    "models.compare": Text("Compare these {count} models", "Сравнить модели ({count})"),
    "models.in_use": Text("★ in use", "★ работает"),
    "models.active": Text("Checks pictures now", "Проверяет изображения сейчас"),
    "models.use": Text("Use for checking", "Использовать для проверки"),
    "models.now_used": Text("Pictures are now checked by {name}.", "Теперь изображения проверяет {name}."),
    "models.delete": Text("Delete", "Удалить"),
    "models.delete_active": Text(
        "This model checks pictures at the moment, so it cannot be deleted. Choose another one for checking first.",
        "Эта модель сейчас проверяет изображения, поэтому удалить её нельзя. Сначала выберите для проверки другую.",
    ),
    "models.delete_question": Text(
        "Delete the model {name} for good? Its data set stays.",
        "Удалить модель {name} навсегда? Набор данных останется.",
    ),
    "models.delete_now": Text("Delete the model", "Удалить модель"),
    "models.deleted": Text("The model {name} was deleted.", "Модель {name} удалена."),
    "models.export": Text("Export", "Экспорт"),
    "models.export_help": Text(
        "A zip with the card, the weights and, for a network, one ONNX graph from pixels to score.",
        "Архив zip: карточка, веса и, если это нейросеть, один граф ONNX от пикселей до оценки.",
    ),
    "models.column.name": Text("Name", "Имя"),
    "models.column.active": Text("In use", "Работает"),
    "models.column.test": Text("Test accuracy", "Точность на тесте"),
    "models.column.auroc": Text("AUROC", "AUROC"),
    "models.column.log_loss": Text("Log loss (test)", "Log loss (тест)"),
    "models.column.hinge_loss": Text("Hinge loss (test)", "Hinge loss (тест)"),
    "models.column.train": Text("Training accuracy", "Точность на обучении"),
    "models.column.head": Text("Head", "Классификатор"),
    "models.column.C": Text("C", "C"),
    "models.column.backbone": Text("Backbone or features", "Сеть или признаки"),
    "models.column.stages": Text("Stages", "Уровни сети"),
    "models.column.input_size": Text("Input size, px", "Размер входа, пикс."),
    "models.column.activation": Text("Last activation", "Последняя активация"),
    "models.column.dataset": Text("Data set", "Набор данных"),
    "models.column.images": Text("Images", "Изображений"),
    "models.column.created": Text("Created", "Создана"),
    "models.column.size": Text("Size", "Размер"),
    "compare.title": Text("Comparison of models", "Сравнение моделей"),
    "compare.back": Text("All models", "Все модели"),
    "compare.share": Text(
        "The address of this page can be shared: it names the models.",
        "Адресом этой страницы можно поделиться: в нём названы модели.",
    ),
    "compare.too_many": Text(
        "At most {most} models fit into one comparison; the first {most} are shown.",
        "В одно сравнение помещается не больше {most} моделей; показаны первые {most}.",
    ),
    "compare.too_few": Text(
        "A comparison needs two models. Choose them in the list of all models.",
        "Для сравнения нужны две модели. Выберите их в списке всех моделей.",
    ),
    "compare.other_data": Text(
        "These models were tested on different data sets, so their figures cannot be compared: a higher accuracy may "
        "only mean easier pictures.",
        "Эти модели проверены на разных наборах данных, поэтому их показатели сравнивать нельзя: более высокая "
        "точность может означать лишь более простые изображения.",
    ),
    "compare.other_version": Text(
        "These models were tested on different versions of the data set: images were relabelled or dropped "
        "in between, so "
        "a difference in figures may come from that alone.",
        "Эти модели проверены на разных версиях набора данных: между ними метки исправлялись или изображения "
        "исключались, "
        "и разница показателей может быть только из-за этого.",
    ),
    "compare.other_split": Text(
        "These models have different seeds or test shares. Where the data set itself does not name its test "
        "images, they "
        "were tested on different ones.",
        "У этих моделей разные зерно или доля теста. Если набор данных сам не выделяет тестовые изображения, модели "
        "проверены на разных.",
    ),
    "compare.not_tested": Text(
        "{name} was not measured on test images and is missing from the figures.",
        "Модель {name} не измеряли на тестовых изображениях, в показателях её нет.",
    ),
    "compare.figures": Text("Test figures with 95 % intervals", "Показатели на тесте с 95-процентными интервалами"),
    "compare.best": Text("★ best", "★ лучше всех"),
    "compare.level": Text("≈ level", "≈ наравне"),
    "compare.clear": Text(
        "★ leads clearly: its interval does not touch that of any other. ≈ is level with the best: the intervals "
        "overlap, so the difference may be chance. Where no model is marked, all are level.",
        "★ — явный лидер: его интервал не пересекается с остальными. ≈ — наравне с лучшей: интервалы пересекаются, "
        "разница может быть случайной. Где отметок нет, все модели наравне.",
    ),
    "compare.unclear": Text(
        "No model is clearly the best in any figure: the intervals overlap, so the differences may be chance. More "
        "test images would tell.",
        "Ни по одному показателю явного лидера нет: интервалы пересекаются, и разница может быть случайной. Ясность "
        "внесло бы большее число тестовых изображений.",
    ),
    "compare.paired.significant": Text(
        "Image by image: on the {n} test images that both were tested on, {first} alone is right on {only_first}, "
        "{second} alone on {only_second}. McNemar's exact test: {p}; the difference is more than chance at 5 %.",
        "По изображениям: из {n} тестовых, на которых проверены обе модели, только {first} права на {only_first}, "
        "только {second} — на {only_second}. Точный критерий Макнемара: {p}; при уровне 5 % различие не случайно.",
    ),
    "compare.paired.chance": Text(
        "Image by image: on the {n} test images that both were tested on, {first} alone is right on {only_first}, "
        "{second} alone on {only_second}. McNemar's exact test: {p}; the difference is not more than chance at 5 %.",
        "По изображениям: из {n} тестовых, на которых проверены обе модели, только {first} права на {only_first}, "
        "только {second} — на {only_second}. Точный критерий Макнемара: {p}; при уровне 5 % различие может быть "
        "случайным.",
    ),
    "compare.confusions": Text("Right and wrong answers on test images", "Верные и неверные ответы на тесте"),
    "compare.confusion": Text("Confusion matrix of {name}", "Матрица ошибок модели {name}"),
    "compare.settings": Text("What differs between them", "Чем они отличаются"),
    "compare.setting": Text("Setting", "Параметр"),
    "compare.same_settings": Text("All settings are the same.", "Все параметры одинаковы."),
    "compare.only_differing": Text(
        "Settings that are equal in all of them are left out.", "Параметры, одинаковые у всех, не показаны."
    ),
    "card.dataset.id": Text("Data set: id", "Набор данных: id"),
    "card.dataset.name": Text("Data set", "Набор данных"),
    "card.dataset.version": Text("Data set: version", "Набор данных: версия"),
    "card.dataset.digest": Text("Data set: digest", "Набор данных: контрольная сумма"),
    "card.dataset.images": Text("Data set: images", "Набор данных: изображений"),
    "card.digest": Text("Model: digest", "Модель: контрольная сумма"),
    "card.backbone": Text("Backbone", "Нейросеть"),
    "card.backbone_digest": Text("Backbone: digest", "Нейросеть: контрольная сумма"),
    "card.extractor.name": Text("Features", "Признаки"),
    "card.extractor.dimensions": Text("Features: numbers an image", "Признаки: чисел на изображение"),
    "card.extractor.spec.name": Text("Features: kind", "Признаки: вид"),
    "card.extractor.spec.backbone": Text("Features: backbone", "Признаки: нейросеть"),
    "card.extractor.spec.stages": Text("Features: stages", "Признаки: уровни сети"),
    "card.extractor.spec.input_size": Text("Features: input size, px", "Признаки: размер входа, пикс."),
    "card.extractor.spec.pooling": Text("Features: pooling", "Признаки: усреднение"),
    "card.extractor.spec.flips": Text("Features: mirror image averaged", "Признаки: среднее с отражением"),
    "card.extractor.spec.parts": Text("Features: parts", "Признаки: части"),
    "card.extractor.digest": Text("Features: digest", "Признаки: контрольная сумма"),
    "card.extractor.spec.network": Text("Features: fine-tuned network", "Признаки: дообученная сеть"),
    "card.config.finetune": Text("Fine-tuning", "Дообучение"),
    "card.config.finetune.train": Text("Fine-tuning: parts trained", "Дообучение: обучаемые части"),
    "card.config.finetune.epochs": Text("Fine-tuning: epochs", "Дообучение: эпохи"),
    "card.config.finetune.learning_rate": Text("Fine-tuning: learning rate", "Дообучение: скорость обучения"),
    "card.config.finetune.head_learning_rate": Text(
        "Fine-tuning: learning rate of the unit on top", "Дообучение: скорость обучения верхнего слоя"
    ),
    "card.config.finetune.weight_decay": Text("Fine-tuning: weight decay", "Дообучение: затухание весов"),
    "card.config.finetune.batch_size": Text("Fine-tuning: batch size", "Дообучение: размер пакета"),
    "card.config.finetune.augment": Text("Fine-tuning: augmentation", "Дообучение: аугментация"),
    "card.config.finetune.patience": Text("Fine-tuning: patience", "Дообучение: терпение"),
    "card.config.finetune.ema": Text("Fine-tuning: average of weights", "Дообучение: усреднение весов"),
    "card.config.finetune.hidden": Text("Fine-tuning: layers on top", "Дообучение: слои поверх сети"),
    "card.config.finetune.dropout": Text("Fine-tuning: dropout", "Дообучение: прореживание"),
    "card.config.finetune.warmup": Text("Fine-tuning: warm-up", "Дообучение: разогрев"),
    "card.config.finetune.batch_norm": Text("Fine-tuning: batch statistics", "Дообучение: статистики пакетов"),
    "card.config.finetune.mixed_precision": Text("Fine-tuning: bfloat16", "Дообучение: точность bfloat16"),
    "card.config.finetune.device": Text("Fine-tuning: device asked for", "Дообучение: заданное устройство"),
    "card.finetuned.best_epoch": Text("Fine-tuning: best epoch", "Дообучение: лучшая эпоха"),
    "card.finetuned.images": Text("Fine-tuning: images", "Дообучение: изображения"),
    "card.finetuned.device": Text("Fine-tuning: device", "Дообучение: устройство"),
    "card.head.name": Text("Head", "Классификатор"),
    "card.head.kind": Text("Head: kind", "Классификатор: вид"),
    "card.head.chosen.C": Text("Head: C that was used", "Классификатор: использованное C"),
    "card.config.head.C": Text("Head: C asked for", "Классификатор: заданное C"),
    "card.config.head.class_weight": Text("Head: class weights", "Классификатор: веса классов"),
    "card.config.head.epochs": Text("Head: epochs", "Классификатор: эпохи"),
    "card.config.head.components": Text("Head: kernel components", "Классификатор: компоненты ядра"),
    "card.config.head.gamma": Text("Head: gamma", "Классификатор: гамма"),
    "card.config.head.hidden": Text("Head: hidden layers", "Классификатор: скрытые слои"),
    "card.config.head.dropout": Text("Head: dropout", "Классификатор: прореживание"),
    "card.config.head.mixup": Text("Head: mixup", "Классификатор: смешивание (mixup)"),
    "card.config.head.learning_rate": Text("Head: learning rate", "Классификатор: скорость обучения"),
    "card.config.head.weight_decay": Text("Head: weight decay", "Классификатор: затухание весов"),
    "card.config.head.ensemble": Text("Head: networks averaged", "Классификатор: усредняемых сетей"),
    "card.config.validation_fraction": Text("Share of validation images", "Доля валидации"),
    "card.config.test_fraction": Text("Share of test images", "Доля теста"),
    "card.config.target_fpr": Text("Aimed share of false alarms", "Желаемая доля ложных тревог"),
    "card.config.doubt": Text("Share of REAL that may be doubted", "Доля REAL под сомнением"),
    "card.config.evaluate_test": Text("Measured on test images", "Измерена на тесте"),
    "card.config.measure_limits": Text("Limits measured", "Пределы измерены"),
    "card.config.seed": Text("Seed", "Зерно генератора случайных чисел"),
    "card.seed": Text("Seed", "Зерно генератора случайных чисел"),
    "card.activation": Text("Last activation", "Последняя активация"),
    "card.loss": Text("Loss", "Функция потерь"),
    "card.threshold": Text("Threshold", "Порог"),
    "card.calibration.kind": Text("Calibration: kind", "Калибровка: вид"),
    "card.calibration.a": Text("Calibration: slope", "Калибровка: наклон"),
    "card.calibration.b": Text("Calibration: offset", "Калибровка: сдвиг"),
    "card.calibration.losses.platt": Text("Calibration: loss of Platt scaling", "Калибровка: потери метода Платта"),
    "card.calibration.losses.temperature": Text("Calibration: loss of a temperature", "Калибровка: потери температуры"),
    "card.calibration.losses.isotonic": Text(
        "Calibration: loss of isotonic regression", "Калибровка: потери изотонической регрессии"
    ),
    "card.unsure_band": Text("Unsure between", "Не уверена между"),
    "card.timings.import_s": Text("Time: import", "Время: импорт"),
    "card.timings.audit_s": Text("Time: audit", "Время: аудит"),
    "card.timings.finetune_s": Text("Time: fine-tuning", "Время: дообучение"),
    "card.timings.features_s": Text("Time: features", "Время: признаки"),
    "card.timings.fit_s": Text("Time: fit", "Время: обучение"),
    "card.timings.evaluate_s": Text("Time: figures", "Время: измерение"),
    "card.timings.limits_s": Text("Time: limits", "Время: пределы"),
    "model.which": Text("Choose a model in the list.", "Выберите модель в списке."),
    "model.edit": Text("Rename, notes", "Имя и заметки"),
    "model.name": Text("Name", "Имя"),
    "model.notes": Text("Notes", "Заметки"),
    "model.save": Text("Save", "Сохранить"),
    "model.saved": Text("Saved.", "Сохранено."),
    "model.learnt": Text(
        "It was made from the data set {dataset} (version {version}, images: {images}).",
        "Сделана из набора данных {dataset} (версия {version}, изображений: {images}).",
    ),
    "model.trained_on": Text(
        "It learnt from real images ({real}) and fake ones ({fake}).",
        "Училась на настоящих изображениях ({real}) и на подделках ({fake}).",
    ),
    "model.sampled": Text(
        "Its head was fitted on a random sample of {fitted} of them, which is what the memory holds.",
        "Классификатор обучен на случайной выборке из них ({fitted}): столько помещается в память.",
    ),
    "model.generators": Text("Generators that it knows: {generators}.", "Знакомые ей генераторы: {generators}."),
    "model.network": Text(
        "The network {backbone} turns pictures into numbers, and {head} decides.",
        "Нейросеть {backbone} превращает изображения в числа, решает {head}.",
    ),
    "model.features": Text(
        "The features {extractor} turn pictures into numbers, and {head} decides.",
        "Признаки {extractor} превращают изображения в числа, решает {head}.",
    ),
    "model.audit": Text(
        "The audit of the data set warned before the training: {findings}.",
        "Проверка набора перед обучением предупредила: {findings}.",
    ),
    "model.finetuned": Text(
        "The network itself was trained further on {images} images; its weights after epoch {epoch} were the best.",
        "Сама нейросеть дообучена на изображениях ({images}); лучшими оказались её веса после эпохи {epoch}.",
    ),
    "model.head.logreg": Text("logistic regression", "логистическая регрессия"),
    "model.head.svm": Text("a linear support vector machine", "линейный метод опорных векторов"),
    "model.head.svm_rbf": Text(
        "a support vector machine with a Gaussian kernel", "метод опорных векторов с гауссовым ядром"
    ),
    "model.head.logreg_sgd": Text(
        "logistic regression trained in epochs", "логистическая регрессия, обученная по эпохам"
    ),
    "model.head.svm_sgd": Text(
        "a linear support vector machine trained in epochs", "линейный метод опорных векторов, обученный по эпохам"
    ),
    "model.head.multi": Text(
        "logistic regression with a specialist for each generator",
        "логистическая регрессия со специалистом на каждый генератор",
    ),
    "model.head.mlp": Text("a small neural network", "небольшая нейросеть"),
    "model.threshold": Text(
        "From a probability of {threshold} on it calls a picture fake; between {low} and {high} it says that "
        "it is unsure.",
        "Начиная с вероятности {threshold} называет изображение подделкой; между {low} и {high} говорит, что "
        "не уверена.",
    ),
    "model.made": Text(
        "Made on {date} in {time}; it takes {size} on disk.", "Создана {date} за {time}; занимает на диске {size}."
    ),
    "model.unknown_title": Text("What it does not know.", "Чего она не знает."),
    "model.knows_these": Text(
        "It learnt the traces of these generators only: {generators}.",
        "Она выучила следы только этих генераторов: {generators}.",
    ),
    "model.knows_unnamed": Text(
        "It learnt the traces of the generators in its data only, and the data do not name them.",
        "Она выучила следы только тех генераторов, что были в её данных, а названия их там не указаны.",
    ),
    "model.fooled_by": Text(
        "Pictures of other generators, edited, strongly compressed or resized pictures can fool it: take its answer as "
        "a hint, never as proof.",
        "Изображения других генераторов, обработанные, сильно сжатые или изменённые в размере могут её обмануть: её "
        "ответ — подсказка, а не доказательство.",
    ),
    "model.sizes": Text(
        "The sides of the pictures that it learnt from, in pixels: {sides}.",
        "Стороны изображений, на которых она училась, в пикселях: {sides}.",
    ),
    "model.details": Text("All settings, digests and versions", "Все параметры, контрольные суммы и версии"),
    "model.value": Text("Value", "Значение"),
}
