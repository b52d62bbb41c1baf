"""Texts of a data set's profile (EDA): its measures, spectra, files, outliers and duplicates."""

from __future__ import annotations

from frontend.texts.language import Text

TEXTS: dict[str, Text] = {
    "measures.intro": Text(
        "Each curve is a share of its class's images; the thin upright lines are medians. The less two curves overlap, "
        "the more that one number tells the classes apart. The most telling stand first.",
        "Каждая кривая — доли изображений своего класса; тонкие вертикальные линии — медианы. Чем меньше кривые "
        "перекрываются, тем лучше класс виден по одному этому числу. Самые показательные — первыми.",
    ),
    "measures.same": Text(
        "The same for all images: {value}. It tells nothing.",
        "Одинаково у всех изображений: {value}. Ничего не выдаёт.",
    ),
    "measures.one_class": Text("Median of {label}: {median}.", "Медиана {label}: {median}."),
    "measures.apart": Text(
        "Medians: REAL {real}, FAKE {fake}. The curves overlap by only {overlap}: this number alone nearly tells the "
        "classes apart.",
        "Медианы: REAL {real}, FAKE {fake}. Кривые перекрываются лишь на {overlap}: это число само почти выдаёт класс.",
    ),
    "measures.differ": Text(
        "Medians: REAL {real}, FAKE {fake}. The curves overlap by {overlap}: the classes differ somewhat.",
        "Медианы: REAL {real}, FAKE {fake}. Кривые перекрываются на {overlap}: классы несколько различаются.",
    ),
    "measures.alike": Text(
        "Medians: REAL {real}, FAKE {fake}. The curves overlap by {overlap}: this number says little.",
        "Медианы: REAL {real}, FAKE {fake}. Кривые перекрываются на {overlap}: это число мало что говорит.",
    ),
    "measures.alt": Text(
        "Histograms of {measure}, REAL against FAKE, with medians", "Гистограммы: {measure}, REAL и FAKE, с медианами"
    ),
    "measures.pixels": Text("{count} px", "{count} px"),
    "measure.brightness.name": Text("Brightness", "Яркость"),
    "measure.contrast.name": Text("Contrast", "Контраст"),
    "measure.saturation.name": Text("Saturation", "Насыщенность"),
    "measure.sharpness.name": Text("Sharpness", "Резкость"),
    "measure.width.name": Text("Width", "Ширина"),
    "measure.height.name": Text("Height", "Высота"),
    "measure.aspect.name": Text("Aspect ratio", "Соотношение сторон"),
    "measure.bytes.name": Text("File size", "Размер файла"),
    "measure.brightness.axis": Text("Mean brightness (0 to 1)", "Средняя яркость (от 0 до 1)"),
    "measure.contrast.axis": Text("Deviation of brightness (0 to 0.5)", "Отклонение яркости (от 0 до 0,5)"),
    "measure.saturation.axis": Text("Mean saturation (0 to 1)", "Средняя насыщенность (от 0 до 1)"),
    "measure.sharpness.axis": Text("Variance of the Laplacian (levels²)", "Дисперсия лапласиана (уровни²)"),
    "measure.width.axis": Text("Width (pixels)", "Ширина (пиксели)"),
    "measure.height.axis": Text("Height (pixels)", "Высота (пиксели)"),
    "measure.aspect.axis": Text("Width / height", "Ширина / высота"),
    "measure.bytes.axis": Text("Size of the file (bytes)", "Размер файла (байты)"),
    "chart.images": Text("Images", "Изображения"),
    "chart.share_of_pixels": Text("Share of pixels (%)", "Доля пикселей (%)"),
    "chart.share_of_images": Text("Share of images (%)", "Доля изображений (%)"),
    "chart.level": Text("{channel} (level 0 to 255)", "{channel} (уровень от 0 до 255)"),
    "chart.width": Text("Width (pixels)", "Ширина (пиксели)"),
    "chart.height": Text("Height (pixels)", "Высота (пиксели)"),
    "chart.quality": Text("JPEG quality (1 to 100)", "Качество JPEG (от 1 до 100)"),
    "chart.frequency": Text("Frequency (cycles per pixel)", "Частота (периодов на пиксель)"),
    "chart.frequency_across": Text("Across (cycles per pixel)", "По горизонтали (периодов на пиксель)"),
    "chart.frequency_down": Text("Down (cycles per pixel)", "По вертикали (периодов на пиксель)"),
    "chart.power": Text("Power (log10)", "Мощность (log10)"),
    "chart.power_difference": Text("FAKE − REAL (log10)", "FAKE − REAL (log10)"),
    "spectrum.intro": Text(
        "How strongly fine and coarse structures occur on average. Generators that enlarge small maps leave regular "
        "patterns, which show as extra power at some frequencies.",
        "Насколько сильны в среднем мелкие и крупные структуры. Генераторы, увеличивающие малые карты, оставляют "
        "регулярный узор — он виден как лишняя мощность на некоторых частотах.",
    ),
    "spectrum.radial": Text("Power by frequency", "Мощность по частотам"),
    "spectrum.radial.alt": Text(
        "Mean power against frequency, REAL against FAKE", "Средняя мощность по частотам, REAL и FAKE"
    ),
    "spectrum.one_class": Text(
        "Coarse structures at the left, the finest at the right (0.5: every second pixel).",
        "Слева крупные структуры, справа самые мелкие (0,5 — каждый второй пиксель).",
    ),
    "spectrum.equal": Text(
        "The two curves hardly differ: frequency alone says little here.",
        "Кривые почти не отличаются: сама по себе частота здесь мало что говорит.",
    ),
    "spectrum.gap": Text(
        "Coarse structures at the left, the finest at the right. The curves are furthest apart at {frequency} cycles "
        "per pixel: there {label} has {times} times the power of {other}.",
        "Слева крупные структуры, справа самые мелкие. Сильнее всего кривые расходятся на {frequency} периода на "
        "пиксель: мощность у {label} там больше, чем у {other}; отношение — {times}.",
    ),
    "spectrum.pictures": Text("Power by direction", "Мощность по направлениям"),
    "spectrum.picture.reading": Text(
        "Coarse structures in the middle, fine ones at the edges; bright is strong. Dots or crosses away from the "
        "middle are regular patterns.",
        "В середине крупные структуры, по краям мелкие; светлее — сильнее. Точки и кресты вдали от середины — "
        "регулярный узор.",
    ),
    "spectrum.picture.alt": Text(
        "Mean power spectrum of {label} in both directions", "Средний спектр мощности {label} по двум направлениям"
    ),
    "spectrum.difference": Text("Difference", "Разность"),
    "spectrum.difference.reading": Text(
        "Orange: FAKE has more power there; blue: REAL has more.",
        "Оранжевый — мощность больше у FAKE, синий — у REAL.",
    ),
    "spectrum.difference.alt": Text(
        "Spectrum of FAKE less that of REAL in both directions", "Спектр FAKE минус спектр REAL по двум направлениям"
    ),
    "files.sizes": Text("Sizes", "Размеры"),
    "files.size": Text("Width × height (pixels)", "Ширина × высота (пиксели)"),
    "files.sizes.one": Text(
        "All images have {width} × {height} pixels: size tells nothing.",
        "Все изображения {width} × {height} пикселей: размер ничего не выдаёт.",
    ),
    "files.sizes.apart": Text(
        "Different sizes: {distinct}. Size alone tells the classes apart: no size occurs in both.",
        "Разных размеров: {distinct}. Класс можно узнать по одному размеру: общих размеров нет.",
    ),
    "files.sizes.several": Text("Different sizes: {distinct}.", "Разных размеров: {distinct}."),
    "files.sizes.reading": Text(
        "The most common sizes; a larger mark is more images. Circles and triangles in the same places are what one "
        "wants to see.",
        "Самые частые размеры; чем больше значок, тем больше изображений. Хорошо, когда круги и треугольники стоят на "
        "одних местах.",
    ),
    "files.sizes.alt": Text(
        "Width against height of the most common sizes, REAL against FAKE",
        "Ширина и высота самых частых размеров, REAL и FAKE",
    ),
    "files.formats": Text("Formats", "Форматы"),
    "files.formats.one": Text("Format", "Формат"),
    "files.modes": Text("Colour modes", "Цветовые режимы"),
    "files.modes.one": Text("Mode", "Режим"),
    "mode.RGB": Text("RGB (colour)", "RGB (цветное)"),
    "mode.L": Text("L (grey)", "L (серое)"),
    "mode.RGBA": Text("RGBA (with transparency)", "RGBA (с прозрачностью)"),
    "files.one_class": Text("There is only one class here.", "Здесь только один класс."),
    "files.same": Text("The same for all images: it tells nothing.", "Одинаково у всех изображений: ничего не выдаёт."),
    "files.apart": Text(
        "Nothing occurs in both classes: this alone tells them apart.", "Ничего общего у классов нет: это выдаёт класс."
    ),
    "files.mixed": Text(
        "What is frequent in one class and rare in the other can give the class away.",
        "То, что часто в одном классе и редко в другом, может выдать класс.",
    ),
    "files.quality": Text("JPEG quality", "Качество JPEG"),
    "files.quality.none": Text("There are no JPEG files.", "Файлов JPEG нет."),
    "files.quality.one": Text(
        "All JPEG files have the quality {quality}: it tells nothing.",
        "У всех файлов JPEG качество {quality}: ничего не выдаёт.",
    ),
    "files.quality.reading": Text(
        "Peaks at different places mean that the classes were compressed differently, which a detector may learn.",
        "Пики на разных местах значат, что классы сжимали по-разному, и детектор может выучить это.",
    ),
    "files.quality.apart": Text(
        "No quality occurs in both classes: compression alone tells them apart.",
        "Общих значений качества нет: одно сжатие уже выдаёт класс.",
    ),
    "files.quality.alt": Text(
        "Share of images by JPEG quality, REAL against FAKE", "Доля изображений по качеству JPEG, REAL и FAKE"
    ),
    "outliers.none": Text("No image stands out.", "Ни одно изображение не выделяется."),
    "outliers.intro": Text(
        "Images that are unusual in brightness, contrast, colour, sharpness or size: {count}. These are the {shown} "
        "most unusual. Look for broken files, frames, text, and pictures that do not belong here.",
        "Изображений с необычной яркостью, контрастом, цветом, резкостью или размером: {count}. Показаны самые "
        "необычные ({shown}). Ищите испорченные файлы, рамки, надписи и лишние изображения.",
    ),
    "outlier.reason": Text("{what} ({value}; usual {median})", "{what} ({value}; обычно {median})"),
    "outlier.very_dark": Text("very dark", "очень тёмное"),
    "outlier.very_bright": Text("very bright", "очень светлое"),
    "outlier.little_contrast": Text("little contrast", "малый контраст"),
    "outlier.strong_contrast": Text("strong contrast", "сильный контраст"),
    "outlier.colourless": Text("colourless", "бесцветное"),
    "outlier.very_colourful": Text("very colourful", "очень яркие цвета"),
    "outlier.very_smooth": Text("very smooth", "очень гладкое"),
    "outlier.very_sharp_or_noisy": Text("very sharp or noisy", "очень резкое или шумное"),
    "outlier.very_tall": Text("very tall", "очень высокое"),
    "outlier.very_wide": Text("very wide", "очень широкое"),
    "outlier.small_image": Text("small image", "мало пикселей"),
    "outlier.large_image": Text("large image", "много пикселей"),
    "outlier.small_file": Text("small file", "маленький файл"),
    "outlier.large_file": Text("large file", "большой файл"),
    "duplicates.none": Text("No two images are equal pixel for pixel.", "Попиксельно одинаковых изображений нет."),
    "duplicates.intro": Text(
        "Groups of images that are equal pixel for pixel: {groups}, with {images} images in them. Training keeps a "
        "group together, so that no copy of a training image is used to check the detector.",
        "Групп попиксельно одинаковых изображений: {groups}; изображений в них: {images}. При обучении группа не "
        "делится, чтобы детектор не проверялся на копиях обучающих изображений.",
    ),
    "duplicates.first": Text(
        "The first {shown} of {groups} groups are shown.", "Показаны первые группы: {shown} из {groups}."
    ),
    "duplicates.group": Text("Equal images: {count}", "Одинаковых изображений: {count}"),
    "duplicates.group.crossing": Text(
        "Equal images: {count}, in train and in test", "Одинаковых изображений: {count}, и в train, и в test"
    ),
    "duplicates.group.conflicting": Text(
        "Equal images: {count}, labelled REAL and FAKE", "Одинаковых изображений: {count}, с метками REAL и FAKE"
    ),
}
