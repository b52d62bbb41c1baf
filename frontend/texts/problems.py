"""What the service refuses, by the code of its problem. In English its own, more exact sentence is shown instead."""

from __future__ import annotations

from frontend.texts.language import Text

TEXTS: dict[str, Text] = {
    "problem.image.not_an_image": Text(
        "The file is not an image that is read here.",
        "Файл не является изображением, которое здесь читается. Подходят JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF, HEIC.",
    ),
    "problem.image.broken": Text(
        "The image file is damaged or breaks off.",
        "Файл изображения повреждён или обрывается. Сохраните или скачайте его заново.",
    ),
    "problem.image.too_many_pixels": Text(
        "The image has too many pixels.", "В изображении слишком много пикселей. Уменьшите его."
    ),
    "problem.image.too_small": Text("The image is too small.", "Изображение слишком маленькое: судить не по чему."),
    "problem.archive.broken": Text(
        "The archive is damaged or no zip.", "Архив повреждён или это не zip. Упакуйте его заново."
    ),
    "problem.archive.too_large": Text(
        "The archive unpacks to more than is allowed.", "Распакованный архив больше допустимого. Разделите его."
    ),
    "problem.archive.unsafe_name": Text(
        "A name in the archive leads out of it.", "Имя файла в архиве ведёт за его пределы. Упакуйте архив заново."
    ),
    "problem.dataset.no_images": Text(
        "There are no images in it.", "Изображений не найдено. Нужны папки REAL и FAKE с изображениями."
    ),
    "problem.dataset.one_class": Text(
        "All images are of one class.", "Все изображения одного класса. Нужны оба: REAL и FAKE."
    ),
    "problem.dataset.too_few_images": Text(
        "There are too few images.", "Изображений слишком мало. Добавьте изображения каждого класса."
    ),
    "problem.dataset.label_mismatch": Text(
        "Labels and files do not match.", "Метки не соответствуют файлам: для каждого файла нужна одна метка."
    ),
    "problem.config.unknown_backbone": Text("There is no such network.", "Такой сети нет. Проверьте её название."),
    "problem.unavailable.backbone": Text(
        "The weights of this network cannot be downloaded.",
        "Веса этой сети не удалось скачать. Выберите одну из сетей, доступных без интернета.",
    ),
    "problem.unavailable.queue_full": Text(
        "Too many jobs are waiting.",
        "Слишком много заданий в очереди. Дождитесь окончания одного из них или отмените его.",
    ),
    "problem.unavailable.storage_full": Text(
        "The service's disk is full.", "На диске сервиса не осталось места. Удалите ненужные наборы данных."
    ),
    "problem.unavailable.storage_read_only": Text(
        "The service cannot write to its disk.",
        "Сервис не может записывать на свой диск. Сообщите об этом администратору.",
    ),
    "problem.unavailable.connections": Text(
        "The service has too many connections at the moment.",
        "К сервису сейчас слишком много подключений. Попробуйте чуть позже.",
    ),
    "problem.storage.quota": Text(
        "No more data sets may be stored here.",
        "Место для наборов данных исчерпано. Удалите ненужные наборы или попросите об этом администратора.",
    ),
    "problem.upload.busy": Text(
        "Too many uploads arrive at the moment.", "Сейчас загружается слишком много файлов. Попробуйте чуть позже."
    ),
    "problem.limit.rate": Text(
        "This key has made too many requests.", "Слишком много запросов с этим ключом. Подождите и попробуйте снова."
    ),
    "problem.limit.images": Text(
        "This key's images of today are used.", "Дневной лимит изображений этого ключа исчерпан. Попробуйте завтра."
    ),
    "problem.limit.wrong_keys": Text(
        "Too many wrong keys came from this address.",
        "С этого адреса пришло слишком много неверных ключей. Подождите и попробуйте снова.",
    ),
    "problem.models.not_comparable": Text(
        "The models were not evaluated on the same images.",
        "Модели проверены на разных изображениях: сравнить их по изображениям нельзя.",
    ),
    "problem.conflict": Text(
        "The present state forbids it.",
        "Сейчас это невозможно: объект используется, изменён кем-то другим, или такое название уже занято.",
    ),
    "problem.job.worker_lost": Text(
        "A process of the service was lost.", "Процесс сервиса прервался. Запустите задание ещё раз."
    ),
    "problem.integrity": Text(
        "A file of the service is damaged.", "Файл сервиса повреждён. Удалите модель и обучите её заново."
    ),
}
