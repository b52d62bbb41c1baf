"""Texts of a data set's page and of its profile (EDA): summary, remarks, colour, pictures."""

from __future__ import annotations

from frontend.texts import profile_parts
from frontend.texts.language import Text

TEXTS: dict[str, Text] = {
    **profile_parts.TEXTS,
    "dataset.back": Text("All data sets", "Все наборы данных"),
    "dataset.unasked": Text(
        "This page shows one data set: choose it on the page Data.",
        "Эта страница показывает один набор: выберите его на странице «Данные».",
    ),
    "dataset.origin": Text(
        "Version {version} · {created} · {source} · {size}", "Версия {version} · {created} · {source} · {size}"
    ),
    "dataset.generators.list": Text("Generators of the FAKE images: {names}", "Генераторы изображений FAKE: {names}"),
    "dataset.dropped": Text("Images that were dropped: {count}", "Исключено изображений: {count}"),
    "dataset.skipped": Text("Files that were left out: {count}", "Пропущено файлов: {count}"),
    "dataset.skipped.more": Text("Only the first are listed here.", "Здесь перечислены только первые."),
    "dataset.part": Text("Part", "Раздел"),
    "dataset.part.summary": Text("Summary", "Обзор"),
    "dataset.part.pictures": Text("Pictures", "Изображения"),
    "dataset.part.colour": Text("Colour", "Цвет"),
    "dataset.part.measures": Text("Measures", "Показатели"),
    "dataset.part.spectrum": Text("Spectrum", "Спектр"),
    "dataset.part.files": Text("Sizes and files", "Размеры и файлы"),
    "dataset.part.outliers": Text("Outliers", "Выбросы"),
    "dataset.part.duplicates": Text("Duplicates", "Дубликаты"),
    "profile.making": Text(
        "The images are being measured, once for every version of a data set. You can go on elsewhere meanwhile.",
        "Изображения измеряются — один раз для каждой версии набора. Пока можно заняться другим.",
    ),
    "profile.failed": Text("The images could not be measured: {reason}", "Измерить изображения не удалось: {reason}"),
    "profile.cancelled": Text("The measuring was cancelled.", "Измерение отменено."),
    "profile.again": Text("Measure again", "Измерить заново"),
    "profile.audit": Text("What the audit found", "Что показала проверка"),
    "profile.notable": Text("What stands out", "На что обратить внимание"),
    "profile.nothing_notable": Text(
        "Neither size nor format tells the classes apart, near-grey images are about as common in both, and no image "
        "is in train and test at once.",
        "Ни размер, ни формат не выдают класс, почти серых изображений в обоих классах примерно поровну, и ни одно "
        "изображение не попало сразу в train и test.",
    ),
    "profile.counts": Text("Images by class", "Изображения по классам"),
    "profile.counts.reading": Text(
        "About equally long bars for REAL and FAKE make accuracy easy to read: guessing gives 50 %.",
        "Если полосы REAL и FAKE примерно равны, точность легко читать: угадывание даёт 50 %.",
    ),
    "profile.counts.alt": Text(
        "Bars: number of images by split and class", "Полосы: число изображений по частям и классам"
    ),
    "profile.generators.reading": Text(
        "FAKE images by generator: a detector knows best the generators with the longest bars.",
        "Изображения FAKE по генераторам: лучше всего детектор узнаёт генераторы с самыми длинными полосами.",
    ),
    "profile.generators.alt": Text(
        "Bars: number of FAKE images by generator", "Полосы: число изображений FAKE по генераторам"
    ),
    "profile.generators.unknown": Text(
        "Nothing says which generators made the FAKE images.",
        "Какими генераторами созданы изображения FAKE, не указано.",
    ),
    "remark.one_class": Text(
        "There is only one class in this data set: nothing can be compared, and it alone cannot train a detector.",
        "В наборе только один класс: сравнивать не с чем, и обучить детектор только на нём нельзя.",
    ),
    "remark.sizes": Text(
        "Size alone tells the classes apart: no size occurs in both. A detector may learn the size instead of the "
        "traces of generation, and its figures will look better than it is.",
        "Класс можно узнать по одному размеру: общих размеров у REAL и FAKE нет. Детектор может выучить размер вместо "
        "следов генерации, и его показатели окажутся завышены.",
    ),
    "remark.formats": Text(
        "The file format alone tells the classes apart: no format occurs in both. Save all images in one format.",
        "Класс можно узнать по одному формату файла: общих форматов нет. Сохраните все изображения в одном формате.",
    ),
    "remark.qualities": Text(
        "JPEG quality alone tells the classes apart: no quality occurs in both. Save all images with the same quality.",
        "Класс можно узнать по качеству JPEG: общих значений нет. Сохраните все изображения с одинаковым качеством.",
    ),
    "remark.unbalanced": Text(
        "One class is much larger: REAL {real}, FAKE {fake}. Accuracy looks good then by guessing the larger one.",
        "Один класс намного больше: REAL {real}, FAKE {fake}. Тогда высокую точность даёт и простое угадывание.",
    ),
    "remark.crossing": Text(
        "Test images that are in train as well, pixel for pixel: {count}. Figures on test are measured with and "
        "without them.",
        "Тестовые изображения, которые попиксельно есть и в train: {count}. Показатели на test считаются с ними и без "
        "них.",
    ),
    "remark.conflicting": Text(
        "Groups of equal images that are labelled REAL and FAKE at once: {count}. One of the labels is wrong.",
        "Группы одинаковых изображений с метками REAL и FAKE одновременно: {count}. Одна из меток неверна.",
    ),
    "grey.none": Text(
        "There is no difference in near-grey images to report.", "О различии в почти серых изображениях сказать нечего."
    ),
    "grey.only": Text(
        "Only {label} has near-grey images: REAL {real}, FAKE {fake}.",
        "Почти серые изображения есть только в {label}: REAL {real}, FAKE {fake}.",
    ),
    "grey.equal": Text(
        "Near-grey images are equally common: REAL {real}, FAKE {fake}.",
        "Почти серые изображения встречаются одинаково часто: REAL {real}, FAKE {fake}.",
    ),
    "grey.times": Text(
        "{label} images are near-grey {times} times as often: REAL {real}, FAKE {fake}.",
        "Почти серых изображений в {label} больше в {times} раза: REAL {real}, FAKE {fake}.",
    ),
    "colour.channels": Text("Means and deviations of the channels", "Средние и отклонения каналов"),
    "colour.table": Text("Channel means and deviations", "Средние и отклонения каналов"),
    "colour.images": Text("Images", "Изображения"),
    "colour.mean": Text("Mean {channel}", "Среднее {channel}"),
    "colour.std": Text("Dev. {channel}", "Откл. {channel}"),
    "colour.row.all": Text("All", "Все"),
    "colour.row.split": Text("Split {split}", "Часть {split}"),
    "colour.row.cifake": Text("Original CIFAKE, {split}", "Исходный CIFAKE, {split}"),
    "colour.one_class": Text(
        "On the scale 0 (dark) to 1 (bright), over all pixels of all images.",
        "По шкале от 0 (темно) до 1 (светло), по всем пикселям всех изображений.",
    ),
    "colour.brighter": Text(
        "On the scale 0 to 1, over all pixels. The classes differ most in {channel}: FAKE is brighter by {gap}.",
        "По шкале от 0 до 1, по всем пикселям. Сильнее всего отличается канал «{channel}»: FAKE светлее на {gap}.",
    ),
    "colour.darker": Text(
        "On the scale 0 to 1, over all pixels. The classes differ most in {channel}: FAKE is darker by {gap}.",
        "По шкале от 0 до 1, по всем пикселям. Сильнее всего отличается канал «{channel}»: FAKE темнее на {gap}.",
    ),
    "colour.slip": Text(
        "ImageNet's row is what pretrained networks normalise with. The original CIFAKE table gives its red deviation "
        "as 0.299, which is a slip for 0.229.",
        "Строка ImageNet — значения, по которым нормируют данные предобученные сети. В исходной таблице CIFAKE "
        "отклонение красного у ImageNet указано как 0,299 — это описка, верно 0,229.",
    ),
    "colour.histograms": Text("Histograms of the channels", "Гистограммы каналов"),
    "colour.histograms.reading": Text(
        "Where one line stands above the other, that class has more pixels of that level: at the left dark ones, at "
        "the right bright ones.",
        "Где одна линия выше другой, у этого класса больше пикселей такого уровня: слева тёмных, справа светлых.",
    ),
    "colour.histogram.alt": Text(
        "Histogram of the channel {channel}, REAL against FAKE", "Гистограмма канала «{channel}», REAL и FAKE"
    ),
    "colour.grey": Text("Near-grey images", "Почти серые изображения"),
    "colour.grey.meaning": Text(
        "Near-grey: the largest and the smallest of R, G and B differ by less than 5 of 255 on average.",
        "Почти серое: наибольшее и наименьшее из R, G и B отличаются в среднем меньше чем на 5 из 255.",
    ),
    "channel.red": Text("Red", "Красный"),
    "channel.green": Text("Green", "Зелёный"),
    "channel.blue": Text("Blue", "Синий"),
    "channel.r": Text("R", "R"),
    "channel.g": Text("G", "G"),
    "channel.b": Text("B", "B"),
    "split.all": Text("All", "Все"),
    "split.named": Text("{split}", "{split}"),
    "pictures.class": Text("Class", "Класс"),
    "pictures.split": Text("Split", "Часть"),
    "pictures.generator": Text("Generator", "Генератор"),
    "pictures.every": Text("All", "Все"),
    "pictures.none": Text("No image fits this choice.", "Под этот выбор не подходит ни одно изображение."),
}
