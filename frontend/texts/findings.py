"""Texts of an audit's findings by their codes, and of the audit on the page that trains. English is the service's."""

from __future__ import annotations

from frontend.texts.language import Text

_FILE = Text(
    "A classifier that sees nothing else reaches AUROC {auroc} ({low} to {high}) on {n} images. A detector may learn "
    "this instead of the traces of generation.",
    "Классификатор, который видит только это, даёт AUROC {auroc} (от {low} до {high}; изображений: {n}). Детектор "
    "может выучить это вместо следов генерации, и его показатели окажутся завышены.",
)

TEXTS: dict[str, Text] = {
    "finding.title.file.size": Text(
        "Size alone tells the classes apart", "Класс можно узнать по одному размеру изображения"
    ),
    "finding.detail.file.size": _FILE,
    "finding.title.file.format": Text(
        "The file format alone tells the classes apart", "Класс можно узнать по одному формату файла"
    ),
    "finding.detail.file.format": _FILE,
    "finding.title.file.jpeg": Text(
        "JPEG quality and tables alone tell the classes apart",
        "Класс можно узнать по одному качеству и таблицам JPEG",
    ),
    "finding.detail.file.jpeg": _FILE,
    "finding.title.file.sampling": Text(
        "JPEG colour sub-sampling alone tells the classes apart",
        "Класс можно узнать по одной цветовой субдискретизации JPEG",
    ),
    "finding.detail.file.sampling": _FILE,
    "finding.title.file.metadata": Text(
        "Metadata blocks (EXIF, colour profile, XMP, text) alone tell the classes apart",
        "Класс можно узнать по одним блокам метаданных (EXIF, цветовой профиль, XMP, текст)",
    ),
    "finding.detail.file.metadata": _FILE,
    "finding.title.file.bytes_per_pixel": Text(
        "Bytes per pixel alone tell the classes apart", "Класс можно узнать по числу байтов на пиксель"
    ),
    "finding.detail.file.bytes_per_pixel": _FILE,
    "finding.title.file.together": Text(
        "What files say of themselves tells the classes apart, all of it together",
        "Класс можно узнать по свойствам файла, взятым вместе",
    ),
    "finding.detail.file.together": _FILE,
    "finding.title.look": Text(
        "Brightness, colour, sharpness and spectrum alone go far in telling the classes apart",
        "Класс хорошо виден уже по яркости, цвету, резкости и спектру",
    ),
    "finding.detail.look": Text(
        "A classifier on a few numbers of the whole picture reaches AUROC {auroc} ({low} to {high}) on {n} images. A "
        "detector's figures on this data set start from that floor, not from 0.5.",
        "Классификатор по нескольким числам на изображение даёт AUROC {auroc} (от {low} до {high}; изображений: {n}). "
        "Показатели детектора на этом наборе надо отсчитывать от этого уровня, а не от 0,5. Проверьте детектор на "
        "изображениях из других источников.",
    ),
    "finding.title.near_grey": Text(
        "Near-grey images are more frequent in one class", "Почти серые изображения чаще встречаются в одном классе"
    ),
    "finding.detail.near_grey": Text(
        "Almost without colour: REAL {real}, FAKE {fake}. A detector may take missing colour for a sign of the class.",
        "Почти без цвета: REAL {real}, FAKE {fake}. Детектор может принять отсутствие цвета за признак класса.",
    ),
    "finding.title.duplicates.crossing": Text("Test images stand in train", "Тестовые изображения есть и в train"),
    "finding.detail.duplicates.crossing": Text(
        "Test images that are in train as well, pixel for pixel: {images}. There are {test_images} test images in all; "
        "read the figures that are given without those.",
        "Тестовых изображений, которые попиксельно есть и в train: {images} из {test_images}. Смотрите на показатели, "
        "посчитанные без них.",
    ),
    "finding.title.duplicates.conflicting": Text(
        "Equal images are labelled REAL and FAKE at once", "Одинаковые изображения помечены и REAL, и FAKE"
    ),
    "finding.detail.duplicates.conflicting": Text(
        "Groups of images that are equal pixel for pixel and have both labels: {groups}. One of the labels is wrong.",
        "Групп попиксельно одинаковых изображений с обеими метками: {groups}. Одна из меток неверна — исправьте её или "
        "исключите изображения.",
    ),
    "finding.title.duplicates": Text("Some images are there several times", "Некоторые изображения повторяются"),
    "finding.detail.duplicates": Text(
        "Groups of images that are equal pixel for pixel: {groups}, with {images} images in them. Splits keep a group "
        "together.",
        "Групп попиксельно одинаковых изображений: {groups}, изображений в них: {images}. При разбиении группа не "
        "делится.",
    ),
    "finding.title.near_duplicates.crossing": Text(
        "Test images have a near-duplicate in train", "У тестовых изображений есть почти копии в train"
    ),
    "finding.detail.near_duplicates.crossing": Text(
        "Test images that nearly equal a training image: {images}. Drop them from test, or give both the same group.",
        "Тестовых изображений, почти равных обучающим: {images}. Исключите их из test или дайте обоим общую группу.",
    ),
    "finding.title.near_duplicates.apart": Text(
        "Near-duplicates that nothing keeps together", "Почти копии, которые ничто не держит вместе"
    ),
    "finding.detail.near_duplicates.apart": Text(
        "Pairs of images that nearly agree and belong to no common group: {pairs}. Name a group for them in "
        "metadata.csv.",
        "Пар почти одинаковых изображений без общей группы: {pairs}. Назовите для них группу в metadata.csv.",
    ),
    "finding.title.near_duplicates.classes": Text(
        "REAL and FAKE images that nearly agree", "Изображения REAL и FAKE, которые почти совпадают"
    ),
    "finding.detail.near_duplicates.classes": Text(
        "Pairs: {pairs}. Where the fakes were made from these photographs that is as it should be; otherwise a label "
        "is wrong.",
        "Таких пар: {pairs}. Если подделки сделаны из этих фотографий, так и должно быть; иначе одна из меток неверна.",
    ),
    "finding.title.one_class": Text("There is only one class", "Есть только один класс"),
    "finding.detail.one_class": Text(
        "REAL {real}, FAKE {fake}: add images of the other class.",
        "REAL {real}, FAKE {fake}: добавьте изображения другого класса.",
    ),
    "finding.title.unbalanced": Text("One class is much larger", "Один класс намного больше"),
    "finding.detail.unbalanced": Text(
        "REAL {real}, FAKE {fake}: read the balanced accuracy and AUROC, or even the classes out.",
        "REAL {real}, FAKE {fake}: смотрите на сбалансированную точность и AUROC или выровняйте классы.",
    ),
    "finding.title.generators.unknown": Text(
        "Nothing says which generators made the FAKE images", "Не указано, какие генераторы создали изображения FAKE"
    ),
    "finding.detail.generators.unknown": Text(
        "Put FAKE images into folders named after their generator.",
        "Разложите изображения FAKE по папкам с названиями генераторов.",
    ),
    "finding.title.generators.one": Text(
        "All FAKE images come from one generator", "Все изображения FAKE созданы одним генератором"
    ),
    "finding.detail.generators.one": Text(
        "A detector learns the traces of {generator} alone and misses most fakes of others.",
        "Детектор выучит следы только {generator} и пропустит большинство подделок других генераторов.",
    ),
    "finding.title.generators.few": Text("Some generators have few images", "У некоторых генераторов мало изображений"),
    "finding.detail.generators.few": Text(
        "Figures about them are vague: {generators}.", "Показатели по ним неточны: {generators}."
    ),
    "finding.title.content": Text("REAL and FAKE show different things", "REAL и FAKE показывают разное"),
    "finding.detail.content": Text(
        "By their names, {distance} of one class would have to show something else to match the other.",
        "Судя по именам, {distance} одного класса должны были бы показывать другое, чтобы совпасть с другим классом.",
    ),
    "train.audit": Text("Before you train: what the audit found", "Перед обучением: что показала проверка набора"),
    "train.audit.none": Text(
        "This data set has not been audited yet. The audit says whether anything but the traces of generation tells "
        "its classes apart, such as sizes, formats or duplicates.",
        "Этот набор ещё не проверен. Проверка покажет, выдаёт ли класс что-то кроме следов генерации: размер, формат, "
        "дубликаты.",
    ),
    "train.audit.start": Text("Audit it first", "Сначала проверить набор"),
    "train.audit.clean": Text(
        "The audit found nothing that would mislead a detector.", "Проверка не нашла того, что сбило бы детектор."
    ),
}
