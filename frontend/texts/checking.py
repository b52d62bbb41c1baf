"""Texts of the page that checks pictures, of its tables and of its reports."""

from __future__ import annotations

from frontend.texts.language import Text

TEXTS: dict[str, Text] = {
    "predict.intro": Text(
        "Drop one or more pictures here. Each gets a verdict: real, fake, or unsure.",
        "Перетащите сюда одно или несколько изображений. Каждое получит вердикт: настоящее, подделка или неясно.",
    ),
    "predict.upload": Text(
        "Pictures (JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF, HEIC)",
        "Изображения (JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF, HEIC)",
    ),
    "predict.ways": Text(
        "Or paste a picture with Ctrl+V, anywhere on this page. Up to {most} files at once; for thousands of training "
        "pictures, upload a zip on the page Data.",
        "Или вставьте изображение клавишами Ctrl+V в любом месте страницы. За один раз — не больше {most} файлов; "
        "тысячи изображений для обучения загрузите одним zip-архивом на странице «Данные».",
    ),
    "predict.paste_too_large": Text(
        "What you pasted is larger than {size}. Upload it as a file, or make it smaller.",
        "Вставленное больше {size}. Загрузите его файлом или уменьшите.",
    ),
    "predict.camera": Text("Use the camera", "Снять камерой"),
    "predict.camera_label": Text("Take a photo of a picture", "Сфотографируйте изображение"),
    "tray.content": Text("Pictures: {count} ({size})", "Изображений: {count} ({size})"),
    "tray.clear": Text("Remove all", "Убрать все"),
    "tray.remove": Text("Remove this picture", "Убрать это изображение"),
    "tray.full": Text(
        "There is room for {size} of pictures here. Left out: {count}. Remove some pictures, then add those again.",
        "Здесь помещается {size} изображений. Не поместилось: {count}. Уберите часть изображений и добавьте эти снова.",
    ),
    "predict.progress": Text("{done} of {total}", "{done} из {total}"),
    "predict.waiting": Text(
        "Some pictures have no answer yet. Those that are there stay; press the button above to go on.",
        "Часть изображений ещё без ответа. Полученные ответы сохранены; чтобы продолжить, нажмите кнопку выше.",
    ),
    "predict.go_on": Text("Go on", "Продолжить"),
    "predict.no_answer": Text("The service gave no answer for this file.", "Сервис не дал ответа для этого файла."),
    "predict.summary": Text(
        "{fake} fake, {real} real, {unsure} unsure, {failed} not readable.",
        "Подделок: {fake}, настоящих: {real}, неясно: {unsure}, не прочитано: {failed}.",
    ),
    "verdict.fake": Text("Fake: it looks like the work of a generator.", "Подделка: похоже на работу генератора."),
    "verdict.real": Text(
        "Real: no trace of the generators that this model knows.",
        "Настоящее: следов генераторов, известных этой модели, нет.",
    ),
    "verdict.unsure": Text("Unsure: this model cannot tell.", "Неясно: эта модель не может определить."),
    "verdict.short.fake": Text("Fake", "Подделка"),
    "verdict.short.real": Text("Real", "Настоящее"),
    "verdict.short.unsure": Text("Unsure", "Неясно"),
    "verdict.short.failed": Text("Not readable", "Не прочитано"),
    "verdict.short.waiting": Text("Waiting for its answer", "Ждёт ответа"),
    "predict.probability": Text(
        "Probability that it is fake: {percent}. From {threshold} on it counts as FAKE.",
        "Вероятность подделки: {percent}. Начиная с {threshold} изображение считается подделкой.",
    ),
    "predict.probability_outside": Text(
        "Probability that it is fake: {percent}, but here that does not count: the model never saw pictures like this. "
        "(From {threshold} on it would count as FAKE.)",
        "Вероятность подделки: {percent}, но здесь она ничего не значит: таких изображений модель не видела. "
        "(Начиная с {threshold} изображение считалось бы подделкой.)",
    ),
    "reason.size": Text(
        "The picture is {size} pixels; the model was trained on sides of {sides} pixels and is untested on others.",
        "Размер изображения — {size} пикселей; модель обучена на сторонах в {sides} пикселей, на других не проверена.",
    ),
    "reason.too_close": Text(
        "The probability {percent} lies between {low} and {high}: too close to call.",
        "Вероятность {percent} лежит между {low} и {high}: слишком близко к границе, чтобы решить.",
    ),
    "reason.features": Text(
        "What the model sees in the picture is unlike what it saw in the pictures that it was trained on.",
        "То, что модель видит в изображении, не похоже на то, что она видела в обучающих изображениях.",
    ),
    "reason.codec": Text(
        "The file is compressed far harder than any picture that the model was trained on (JPEG quality {quality} and "
        "above): the traces that it looks for may be gone.",
        "Файл сжат гораздо сильнее любого изображения, на котором модель обучена (качество JPEG от {quality}): следов, "
        "которые она ищет, могло не остаться.",
    ),
    "reason.traces": Text(
        "It leans towards what the fakes of several generators have in common: “real” does not deserve trust here.",
        "Оно похоже на то общее, что есть у подделок нескольких генераторов: ответу «настоящее» здесь верить нельзя.",
    ),
    "reason.short.codec": Text("Compressed too hard", "Слишком сильно сжато"),
    "reason.short.features": Text("Unlike what it learnt from", "Не похоже на обучающие"),
    "reason.short.size": Text("Size it never saw", "Незнакомый размер"),
    "reason.short.traces": Text("Leans towards fakes", "Похоже на подделки"),
    "reason.short.too_close": Text("Too close to call", "Близко к границе"),
    "answer.outside": Text("Outside of what the model was trained on.", "Вне того, на чём модель обучена."),
    "answer.inside": Text(
        "Of the kind that the model was trained on.", "Того же рода, что и изображения, на которых модель обучена."
    ),
    "answer.size_known": Text(
        "{size} pixels: near the size of the training pictures (sides of {sides} pixels).",
        "{size} пикселей: близко к размеру обучающих изображений (стороны {sides} пикселей).",
    ),
    "answer.domain_unknown": Text(
        "Whether the picture is of the kind that the model was trained on is not known.",
        "Неизвестно, того же ли рода это изображение, что и обучающие.",
    ),
    "answer.pixels": Text("{size} pixels", "{size} пикселей"),
    "answer.stability": Text("How stable the answer is", "Насколько ответ устойчив"),
    "answer.provenance": Text("What the file says of its origin", "Что файл говорит о своём происхождении"),
    "answer.explanation": Text("Explanation", "Объяснение"),
    "answer.strength": Text("Strength of the heat map", "Сила тепловой карты"),
    "answer.heatmap": Text(
        "The picture {filename} under a heat map of what the model looked at",
        "Изображение {filename} под тепловой картой того, на что смотрела модель",
    ),
    "answer.explain": Text("Explain this answer", "Объяснить этот ответ"),
    "predict.no_preview": Text(
        "This file has no preview here.", "Предварительного просмотра для этого файла здесь нет."
    ),
    "predict.picture": Text("The uploaded picture {filename}", "Загруженное изображение {filename}"),
    "predict.model": Text("Model", "Модель"),
    "predict.compare": Text("Compare with", "Сравнить с"),
    "predict.compare_none": Text("no other model", "без сравнения"),
    "choice.active": Text("{name} (active)", "{name} (активная)"),
    "choice.other": Text("{name}", "{name}"),
    "choice.missing": Text(
        "The address of this page names a model that does not exist (any more): {id}. Choose another one here.",
        "В адресе страницы указана модель, которой нет (или больше нет): {id}. Выберите здесь другую.",
    ),
    "model.with_accuracy": Text(
        "Answers come from the model {name}: right on {accuracy} ({interval}) of {count} test pictures of {dataset}; "
        "AUROC {auroc}.",
        "Отвечает модель {name}: верно {accuracy} ({interval}) из {count} проверочных изображений набора {dataset}; "
        "AUROC {auroc}.",
    ),
    "model.without_accuracy": Text(
        "Answers come from the model {name}; its accuracy on test pictures was not measured.",
        "Отвечает модель {name}; её точность на проверочных изображениях не измерена.",
    ),
    "model.about": Text("What it knows", "Что она знает"),
    "model.knows": Text("{name} knows these generators: {generators}.", "{name}: известные генераторы — {generators}."),
    "model.open": Text("More about {name}", "Подробнее: {name}"),
    "model.limits": Text(
        "Known limits: pictures of other generators, other sizes or with heavy compression can fool a model. Take the "
        "verdict as a hint, never as proof.",
        "Известные ограничения: изображения других генераторов, другого размера или сильно сжатые могут обмануть "
        "модель. Вердикт — подсказка, а не доказательство.",
    ),
    "model.generators_unknown": Text("not named in its data", "в данных не названы"),
    "overview.disagreements": Text(
        "The models disagree on {count} of {total}.", "Модели расходятся: {count} из {total}."
    ),
    "overview.numbers": Text("1 is {first}, 2 is {second}.", "1 — {first}, 2 — {second}."),
    "overview.filter": Text("Show only", "Показать только"),
    "overview.filter_first": Text("Show only (by model 1)", "Показать только (по модели 1)"),
    "overview.search": Text("Search in names", "Поиск по именам"),
    "overview.disagree": Text("Only where the models disagree", "Только где модели расходятся"),
    "overview.nothing": Text("No picture passes these filters.", "Под эти фильтры не подходит ни одно изображение."),
    "overview.choose": Text(
        "Tick a row to see its picture and full answer below the table; click a column's name to sort.",
        "Отметьте строку, чтобы увидеть под таблицей изображение и полный ответ; сортировка — щелчок по столбцу.",
    ),
    "overview.alt": Text("Pictures and their verdicts", "Изображения и их вердикты"),
    "overview.picture": Text("Picture", "Вид"),
    "overview.name": Text("Name", "Имя"),
    "overview.verdict": Text("Verdict", "Вердикт"),
    "overview.probability": Text("Fake, in %", "Подделка, %"),
    "overview.probability_help": Text(
        "99 % stands for 99 and more, 1 % for 1 and less: a detector is never certain. The downloads have every digit.",
        "99 % значит «99 и больше», 1 % — «1 и меньше»: детектор не бывает уверен до конца. Все знаки — в файлах.",
    ),
    "overview.size": Text("Pixels", "Пиксели"),
    "overview.reasons": Text("Why", "Почему"),
    "overview.csv": Text("All answers as CSV", "Все ответы в CSV"),
    "overview.json": Text("All answers as JSON", "Все ответы в JSON"),
    "report.html": Text("Evidence report (HTML)", "Отчёт (HTML)"),
    "report.json": Text("Evidence report (JSON)", "Отчёт (JSON)"),
    "report.refused": Text(
        "There is no report for this picture: the service answered for a file with another SHA-256. Remove the picture "
        "and upload it again.",
        "Отчёта для этого изображения нет: сервис ответил о файле с другой SHA-256. Уберите изображение и загрузите "
        "его снова.",
    ),
    "report.title": Text("Report on a picture", "Отчёт об изображении"),
    "report.made_at": Text("Made at", "Составлен"),
    "report.why": Text("How sure, and why", "Насколько уверенно и почему"),
    "report.picture": Text("The picture", "Изображение"),
    "report.answer": Text("The answer in figures", "Ответ в цифрах"),
    "report.model": Text("The model that answered", "Модель, давшая ответ"),
    "report.limits": Text("Known limits", "Известные ограничения"),
    "report.filename": Text("File name", "Имя файла"),
    "report.size": Text("File size", "Размер файла"),
    "report.pixels": Text("Width × height in pixels", "Ширина × высота в пикселях"),
    "report.format": Text("Format", "Формат"),
    "report.verdict": Text("Verdict", "Вердикт"),
    "report.probability": Text("Probability that it is fake", "Вероятность подделки"),
    "report.threshold": Text("Threshold for FAKE", "Порог для подделки"),
    "report.score": Text("Score of the model", "Оценка модели (score)"),
    "report.domain": Text("Like the training pictures?", "Похоже ли на обучающие?"),
    "report.model_name": Text("Name", "Имя"),
    "report.model_id": Text("Id", "Идентификатор"),
    "report.model_digest": Text("Digest of the model", "Хеш модели"),
    "report.backbone": Text("Pretrained network", "Предобученная сеть"),
    "report.backbone_digest": Text("SHA-256 of the network", "SHA-256 сети"),
    "report.dataset": Text("Learnt from the data set", "Обучена на наборе данных"),
    "report.generators": Text("Generators it knows", "Известные генераторы"),
    "report.accuracy": Text(
        "Right on test pictures (95 % interval)", "Доля верных на проверке (95-процентный интервал)"
    ),
    "report.test_images": Text("Number of test pictures", "Проверочных изображений"),
    "report.reduced": Text(
        "A smaller copy as JPEG; the SHA-256 is that of the original file.",
        "Уменьшенная копия в JPEG; SHA-256 относится к исходному файлу.",
    ),
    "report.no_picture": Text(
        "The picture cannot be shown here; its SHA-256 below says which file it is.",
        "Показать изображение здесь нельзя; какой это файл, говорит SHA-256 ниже.",
    ),
    "report.limit.generators": Text(
        "The model knows these generators: {generators}. Pictures of others can pass as real.",
        "Модель знает эти генераторы: {generators}. Изображения других могут сойти за настоящие.",
    ),
    "report.limit.size": Text(
        "It is tested on pictures of about the size that it was trained on; enlarging, reducing and cropping change "
        "the traces that it looks for.",
        "Она проверена на изображениях примерно того же размера, что при обучении; увеличение, уменьшение и обрезка "
        "меняют следы, которые она ищет.",
    ),
    "report.limit.codecs": Text(
        "Compression, filters and the processing of messengers and social networks can remove or imitate such traces.",
        "Сжатие, фильтры и обработка в мессенджерах и соцсетях могут стереть такие следы или создать похожие.",
    ),
    "report.limit.real": Text(
        "“Real” means: no trace of the generators that this model knows. It does not say that the picture shows "
        "what happened.",
        "«Настоящее» значит: следов генераторов, известных этой модели, нет. Это не значит, что на изображении то, "
        "что было на самом деле.",
    ),
    "report.limit.hint": Text(
        "A verdict is a hint for further research, not proof.",
        "Вердикт — повод проверить дальше, а не доказательство.",
    ),
}
