"""Texts of the page that trains a detector, and the names of its settings."""

from __future__ import annotations

from frontend.texts.language import Text

TEXTS: dict[str, Text] = {
    "train.title": Text("Train a detector", "Обучить детектор"),
    "train.intro": Text(
        "Choose a data set and press the button: every setting has a sound default.",
        "Выберите набор данных и нажмите кнопку: у каждой настройки уже есть разумное значение.",
    ),
    "train.no_dataset": Text(
        "There is no data set to train on yet. Bring your pictures, or make the demonstration set, on the page Data.",
        "Пока не на чем обучать. Загрузите свои изображения или создайте демонстрационный набор на странице «Данные».",
    ),
    "train.to_data": Text("Go to Data", "Открыть «Данные»"),
    "train.dataset": Text("Data set", "Набор данных"),
    "train.dataset.item": Text("{name} · images: {images}", "{name} · изображений: {images}"),
    "train.dataset.help": Text(
        "The images to learn from, newest set first.", "Изображения для обучения, новые сверху."
    ),
    "train.dataset.gone": Text(
        "There is no data set {dataset} any more; another one is chosen below.",
        "Набора данных {dataset} больше нет; ниже выбран другой.",
    ),
    "train.dataset.counts": Text("REAL: {real} · FAKE: {fake}", "REAL: {real} · FAKE: {fake}"),
    "train.running": Text("A training is under way:", "Сейчас идёт обучение:"),
    "train.more": Text("More settings", "Дополнительные настройки"),
    "train.choose": Text("Choose one or several", "Выберите один или несколько"),
    "train.auto_c": Text("Choose C for me", "Подобрать C автоматически"),
    "train.target_fpr": Text("Accepted false alarms, % of REAL", "Допустимые ложные тревоги, % от REAL"),
    "train.doubt": Text("Answers REAL that may be doubted, % of REAL", "Ответы REAL под сомнением, % от REAL"),
    "train.typed.backbone": Text("Another network of timm's", "Другая сеть из timm"),
    "train.typed.backbone.name": Text("Name of the network", "Название сети"),
    "train.typed.backbone.help": Text(
        "As timm calls it, such as resnet18 or mobilenetv3_small_100. Its weights may have to be downloaded first; "
        "without the internet the training then fails and says so.",
        "Как в timm, например resnet18 или mobilenetv3_small_100. Возможно, сначала понадобится скачать её веса; "
        "без интернета обучение тогда завершится ошибкой с объяснением.",
    ),
    "train.typed.stages": Text("Single stages, by name", "Отдельные стадии по названиям"),
    "train.typed.stages.name": Text("Names of the stages", "Названия стадий"),
    "train.typed.stages.help": Text(
        "With commas between, such as: stem, block3, block2.0.dw, block5:mean",
        "Через запятую, например: stem, block3, block2.0.dw, block5:mean",
    ),
    "train.typed.network": Text("Another network, by its digest", "Другая сеть, по контрольной сумме"),
    "train.typed.network.name": Text("Digest of the network", "Контрольная сумма сети"),
    "train.typed.network.help": Text(
        "The 64 digits that the page of a fine-tuned model shows.", "64 знака со страницы дообученной модели."
    ),
    "train.finetune": Text("Fine-tune the network", "Дообучить сеть"),
    "train.finetune.help": Text(
        "The network itself is trained further on your images before the classifier is fitted: the most accurate, and "
        "by far the slowest.",
        "Перед обучением классификатора сама сеть дообучается на ваших изображениях: самый точный и намного более "
        "медленный способ.",
    ),
    "train.finetune.cost": Text(
        "It takes minutes for a thousand images and hours for a hundred thousand, less on a GPU. After a restart it "
        "goes on where it was.",
        "Займёт минуты на тысячу изображений и часы на сто тысяч, на видеокарте меньше. После перезапуска обучение "
        "продолжится с того же места.",
    ),
    "train.plan": Text(
        "What will happen: the features of {images} images are computed once and kept, so that another training with "
        "the same way to read the images starts from them. Then the detector is trained, calibrated and measured on "
        "images that it did not learn from. While it runs, this page shows its speed and the time left.",
        "Что произойдёт: признаки изображений ({images}) вычисляются один раз и сохраняются, и следующее обучение с "
        "тем же способом чтения изображений начнётся с них. Затем детектор обучается, калибруется и проверяется на "
        "изображениях, которых он не видел. По ходу дела здесь видны скорость и оставшееся время.",
    ),
    "train.plan.twins": Text(
        "Test images that are in the training images too: {images}. The result is also given without them.",
        "Тестовых изображений, которые есть и среди обучающих: {images}. Результат будет показан и без них.",
    ),
    "train.obstacle.no_extractor": Text(
        "Choose at least one way to read the images.", "Выберите хотя бы один способ чтения изображений."
    ),
    "train.obstacle.empty": Text("“{setting}” is still empty.", "Поле «{setting}» ещё не заполнено."),
    "train.obstacle.one_class": Text(
        "This data set has no {label} images. A detector needs both, REAL photographs and FAKE images.",
        "В этом наборе нет изображений {label}. Детектору нужны оба класса: настоящие (REAL) и поддельные (FAKE).",
    ),
    "train.obstacle.too_few": Text(
        "This data set has too few images (REAL: {real}, FAKE: {fake}). At least {least} of each are needed; a few "
        "hundred make a useful detector.",
        "В этом наборе слишком мало изображений (REAL: {real}, FAKE: {fake}). Нужно не меньше {least} каждого класса; "
        "полезный детектор получается из нескольких сотен.",
    ),
    "train.obstacle.too_few_to_train": Text(
        "This data set names most of its images as validation or test images; too few are left to learn from (REAL: "
        "{real}, FAKE: {fake}; at least {least} of each are needed). Put the training images below train/.",
        "Почти все изображения этого набора помечены как проверочные или тестовые; для обучения осталось слишком "
        "мало (REAL: {real}, FAKE: {fake}; нужно не меньше {least} каждого). "
        "Поместите обучающие изображения в папку train/.",
    ),
    "train.start": Text("Start training", "Начать обучение"),
    "train.follow": Text(
        "You can leave this page or close it: the training goes on, and this address finds it again.",
        "Страницу можно покинуть или закрыть: обучение продолжится, а по этому адресу его можно найти снова.",
    ),
    "train.details": Text("Everything about this job", "Всё об этом задании"),
    "train.not_a_fit": Text("The job at this address is no training.", "Задание по этому адресу — не обучение."),
    "train.again": Text("Change the settings", "Изменить настройки"),
    "train.again.help": Text(
        "The fields below hold the settings of this training.", "Поля ниже содержат настройки этого обучения."
    ),
    "train.another": Text("Train another", "Обучить ещё один"),
    "train.done": Text("The detector {name} is ready.", "Детектор {name} готов."),
    "train.done.accuracy": Text(
        "It is right on {accuracy} of {images} test images; with 95 % confidence, between {low} and {high} of such "
        "images.",
        "Он верно определяет {accuracy} из тестовых изображений ({images}); с доверительной вероятностью 95 % — от "
        "{low} до {high} таких изображений.",
    ),
    "train.done.unmeasured": Text(
        "The test images were left unread, as asked: their figures are still to come.",
        "Тестовые изображения по вашему выбору не использовались: оценки на них пока нет.",
    ),
    "train.model_gone": Text("Its detector was deleted since.", "Этот детектор с тех пор удалён."),
    "train.use": Text("Use this model", "Использовать эту модель"),
    "train.in_use": Text(
        "This model answers on the page Check pictures.", "Эта модель отвечает на странице «Проверить изображения»."
    ),
    "train.to_check": Text("Check pictures with it", "Проверить изображения с её помощью"),
    "train.open": Text("Open the model", "Открыть модель"),
    "train.confusion": Text("Test images by label and answer", "Тестовые изображения по метке и ответу"),
    "train.confusion.label": Text("Label", "Метка"),
    "train.confusion.real": Text("called REAL", "названо REAL"),
    "train.confusion.fake": Text("called FAKE", "названо FAKE"),
    "train.timings": Text("Time it took", "Затраченное время"),
    "train.features_kept": Text(
        "The features had been computed for an earlier training and were kept.",
        "Признаки были вычислены при прежнем обучении и сохранены.",
    ),
    "train.step": Text("Step", "Этап"),
    "train.time": Text("Time", "Время"),
    "timing.import_s": Text("Reading the images", "Чтение изображений"),
    "timing.audit_s": Text("Auditing the images", "Аудит изображений"),
    "timing.finetune_s": Text("Fine-tuning the network", "Дообучение сети"),
    "timing.features_s": Text("Computing features", "Вычисление признаков"),
    "timing.fit_s": Text("Training and calibration", "Обучение и калибровка"),
    "timing.evaluate_s": Text("Measuring how good it is", "Измерение качества"),
    "timing.limits_s": Text("Measuring where it fails", "Измерение пределов применимости"),
    "timing.total": Text("Together", "Всего"),
    "setting.extractor": Text("How the images are read", "Способ чтения изображений"),
    "setting.backbone": Text("Pretrained network", "Предобученная сеть"),
    "setting.stages": Text("Stages of the network", "Стадии сети"),
    "setting.input_size": Text("Input size, pixels a side", "Размер входа, пикселей по стороне"),
    "setting.pooling": Text("Pooling", "Агрегация (pooling)"),
    "setting.flips": Text("Average with the mirror image", "Усреднять с зеркальным отражением"),
    "setting.network": Text("Fine-tuned network", "Дообученная сеть"),
    "setting.fingerprints": Text("Fingerprints", "Отпечатки"),
    "setting.finetune.epochs": Text("Fine-tuning: epochs", "Дообучение: эпохи"),
    "setting.finetune.learning_rate": Text("Fine-tuning: learning rate", "Дообучение: скорость обучения"),
    "setting.finetune.train": Text("Fine-tuning: parts trained", "Дообучение: обучаемые части"),
    "setting.finetune.augment": Text("Fine-tuning: random changes", "Дообучение: случайные изменения"),
    "setting.finetune.patience": Text("Fine-tuning: patience", "Дообучение: терпение"),
    "setting.rings": Text("Rings of frequency", "Кольца частот"),
    "setting.sectors": Text("Directions", "Направления"),
    "setting.head": Text("Classifier", "Классификатор"),
    "setting.C": Text("C", "Параметр C"),
    "setting.C.auto": Text("chosen by cross-validation", "подбирается кросс-валидацией"),
    "setting.class_weight": Text("Balance the classes", "Уравновесить классы"),
    "setting.epochs": Text("Epochs", "Эпохи"),
    "setting.components": Text("Components of the kernel", "Компоненты ядра"),
    "setting.gamma": Text("Width of the kernel (gamma)", "Ширина ядра (gamma)"),
    "setting.hidden": Text("Hidden layers", "Скрытые слои"),
    "setting.dropout": Text("Dropout", "Прореживание (dropout)"),
    "setting.mixup": Text("Mixing of images (mixup)", "Смешивание изображений (mixup)"),
    "setting.learning_rate": Text("Learning rate", "Скорость обучения"),
    "setting.weight_decay": Text("Weight decay", "Затухание весов"),
    "setting.ensemble": Text("Networks averaged", "Число усредняемых сетей"),
    "setting.validation_fraction": Text("Share kept for calibration", "Доля для калибровки"),
    "setting.test_fraction": Text("Share kept for the test", "Доля для теста"),
    "setting.target_fpr": Text("Accepted false alarms", "Допустимые ложные тревоги"),
    "setting.target_fpr.auto": Text("best accuracy", "лучшая точность"),
    "setting.doubt": Text("Answers REAL that may be doubted", "Ответы REAL под сомнением"),
    "setting.doubt.auto": Text("none", "нет"),
    "setting.evaluate_test": Text("Measure on the test images", "Оценить на тестовых изображениях"),
    "setting.measure_limits": Text("Measure where it stops working", "Измерить, где она перестаёт работать"),
    "setting.seed": Text("Seed", "Начальное число (seed)"),
    "setting.name": Text("Name of the model", "Название модели"),
    "setting.notes": Text("Notes", "Заметки"),
    "help.extractor": Text(
        "What turns an image into numbers; the numbers of several are put side by side.",
        "То, что превращает изображение в числа; числа нескольких способов объединяются.",
    ),
    "help.head": Text(
        "What learns to tell REAL from FAKE by these numbers.", "То, что учится по этим числам отличать REAL от FAKE."
    ),
    "help.name": Text(
        "Left empty, it is made of the names of the data set and the classifier.",
        "Если оставить пустым, составляется из названий набора данных и классификатора.",
    ),
    "help.C": Text(
        "C says how closely the training images are followed; by itself it is found by cross-validation in seconds.",
        "C определяет, насколько точно модель следует обучающим изображениям; автоматически подбирается за секунды.",
    ),
    "help.C.value": Text(
        "Small values give a simpler detector, large ones follow the training images more closely.",
        "Малые значения дают более простой детектор, большие точнее следуют обучающим изображениям.",
    ),
    "help.class_weight": Text(
        "Both classes count the same, however many images each has.",
        "Оба класса весят одинаково, сколько бы изображений в них ни было.",
    ),
    "help.epochs": Text("Passes over the training images.", "Число проходов по обучающим изображениям."),
    "help.components": Text(
        "Size of the kernel's approximation: more is more accurate and slower.",
        "Размер приближения ядра: больше — точнее и медленнее.",
    ),
    "help.gamma": Text(
        "Large values follow small differences between images, small ones smooth them out.",
        "Большие значения следуют мелким различиям между изображениями, малые их сглаживают.",
    ),
    "help.hidden": Text(
        "Units of each hidden layer, first to last, with commas between.",
        "Число нейронов каждого скрытого слоя, от первого к последнему, через запятую.",
    ),
    "help.dropout": Text(
        "Share of units left out at random while it learns: more keeps small data sets from being learnt by heart.",
        "Доля нейронов, случайно отключаемых при обучении: чем больше, тем труднее заучить малый набор наизусть.",
    ),
    "help.mixup": Text(
        "It learns from mixtures of two images, with mixed labels: steadier answers. Zero mixes nothing.",
        "Обучение на смесях двух изображений со смешанными метками: ответы устойчивее. Ноль — без смешивания.",
    ),
    "help.learning_rate": Text(
        "The largest step of the optimiser; it falls towards the end.",
        "Наибольший шаг оптимизатора; к концу обучения он уменьшается.",
    ),
    "help.weight_decay": Text(
        "How strongly weights are pulled towards zero.", "Насколько сильно веса стягиваются к нулю."
    ),
    "help.ensemble": Text(
        "Networks from different starts, whose answers are averaged: more are more accurate, and slower to train.",
        "Сети с разными начальными весами, ответы которых усредняются: чем больше, тем точнее и дольше обучение.",
    ),
    "help.validation_fraction": Text(
        "Training images that set the probabilities and the threshold, where the data set names none for that.",
        "Обучающие изображения для вероятностей и порога, если в наборе для этого ничего не выделено.",
    ),
    "help.test_fraction": Text(
        "Images that only measure how good it is, where the data set names none for that.",
        "Изображения только для оценки качества, если в наборе для этого ничего не выделено.",
    ),
    "help.target_fpr": Text(
        "The threshold is set so that at most this share of the REAL images that set it is called FAKE, 0.01 to 50 %. "
        "The model's page says what holds for new images. Left empty, the best accuracy counts.",
        "Порог выбирается так, чтобы среди изображений REAL, по которым он выбирается, FAKE было названо не больше "
        "этой доли, от 0,01 до 50 %. Что верно для новых изображений, говорит страница модели. Если пусто — ради "
        "лучшей точности.",
    ),
    "help.doubt": Text(
        "Unsure in place of real for pictures that lean towards what the fakes of your generators have in common. "
        "Fewer fakes of unknown generators pass as real, and this share of real pictures becomes unsure, 1 to 50 %. It "
        "takes three named generators of 30 pictures and 500 real ones.",
        "«Не уверена» вместо «настоящее» для изображений, которые похожи на общее у подделок ваших генераторов: меньше "
        "подделок неизвестных генераторов сойдёт за настоящие, но и эта доля настоящих станет неясной, от 1 до 50 %. "
        "Нужны три названных генератора по 30 изображений и 500 настоящих.",
    ),
    "help.evaluate_test": Text(
        "Switch it off while you compare settings, so that the final figures stay honest.",
        "Отключите, пока сравниваете настройки: тогда итоговая оценка останется честной.",
    ),
    "help.measure_limits": Text(
        "At the end of the fit it is tried on photographs that were edited in part, and each generator is left out in "
        "turn. It takes seconds.",
        "В конце обучения она проверяется на фотографиях, изменённых частично, и каждый генератор по очереди "
        "исключается. Это занимает секунды.",
    ),
    "help.seed": Text("Equal seeds give equal models.", "Одинаковые числа дают одинаковые модели."),
    "help.notes": Text(
        "Anything worth remembering; it stays with the model.", "Всё, что стоит запомнить; хранится с моделью."
    ),
    "choice.extractor.cnn": Text("Pretrained network", "Предобученная сеть"),
    "choice.extractor.spectrum": Text("Spectrum", "Спектр"),
    "choice.extractor.residual": Text("Noise residual", "Остаточный шум"),
    "choice.extractor.npr": Text("Neighbouring pixels", "Соседние пиксели"),
    "choice.extractor.synthbuster": Text("Up-sampling peaks", "Пики увеличения разрешения"),
    "choice.extractor.dct": Text("Cosine transforms", "Косинусные преобразования"),
    "choice.extractor.fingerprint": Text("Stored fingerprints", "Сохранённые отпечатки"),
    "choice.extractor.finetuned": Text("Fine-tuned network", "Дообученная сеть"),
    "choice.train.all": Text("The whole network", "Вся сеть"),
    "choice.train.early": Text("Its early half", "Первая половина"),
    "choice.train.late": Text("Its late half", "Вторая половина"),
    "choice.head.logreg": Text("Logistic regression", "Логистическая регрессия"),
    "choice.head.svm": Text("Linear SVM", "Линейный SVM"),
    "choice.head.svm_rbf": Text("SVM with a Gaussian kernel", "SVM с гауссовым ядром"),
    "choice.head.logreg_sgd": Text("Logistic regression in epochs", "Логистическая регрессия по эпохам"),
    "choice.head.svm_sgd": Text("Linear SVM in epochs", "Линейный SVM по эпохам"),
    "choice.head.mlp": Text("Small neural network", "Небольшая нейросеть"),
    "choice.head.multi": Text("A specialist for each generator", "Специалист на каждый генератор"),
    "choice.stages.texture": Text("Texture", "Текстура"),
    "choice.stages.detail": Text("Texture in detail", "Текстура подробно"),
    "choice.stages.all": Text("All stages", "Все стадии"),
    "choice.stages.last": Text("Last stage", "Последняя стадия"),
    "option.extractor.cnn": Text(
        "A frozen pretrained network, with the statistics of the stages that carry a generator's traces.",
        "Замороженная предобученная сеть: статистики тех стадий, где видны следы генератора.",
    ),
    "option.extractor.fingerprint": Text(
        "How an image fits stored fingerprints of generators: correlations of residuals, distances of spectra.",
        "Насколько изображение подходит к сохранённым отпечаткам генераторов: корреляции остатков, расстояния "
        "между спектрами.",
    ),
    "option.fingerprint.fingerprints": Text(
        "Which fingerprints, at most 32: generators, ids or digests of those enrolled, or digests in a model's card.",
        "Какие отпечатки, не больше 32: генераторы, номера или контрольные суммы сохранённых либо контрольные суммы из "
        "карточки модели.",
    ),
    "option.extractor.finetuned": Text(
        "A network that a fit here has trained further: another classifier on top of it takes seconds.",
        "Сеть, которую дообучило одно из прежних обучений: другой классификатор поверх неё — дело секунд.",
    ),
    "option.finetuned.network": Text(
        "Which network: the hexadecimal SHA-256 that the card of a fine-tuned model shows.",
        "Какая сеть: шестнадцатеричная сумма SHA-256 из карточки дообученной модели.",
    ),
    "option.finetune.epochs": Text("Passes over the training images", "Число проходов по обучающим изображениям"),
    "option.finetune.learning_rate": Text(
        "Of the network, at its peak", "Скорость обучения сети, наибольшая за обучение"
    ),
    "option.finetune.train": Text(
        "What is trained: all, the early or the late half of the network, or a list of its stages; the rest stays as "
        "pretrained",
        "Что обучается: вся сеть, её первая или вторая половина либо список стадий; остальное не меняется",
    ),
    "option.finetune.augment": Text("Random changes of the training images", "Случайные изменения изображений"),
    "option.finetune.patience": Text(
        "Epochs in a row without a better validation loss before it stops; 0: never",
        "Сколько эпох подряд без улучшения на валидации до остановки; 0 — не останавливать",
    ),
    "option.extractor.spectrum": Text(
        "Power by frequency and by direction: rings and peaks that up-samplers leave.",
        "Мощность по частотам и направлениям: кольца и пики, которые оставляет увеличение разрешения.",
    ),
    "option.extractor.residual": Text(
        "Statistics of the noise that is left when what the neighbouring pixels predict is taken away.",
        "Статистики шума, который остаётся, если вычесть предсказание по соседним пикселям.",
    ),
    "option.extractor.npr": Text(
        "Neighbouring-pixel relationships: differences inside 2 x 2 blocks.",
        "Отношения соседних пикселей: разности внутри блоков 2 × 2.",
    ),
    "option.extractor.synthbuster": Text(
        "Peaks at periods of 2, 4 and 8 pixels in the spectrum of cross differences, where up-samplers leave them.",
        "Пики с периодами 2, 4 и 8 пикселей в спектре перекрёстных разностей: их оставляет увеличение разрешения.",
    ),
    "option.extractor.dct": Text(
        "How fast the coefficients of 8 x 8 cosine transforms fall off, frequency by frequency.",
        "Как быстро убывают коэффициенты косинусных преобразований 8 × 8, по каждой частоте.",
    ),
    "option.cnn.backbone": Text(
        "Pretrained network. Those listed need no download; any other of timm's is fetched.",
        "Предобученная сеть. Сети из списка скачивать не нужно; любая другая сеть timm загружается.",
    ),
    "option.cnn.stages": Text(
        "The parts of the network whose activations are used.", "Части сети, активации которых используются."
    ),
    "option.cnn.input_size": Text(
        "Pixels a side that every image is resized to.", "До скольких пикселей по стороне уменьшается изображение."
    ),
    "option.cnn.pooling": Text(
        "Statistics over the places of each stage's map.", "Статистики по всем точкам карты каждой стадии."
    ),
    "option.cnn.flips": Text(
        "Features of an image and of its mirror image, averaged: twice the time.",
        "Среднее признаков изображения и его зеркального отражения: вдвое дольше.",
    ),
    "option.spectrum.rings": Text(
        "Rings of frequency from 0 to the corner.", "Число колец частот от нуля до угла спектра."
    ),
    "option.spectrum.sectors": Text("Directions, 0 to 180 degrees.", "Число направлений от 0 до 180 градусов."),
    "option.head.logreg": Text(
        "Logistic regression: fast, and its scores are log-odds.",
        "Логистическая регрессия: быстрая, её оценки — логарифмы шансов.",
    ),
    "option.head.svm": Text(
        "Linear support vector machine: the widest margin between REAL and FAKE.",
        "Линейный метод опорных векторов: самый широкий зазор между REAL и FAKE.",
    ),
    "option.head.svm_rbf": Text(
        "Support vector machine with a Gaussian kernel (Nyström): more accurate than a line, slower and larger.",
        "Метод опорных векторов с гауссовым ядром (Нистрём): точнее линейного, но медленнее и больше.",
    ),
    "option.head.logreg_sgd": Text(
        "Logistic regression trained in epochs, with the loss of each.",
        "Логистическая регрессия, обучаемая по эпохам, с функцией потерь каждой из них.",
    ),
    "option.head.svm_sgd": Text(
        "Linear support vector machine trained in epochs, with the loss of each.",
        "Линейный метод опорных векторов, обучаемый по эпохам, с функцией потерь каждой из них.",
    ),
    "option.head.multi": Text(
        "Logistic regression, and a specialist for each generator beside it: learns a generator from 50 images.",
        "Логистическая регрессия и по специалисту на каждый генератор: узнаёт генератор по 50 изображениям.",
    ),
    "option.head.mlp": Text(
        "Small neural network: the most accurate on many images, trained in epochs with the loss of each.",
        "Небольшая нейросеть: самая точная на больших наборах; обучается по эпохам, с функцией потерь каждой из них.",
    ),
    "option.stages.all": Text("the stem and the output of every stage", "начало сети и выход каждой стадии"),
    "option.stages.last": Text(
        "the final feature vector alone, as a classifier would see it",
        "только итоговый вектор признаков, каким его видит классификатор",
    ),
    "option.stages.texture": Text(
        "the depthwise activations of the early blocks, where a generator's traces live, and the means of the late "
        "stages for context; the same as all where a network has no depthwise blocks",
        "поканальные (depthwise) активации ранних блоков, где видны следы генератора, и средние поздних стадий для "
        "контекста; в сети без таких блоков — то же, что all",
    ),
    "option.stages.detail": Text(
        "texture, and how the channels of the stem and of the first two blocks vary together: more accurate, 40 % "
        "more numbers",
        "текстура и совместная изменчивость каналов начала сети и первых двух блоков: точнее, чисел на 40 % больше",
    ),
}
