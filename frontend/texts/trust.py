"""Texts on how far a model's words can be trusted: calibration, promise, unsure, edited pictures."""

from __future__ import annotations

from frontend.texts.language import Text

TEXTS: dict[str, Text] = {
    "trust.title": Text("How far to trust it", "Насколько ей можно верить"),
    "trust.kind.platt": Text("Platt scaling", "шкала Платта"),
    "trust.kind.temperature": Text("temperature scaling", "температурная шкала"),
    "trust.kind.isotonic": Text("isotonic regression", "изотоническая регрессия"),
    "trust.chosen": Text(
        "Its scores become probabilities by {kind}: of {kinds} ways the one that fitted {images} held-out images best.",
        "Оценки превращает в вероятности {kind}: из {kinds} способов этот лучше всех подошёл к отложенным "
        "изображениям ({images}).",
    ),
    "trust.calibrated": Text(
        "Its scores become probabilities by {kind}, fitted on held-out images.",
        "Оценки превращает в вероятности {kind}, подобранная по отложенным изображениям.",
    ),
    "trust.error": Text(
        "On test images its probabilities are off by {error} on average (Brier score {brier}).",
        "На тестовых изображениях её вероятности ошибаются в среднем на {error} (оценка Брайера {brier}).",
    ),
    "trust.asked": Text(
        "Its threshold was set so that at most {rate} of the real images that set it are called fake.",
        "Порог выбран так, чтобы среди настоящих изображений, по которым он выбирался, подделкой было названо "
        "не больше {rate}.",
    ),
    "trust.promise": Text(
        "At {confidence} confidence it calls at most {bound} of real pictures fake, for images like these: {images} "
        "real test images that had no part in making it, of which it called {false_positives} fake. Of other pictures "
        "this says nothing.",
        "С уверенностью {confidence} она называет подделкой не больше {bound} настоящих изображений, если они похожи "
        "на эти: настоящие тестовые изображения, не участвовавшие в её создании ({images}), из них подделкой названо "
        "{false_positives}. О других изображениях это ничего не говорит.",
    ),
    "trust.no_promise": Text(
        "It promises no rate of false alarms: too few real test images had no part in making it ({images}).",
        "Доли ложных тревог она не обещает: слишком мало настоящих тестовых изображений не участвовало в её создании "
        "({images}).",
    ),
    "trust.unsure.test": Text(
        "On {share} of the test images it says that it is unsure; on the rest it is right in {accuracy}.",
        "На {share} тестовых изображений она говорит, что не уверена; на остальных права в {accuracy} случаев.",
    ),
    "trust.unsure.validation": Text(
        "On {share} of the validation images it says that it is unsure; on the rest it is right in {accuracy}.",
        "На {share} изображений для валидации она говорит, что не уверена; на остальных права в {accuracy} случаев.",
    ),
    "trust.doubt": Text(
        "It answers unsure in place of real where a picture leans towards what the fakes of {generators} generators "
        "have in common: about {rate} of real pictures.",
        "Вместо «настоящее» она отвечает «не уверена», если изображение похоже на общее у подделок генераторов "
        "({generators}): около {rate} настоящих изображений.",
    ),
    "trust.edited": Text(
        "Of {images} real pictures it calls {fpr} fake as they are. With a part of each edited, it calls fake: "
        "{found}.",
        "Из настоящих изображений ({images}) она называет подделкой {fpr}. Если изменить в них часть, подделкой "
        "названо: {found}.",
    ),
    "trust.whole.measured": Text(
        "**Whole images only**: it tells whether a picture was generated, not whether a part of it was edited.",
        "**Только целые изображения**: она судит, сгенерировано ли изображение, а не изменена ли его часть.",
    ),
    "trust.whole": Text(
        "**Whole images only**: what it makes of pictures edited in part was not measured.",
        "**Только целые изображения**: что она скажет об изображениях, изменённых частично, не измерено.",
    ),
    "trust.edit.splice": Text("a part of another photograph pasted in", "вставлена часть другой фотографии"),
    "trust.edit.generated part": Text("a part of a generated image pasted in", "вставлена часть сгенерированного"),
    "trust.edit.copy-move": Text("a part copied elsewhere in it", "часть скопирована на другое место"),
    "trust.edit.smooth filling": Text("a part removed and smoothed over", "часть удалена и заглажена"),
    "trust.edit.patch filling": Text("a part removed and filled from nearby", "часть удалена и заполнена соседней"),
    "trust.edit.retouch": Text("a part retouched", "часть отретуширована"),
    "trust.edit.face swap": Text("a face swapped", "лицо заменено другим"),
    "trust.edit.face retouch": Text("a face retouched", "лицо отретушировано"),
}
