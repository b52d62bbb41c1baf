"""Texts of the pages Data and Data set, but for those of the profile."""

from __future__ import annotations

from frontend.texts import profile
from frontend.texts.language import Text

TEXTS: dict[str, Text] = {
    **profile.TEXTS,
    "datasets.intro": Text(
        "A data set is a collection of pictures that are known to be REAL or FAKE. Detectors learn from data sets.",
        "Набор данных — это изображения, о которых известно, настоящие они (REAL) или сгенерированные (FAKE). "
        "На наборах данных обучаются детекторы.",
    ),
    "datasets.title": Text("All data sets", "Все наборы данных"),
    "datasets.search": Text("Search by name", "Поиск по названию"),
    "datasets.not_found": Text("No data set has “{query}” in its name.", "Наборов с «{query}» в названии нет."),
    "datasets.empty": Text(
        "There is no data set yet. Add one above; with no pictures at hand, take the source “demo”.",
        "Наборов данных пока нет. Добавьте первый выше; если изображений под рукой нет, возьмите источник «demo».",
    ),
    "datasets.choose": Text(
        "Tick a row to open, export or delete its data set. A click on a column's title sorts by it.",
        "Отметьте строку, чтобы открыть, скачать или удалить набор. Щелчок по заголовку столбца сортирует по нему.",
    ),
    "datasets.chosen": Text("Chosen: {name}", "Выбран: {name}"),
    "datasets.table": Text("All data sets with their figures", "Все наборы данных и их показатели"),
    "dataset.name": Text("Name", "Название"),
    "dataset.images": Text("Images", "Изображения"),
    "dataset.generators": Text("Generators", "Генераторы"),
    "dataset.generators.unknown": Text("not given", "не указаны"),
    "dataset.size": Text("Size", "Объём"),
    "dataset.version": Text("Version", "Версия"),
    "dataset.created": Text("Created (UTC)", "Создан (UTC)"),
    "dataset.source": Text("Source", "Источник"),
    "dataset.from.zip": Text("zip archive", "архив zip"),
    "dataset.from.parquet": Text("Parquet files", "файлы Parquet"),
    "dataset.from.folder": Text("folder", "папка"),
    "dataset.from.files": Text("single pictures", "отдельные изображения"),
    "dataset.from.demo": Text("demonstration", "демонстрационный"),
    "dataset.from.cifake": Text("CIFAKE as published", "CIFAKE, как опубликован"),
    "dataset.look": Text("Look at it", "Посмотреть"),
    "dataset.train": Text("Train a detector on it", "Обучить на нём детектор"),
    "dataset.export": Text("Export", "Скачать"),
    "dataset.export.how": Text(
        "The whole data set as one file, which can be added here again. It is put together first, then you save it.",
        "Весь набор одним файлом; его можно снова добавить здесь. Сначала файл собирается, затем вы его сохраняете.",
    ),
    "dataset.export.zip": Text("Zip with REAL and FAKE folders", "Zip с папками REAL и FAKE"),
    "dataset.export.parquet": Text("Parquet (Hugging Face layout)", "Parquet (формат Hugging Face)"),
    "download.making": Text("The file is being put together…", "Файл собирается…"),
    "download.save": Text("Save {file} ({size})", "Сохранить {file} ({size})"),
    "download.failed": Text(
        "The file could not be made: {reason} Press the button to try again.",
        "Файл сделать не удалось: {reason} Нажмите кнопку, чтобы попробовать ещё раз.",
    ),
    "download.broke_off": Text(
        "The file could not be made here; the web app's log says why. Press the button to try again.",
        "Файл сделать не удалось, причина — в журнале веб-приложения. Нажмите кнопку, чтобы повторить.",
    ),
    "dataset.delete.jobs": Text("See the jobs", "Посмотреть задания"),
    "dataset.delete": Text("Delete", "Удалить"),
    "dataset.delete.what": Text(
        "This deletes the data set “{name}” for good: its images ({images}), their features and their profile. Models "
        "that were trained on it stay.",
        "Набор «{name}» будет удалён навсегда: изображения ({images}), их признаки и анализ. Обученные на нём модели "
        "останутся.",
    ),
    "dataset.delete.sure": Text("Yes, delete it", "Да, удалить"),
    "dataset.deleted": Text("“{name}” is deleted.", "Набор «{name}» удалён."),
    "add.title": Text("Add a data set", "Добавить набор данных"),
    "add.archive": Text("Archive", "Архив"),
    "add.pictures": Text("Single pictures", "Изображения"),
    "add.source": Text("Known source", "Готовый источник"),
    "add.archive.how": Text(
        "One zip with a folder **REAL** and a folder **FAKE** in it, or Parquet files in the layout of Hugging Face.",
        "Один zip с папками **REAL** и **FAKE** внутри или файлы Parquet в формате Hugging Face.",
    ),
    "add.archive.example": Text("What such a zip looks like", "Как выглядит такой zip"),
    "add.archive.splits": Text(
        "Folders within FAKE name the generator; leave them out where it is not known. Folders train and test around "
        "REAL and FAKE keep a split of your own; without them the service makes one.",
        "Папки внутри FAKE называют генератор; если он неизвестен, они не нужны. Папки train и test вокруг REAL и FAKE "
        "сохраняют ваше разбиение; без них сервис разобьёт набор сам.",
    ),
    "add.archive.choose": Text("Zip or Parquet, at most {size} in all", "Zip или Parquet, всего не больше {size}"),
    "add.archive.one": Text(
        "Choose one zip, or only Parquet files: several archives become several data sets, one after the other.",
        "Выберите один zip или только файлы Parquet: несколько архивов добавляйте по одному, как отдельные наборы.",
    ),
    "add.pictures.how": Text(
        "Put pictures that you know to be real on one side and generated ones on the other. A detector needs at least "
        "{fewest} of each; at most {most} files go at once, more of them as an archive.",
        "С одной стороны — заведомо настоящие изображения, с другой — сгенерированные. Детектору нужно не меньше "
        "{fewest} каждого вида; за раз — не больше {most} файлов, больше — архивом.",
    ),
    "add.pictures.real": Text("REAL pictures", "Настоящие (REAL)"),
    "add.pictures.fake": Text("FAKE pictures", "Сгенерированные (FAKE)"),
    "add.pictures.name": Text("pictures", "изображения"),
    "add.pictures.many": Text(
        "These are {count} files, and at most {most} go at once. Pack them into a zip and add it as an archive.",
        "Файлов {count}, а за раз принимается не больше {most}. Упакуйте их в zip и добавьте как архив.",
    ),
    "add.source.choose": Text("Source", "Источник"),
    "option.source.demo": Text(
        "a small set made on the spot from photographs that packages carry",
        "небольшой набор, который создаётся на месте из фотографий, входящих в пакеты Python",
    ),
    "option.source.cifake": Text(
        "CIFAKE as published: its zip or folder, or downloaded when no path is given",
        "CIFAKE, как он опубликован: 120 000 изображений 32 × 32, загружается из сети",
    ),
    "add.name": Text("Name of the data set", "Название набора"),
    "add.start": Text("Add the data set", "Добавить набор"),
    "add.unnamed": Text("Give the data set a name first.", "Сначала дайте набору название."),
    "add.name_taken": Text(
        "There is a data set named “{name}” already. Choose another name; the files are still chosen.",
        "Набор с названием «{name}» уже есть. Выберите другое; файлы остались выбранными.",
    ),
    "add.too_large": Text(
        "Together this is {size}, and the service takes at most {most} at once. Split it into several data sets, or "
        "raise DEEPFAKE_MAX_UPLOAD_BYTES.",
        "Всего получается {size}, а сервис принимает не больше {most} за раз. Разделите набор на несколько или "
        "увеличьте DEEPFAKE_MAX_UPLOAD_BYTES.",
    ),
    "import.sending": Text("Sending “{name}”: {sent} of {total}", "Отправка «{name}»: {sent} из {total}"),
    "import.received": Text(
        "“{name}” has been sent; the service checks it.", "«{name}» отправлен; сервис его проверяет."
    ),
    "import.stop": Text("Stop sending", "Прервать отправку"),
    "import.stopped": Text("You stopped the upload.", "Вы прервали отправку."),
    "import.kept": Text("Everything is still chosen.", "Всё выбранное сохранено."),
    "import.lost": Text(
        "The chosen files were let go when you left this page: choose them again.",
        "Выбранные файлы не сохранились, так как вы уходили с этой страницы: выберите их снова.",
    ),
    "import.running": Text("“{name}” is being imported:", "Импорт «{name}»:"),
    "import.done": Text("“{name}” is there.", "Набор «{name}» готов."),
    "import.failed": Text("“{name}” could not be imported: {reason}", "Импортировать «{name}» не удалось: {reason}"),
    "import.cancelled": Text("The import of “{name}” was cancelled.", "Импорт «{name}» отменён."),
    "import.put_away": Text("Put away", "Скрыть"),
    "import.broke_off": Text(
        "The upload broke off for a reason that is in the web app's log. Try again.",
        "Отправка оборвалась; причина — в журнале веб-приложения. Попробуйте ещё раз.",
    ),
    "import.unreached": Text(
        "The upload did not arrive: {detail} Try again when the service is back.",
        "Отправка не дошла: {detail} Повторите, когда сервис снова ответит.",
    ),
}
