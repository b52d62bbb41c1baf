"""Texts of the frame around every page, and of errors."""

from __future__ import annotations

from frontend.texts.language import Text

TEXTS: dict[str, Text] = {
    "app.title": Text("Real or generated?", "Настоящее или сгенерировано?"),
    "nav.section.check": Text("Check", "Проверка"),
    "nav.section.build": Text("Build a detector", "Свой детектор"),
    "nav.section.watch": Text("Watch", "Наблюдение"),
    "nav.predict": Text("Check pictures", "Проверить изображения"),
    "nav.datasets": Text("Data", "Данные"),
    "nav.dataset": Text("Data set", "Набор данных"),
    "nav.train": Text("Train", "Обучение"),
    "nav.models": Text("Models", "Модели"),
    "nav.model": Text("Model", "Модель"),
    "nav.jobs": Text("Jobs", "Задания"),
    "nav.job": Text("Job", "Задание"),
    "nav.running": Text("Running jobs: {count}", "Выполняется заданий: {count}"),
    "language": Text("Language", "Язык"),
    "key.label": Text("API key", "Ключ API"),
    "key.help": Text(
        "Only for a service that asks for one. It stays in this browser tab's session and is never shown again.",
        "Нужен, только если сервис его требует. Ключ хранится в сеансе этой вкладки и больше не показывается.",
    ),
    "key.set": Text("A key of your own is in use.", "Используется ваш ключ."),
    "key.from_environment": Text("The key of this installation is in use.", "Используется ключ этой установки."),
    "key.use": Text("Use this key", "Использовать ключ"),
    "key.forget": Text("Forget the key", "Забыть ключ"),
    "error.down": Text(
        "The service at {url} does not answer. Start it with `make run` (or set DEEPFAKE_API_URL to its address): this "
        "page then comes back by itself. Nothing that you entered is lost.",
        "Сервис по адресу {url} не отвечает. Запустите его командой `make run` (или укажите адрес в DEEPFAKE_API_URL): "
        "страница вернётся сама. Всё введённое сохранено.",
    ),
    "error.not_ready": Text(
        "Nothing can be checked at the moment. {detail} Where there is no detector yet, train one on the page Train, "
        "then choose it on the page Models.",
        "Сейчас проверить ничего нельзя. {detail} Если детектора ещё нет, обучите его на странице «Обучение» и "
        "выберите на странице «Модели».",
    ),
    "error.forbidden": Text(
        "The service asks for an API key that allows this: {detail} Enter one at the left.",
        "Сервису нужен ключ API с таким правом: {detail} Введите его слева.",
    ),
    "error.retry": Text("Try again", "Повторить"),
    "error.missing": Text("There is nothing at this address: {detail}", "По этому адресу ничего нет: {detail}"),
    "none": Text("none", "нет"),
    "unknown": Text("not known", "неизвестно"),
    "yes": Text("yes", "да"),
    "no": Text("no", "нет"),
    "cancel": Text("Cancel", "Отмена"),
    "percent.most": Text("over 99 %", "более 99 %"),
    "percent.least": Text("under 1 %", "менее 1 %"),
    "unit.seconds": Text("{count} s", "{count} с"),
    "unit.minutes": Text("{count} min", "{count} мин"),
    "unit.hours": Text("{count} h", "{count} ч"),
    "gallery.picture": Text("Image {path}, labelled {label}", "Изображение {path}, метка {label}"),
    "gallery.open": Text("Open", "Открыть"),
    "gallery.original": Text("The picture as it was imported", "Изображение, как оно было загружено"),
    "gallery.gone": Text("{path}: no longer there", "{path}: больше не существует"),
    "job.state.queued": Text("Waiting", "В очереди"),
    "job.state.running": Text("Running", "Выполняется"),
    "job.state.done": Text("Done", "Готово"),
    "job.state.failed": Text("Failed", "Ошибка"),
    "job.state.cancelled": Text("Cancelled", "Отменено"),
    "job.kind.import": Text("Import of images", "Импорт изображений"),
    "job.kind.fit": Text("Training", "Обучение"),
    "job.kind.profile": Text("Profile of a data set", "Анализ набора данных"),
    "job.stage.check": Text("Checking the sources", "Проверка источников"),
    "job.stage.download": Text("Downloading", "Загрузка"),
    "job.stage.import": Text("Reading the images", "Чтение изображений"),
    "job.stage.gather": Text("Reading the images", "Чтение изображений"),
    "job.stage.fine-tune": Text("Fine-tuning the network", "Дообучение сети"),
    "job.stage.features": Text("Computing features", "Вычисление признаков"),
    "job.stage.fit": Text("Fitting the classifier", "Обучение классификатора"),
    "job.stage.evaluate": Text("Measuring how good it is", "Измерение качества"),
    "job.stage.profile": Text("Measuring the images", "Измерение изображений"),
    "job.done_of": Text("{done} of {total}", "{done} из {total}"),
    "job.speed": Text("{speed} images a second", "{speed} изображений в секунду"),
    "job.left": Text("about {time} left", "осталось около {time}"),
    "job.cancelling": Text("It stops within seconds.", "Остановится через несколько секунд."),
    "job.outage": Text(
        "The service does not answer at the moment. This page keeps asking; the job goes on when it is back.",
        "Сервис сейчас не отвечает. Страница продолжает спрашивать; задание продолжится, когда он вернётся.",
    ),
    "pages.position": Text("{first} to {last} of {total}", "{first}–{last} из {total}"),
}
