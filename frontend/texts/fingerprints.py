"""Texts of the page of fingerprints."""

from __future__ import annotations

from frontend.texts.language import Text

TEXTS: dict[str, Text] = {
    "fingerprints.title": Text("Fingerprints", "Отпечатки"),
    "fingerprints.intro": Text(
        "A generator leaves a trace in the noise of every image that it makes; so does a camera's sensor. Enrol "
        "sources with images that you know to be theirs, then ask which of them made others.",
        "Генератор оставляет след в шуме каждого своего изображения; так же поступает и матрица камеры. Запишите "
        "источники по изображениям, о происхождении которых вы знаете, и спросите, кто из них создал другие.",
    ),
    "fingerprints.limits": Text(
        "The answer is one of the enrolled sources, or none of them: a generator that nobody enrolled cannot be named.",
        "Источник — один из записанных или ни один из них: генератор, который никто не записал, назвать нельзя.",
    ),
    "fingerprints.tab.ask": Text("Who made it?", "Кто создал?"),
    "fingerprints.tab.gallery": Text("Enrolled", "Записанные"),
    "fingerprints.tab.compare": Text("Compare", "Сравнение"),
    "fingerprints.tab.enrol": Text("Enrol", "Записать"),
    "fingerprints.none": Text(
        "Nothing is enrolled yet. Enrol a generator first: a zip of its images is enough.",
        "Пока ничего не записано. Сначала запишите генератор: достаточно zip с его изображениями.",
    ),
    "fingerprints.by": Text("By the denoiser {denoiser}", "По шумоподавителю {denoiser}"),
    "fingerprints.ask.files": Text("Pictures", "Изображения"),
    "fingerprints.ask.batch": Text("All of them come from one source", "Все они из одного источника"),
    "fingerprints.ask.batch.help": Text(
        "Together they tell far more than each alone: the trace adds up, what they show does not.",
        "Вместе они говорят намного больше, чем порознь: след складывается, а содержание — нет.",
    ),
    "fingerprints.ask.share": Text("False attributions", "Ложные приписывания"),
    "fingerprints.ask.share.help": Text(
        "The share of pictures from sources that are not enrolled which may be attributed to an enrolled one.",
        "Доля изображений из незаписанных источников, которую допустимо приписать записанному.",
    ),
    "fingerprints.ask.start": Text("Who made it?", "Кто это создал?"),
    "fingerprints.ask.waiting": Text("Comparing with all fingerprints…", "Сравнение со всеми отпечатками…"),
    "fingerprints.found": Text(
        "Made by {source}, as far as your pictures ({images}) tell. Of pictures from sources that are not enrolled up "
        "to {share} would be attributed as well.",
        "Создано источником {source}, насколько об этом говорят ваши изображения ({images}). Из изображений "
        "незаписанных источников так были бы приписаны до {share}.",
    ),
    "fingerprints.nobody": Text(
        "None of the enrolled, as far as your pictures ({images}) tell. The best match, {best}, is too weak: at most "
        "{share} of pictures from sources that are not enrolled should be attributed.",
        "Ни один из записанных, насколько об этом говорят ваши изображения ({images}). Лучшее совпадение, {best}, "
        "слишком слабое: из изображений незаписанных источников приписываться должны не более {share}.",
    ),
    "fingerprints.damaged": Text(
        "The stored fingerprints of these sources are damaged, so nothing was compared with them: {generators}. Delete "
        "them and enrol them again.",
        "Отпечатки этих источников повреждены, поэтому с ними ничего не сравнивалось: {generators}. Удалите их и "
        "запишите заново.",
    ),
    "fingerprints.uncalibrated": Text(
        "Fewer than three sources are enrolled, so the threshold could not be measured: it may let more through.",
        "Записано меньше трёх источников, поэтому порог не измерен: он может пропускать больше.",
    ),
    "fingerprints.unread": Text("{file}: {reason}", "{file}: {reason}"),
    "fingerprints.cropped": Text(
        "{crops} of {images} have another size than the fingerprint. They were cropped, never resized: {share} of it "
        "was compared, which costs {lost} of the signal.",
        "{crops} из {images} другого размера, чем отпечаток. Они обрезаны, но не масштабированы: сравнено {share} "
        "отпечатка, потеряно {lost} сигнала.",
    ),
    "fingerprints.cropped.some": Text(
        "Some have another size than a fingerprint: a part was compared, which tells less.",
        "Некоторые другого размера, чем отпечаток: сравнена часть, а она говорит меньше.",
    ),
    "fingerprints.skipped": Text(
        "Left out: {constant} of one colour, {duplicates} that came twice.",
        "Исключены: одноцветных — {constant}, повторов — {duplicates}.",
    ),
    "fingerprints.scores": Text(
        "Score of the best match {score}, threshold {threshold}: its log likelihood minus that of the best other "
        "explanation.",
        "Оценка лучшего совпадения {score}, порог {threshold}: логарифм его правдоподобия минус логарифм лучшего из "
        "других объяснений.",
    ),
    "fingerprints.matches": Text("How well each enrolled source fits", "Насколько подходит каждый записанный источник"),
    "fingerprints.column.generator": Text("Source", "Источник"),
    "fingerprints.column.correlation": Text("Correlation", "Корреляция"),
    "fingerprints.column.z": Text("z", "z"),
    "fingerprints.column.score": Text("Score", "Оценка"),
    "fingerprints.column.file": Text("File", "Файл"),
    "fingerprints.column.source": Text("Made by", "Кем создано"),
    "fingerprints.column.best": Text("Best match", "Лучшее совпадение"),
    "fingerprints.column.nobody": Text("none of the enrolled", "ни один из записанных"),
    "fingerprints.picture": Text("Picture", "Картинка"),
    "fingerprints.picture.residual": Text("Mean residual", "Средний остаток"),
    "fingerprints.picture.spectrum": Text("Spectrum", "Спектр"),
    "fingerprints.picture.autocorrelation": Text("Autocorrelation", "Автокорреляция"),
    "fingerprints.picture.residual.reading": Text(
        "What is common to the noise of all images, amplified many times: grids and borders come from a generator.",
        "То общее, что есть в шуме всех изображений, многократно усиленное: сетки и рамки — от генератора.",
    ),
    "fingerprints.picture.spectrum.reading": Text(
        "Mean power of the noise by frequency, coarse in the middle, fine at the border. Bright dots are the steps of "
        "an up-sampler; cameras have none.",
        "Средняя мощность шума по частотам: в середине крупное, по краям мелкое. Яркие точки — шаги повышения "
        "разрешения; у камер их нет.",
    ),
    "fingerprints.picture.autocorrelation.reading": Text(
        "How alike the noise is to itself moved by some pixels, no move in the middle: regular spots are what an "
        "up-sampler repeats.",
        "Насколько шум похож на себя же со сдвигом, в середине сдвига нет: правильные пятна — то, что повторяет "
        "повышение разрешения.",
    ),
    "fingerprints.picture.residual.of": Text("Mean residual of {generator}", "Средний остаток: {generator}"),
    "fingerprints.picture.spectrum.of": Text("Spectrum of {generator}", "Спектр: {generator}"),
    "fingerprints.picture.autocorrelation.of": Text("Autocorrelation of {generator}", "Автокорреляция: {generator}"),
    "fingerprints.made_of": Text(
        "{images} images of {size} pixels, denoiser {denoiser}. Its own images correlate with it by {own}, noise "
        "by ± {floor}. Enrolled {date}.",
        "Изображений: {images}, {size} пикселей, шумоподавитель {denoiser}. Корреляция своих изображений {own}, шума "
        "± {floor}. Записан {date}.",
    ),
    "fingerprints.left_out": Text(
        "Left out: {duplicates} duplicates, {constant} of one colour, {other_size} of another size.",
        "Исключены: повторов — {duplicates}, одноцветных — {constant}, другого размера — {other_size}.",
    ),
    "fingerprints.codecs": Text("Formats: {codecs}", "Форматы: {codecs}"),
    "fingerprints.more": Text("The newest {shown} of {total}.", "Новейшие {shown} из {total}."),
    "fingerprints.delete": Text("Delete", "Удалить"),
    "fingerprints.compare.reading": Text(
        "Correlation of each two fingerprints, in the order of the tree below: blue is alike, white has nothing in "
        "common.",
        "Корреляция каждых двух отпечатков в порядке дерева, которое показано ниже: синее похоже, у белого нет ничего "
        "общего.",
    ),
    "fingerprints.compare.value": Text("Correlation", "Корреляция"),
    "fingerprints.compare.alternative": Text(
        "Table of correlations, a row a fingerprint: {rows}.", "Таблица корреляций, строка — отпечаток: {rows}."
    ),
    "fingerprints.tree.axis": Text("1 − correlation", "1 − корреляция"),
    "fingerprints.tree.reading": Text(
        "Fingerprints that meet further left have more in common (average linkage).",
        "Чем левее соединяются отпечатки, тем больше у них общего (метод средней связи).",
    ),
    "fingerprints.tree.alternative": Text(
        "Tree of the fingerprints, from top to bottom: {names}.", "Дерево отпечатков, сверху вниз: {names}."
    ),
    "fingerprints.compare.table": Text("All correlations", "Все корреляции"),
    "fingerprints.compare.few": Text(
        "Two fingerprints are needed to compare them.", "Для сравнения нужны два отпечатка."
    ),
    "fingerprints.same": Text(
        "{first} and {second} cannot be told apart: correlation {correlation}, images in both: {shared}. Most likely "
        "they are one generator under two names.",
        "{first} и {second} неразличимы: корреляция {correlation}, общих изображений: {shared}. Скорее всего, это один "
        "генератор под двумя именами.",
    ),
    "fingerprints.enrol.how": Text(
        "At least {fewest} different images of one size, better {advised}. Images of another size are left out.",
        "Не меньше {fewest} разных изображений одного размера, лучше {advised}. Изображения другого размера "
        "исключаются.",
    ),
    "fingerprints.enrol": Text("Enrol", "Записать"),
    "fingerprints.name": Text("Name of the source", "Название источника"),
    "fingerprints.unnamed": Text("Give the source a name.", "Дайте источнику название."),
    "fingerprints.label": Text("Kind", "Вид"),
    "fingerprints.label.FAKE": Text("A generator (FAKE)", "Генератор (FAKE)"),
    "fingerprints.label.REAL": Text("Cameras (REAL), to compare with", "Камеры (REAL), для сравнения"),
    "fingerprints.denoiser": Text("Denoiser", "Шумоподавитель"),
    "fingerprints.denoiser.help": Text(
        "What takes away what an image shows. Only fingerprints by the same one are compared.",
        "То, что убирает содержание изображения. Сравниваются только отпечатки с одним шумоподавителем.",
    ),
    "fingerprints.denoiser.gaussian": Text(
        "gaussian: minus a blur of 1 pixel, the fastest", "gaussian: минус размытие в 1 пиксель, самый быстрый"
    ),
    "fingerprints.denoiser.median": Text(
        "median: minus the median of 3 x 3 pixels", "median: минус медиана 3 x 3 пикселей"
    ),
    "fingerprints.denoiser.wavelet": Text(
        "wavelet: three wavelet planes, less where there is content",
        "wavelet: три вейвлет-плоскости, слабее там, где есть содержание",
    ),
    "fingerprints.denoiser.nlm": Text("nlm: minus non-local means, slow", "nlm: минус нелокальные средние, медленно"),
    "fingerprints.denoiser.npr": Text(
        "npr: what up-samplers leave in 2 x 2 blocks", "npr: что повышение разрешения оставляет в блоках 2 x 2"
    ),
    "fingerprints.way": Text("Images", "Изображения"),
    "fingerprints.way.upload": Text("From my computer", "С моего компьютера"),
    "fingerprints.way.dataset": Text("From a data set", "Из набора данных"),
    "fingerprints.files": Text(
        "One zip, or single pictures, up to {size}", "Один zip или отдельные изображения, до {size}"
    ),
    "fingerprints.dataset": Text("Data set", "Набор данных"),
    "fingerprints.no_datasets": Text("There is no data set yet.", "Наборов данных пока нет."),
    "fingerprints.of": Text("Which of its FAKE images", "Какие из его изображений FAKE"),
    "fingerprints.of.all": Text("All of them", "Все"),
    "fingerprints.enrolled": Text("{generator} is enrolled.", "{generator}: записан."),
    "fingerprints.failed": Text(
        "{generator} could not be enrolled: {reason}", "Записать {generator} не удалось: {reason}"
    ),
    "fingerprints.open": Text("Open the fingerprints", "Открыть отпечатки"),
}
