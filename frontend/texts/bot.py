"""Texts of the Telegram bot. They are sent as HTML: values are escaped by whoever fills them in."""

from __future__ import annotations

from frontend.texts.language import Text

TEXTS: dict[str, Text] = {
    "bot.start": Text(
        "Hello! Send me a picture and I tell you whether it looks like a photograph or like the work of a generator. "
        "The best way is as a file (paperclip → File): Telegram compresses photos, and that wipes out traces.\n\n"
        "My verdict is a hint, never proof. /help shows what else I can do, /privacy what becomes of your pictures.",
        "Здравствуйте! Пришлите изображение, и я скажу, похоже ли оно на фотографию или на работу генератора. Лучше "
        "всего — файлом (скрепка → «Файл»): фотографии Telegram сжимает, и следы стираются.\n\n"
        "Мой вердикт — подсказка, а не доказательство. Что я ещё умею — /help, что происходит с изображениями — "
        "/privacy.",
    ),
    "bot.help": Text(
        "Send or forward a photo, an album, or a picture as a file (up to {most}), and I answer with a verdict: real, "
        "fake, or unsure. The button “Why?” shows which places of the picture led to it.\n\n"
        "In a group I am silent until I am asked: answer somebody's picture with /check, or mention me in the caption "
        "of your own picture or in an answer to one.\n\n"
        "/check – check the picture that this message answers\n"
        "/model – which detector answers, and how good it is\n"
        "/language – English or Russian\n"
        "/privacy – what is kept of your pictures: nothing",
        "Пришлите или перешлите фотографию, альбом или изображение файлом (до {most}), и я отвечу вердиктом: "
        "настоящее, подделка или неясно. Кнопка «Почему?» покажет, какие места изображения к нему привели.\n\n"
        "В группе я молчу, пока меня не спросят: ответьте на чужое изображение командой /check или упомяните меня в "
        "подписи к своему изображению либо в ответе на чужое.\n\n"
        "/check – проверить изображение, на которое отвечает это сообщение\n"
        "/model – какой детектор отвечает и насколько он хорош\n"
        "/language – русский или английский\n"
        "/privacy – что хранится из ваших изображений: ничего",
    ),
    "bot.help.admin": Text(
        "For administrators: /models lists the detectors, /set ID chooses one, /stats counts the answers.",
        "Для администраторов: /models — список детекторов, /set ID — выбрать один, /stats — число ответов.",
    ),
    "bot.privacy": Text(
        "Nothing of your pictures is kept. A picture goes to the detector's service, is answered there, and is gone "
        "from memory with the answer; no picture, text or name is written to a disk or a log.\n\n"
        "What is kept: for two days the numbers that Telegram gives to messages which I have answered, so that I "
        "answer each one once; and your choice, if you chose a language with /language. For the buttons below an album "
        "I remember Telegram's references to its pictures until an hour has passed or I start anew.\n\n"
        "Telegram keeps what you send by its own rules.",
        "Ваши изображения не сохраняются. Изображение передаётся сервису детектора, он отвечает, и вместе с ответом "
        "оно исчезает из памяти; ни изображения, ни тексты, ни имена не попадают ни на диск, ни в журнал.\n\n"
        "Что хранится: двое суток — номера, которые Telegram даёт сообщениям, на которые я ответил, чтобы отвечать на "
        "каждое один раз; и ваш выбор, если вы выбрали язык командой /language. Для кнопок под альбомом я помню ссылки "
        "Telegram на его изображения, пока не пройдёт час или я не перезапущусь.\n\n"
        "Сам Telegram хранит присланное по своим правилам.",
    ),
    "bot.command.check": Text("Check the picture that you answer", "Проверить изображение, на которое вы отвечаете"),
    "bot.command.help": Text("What I can do", "Что я умею"),
    "bot.command.model": Text("Which detector answers, and how good it is", "Какой детектор отвечает и как хорошо"),
    "bot.command.language": Text("English or Russian", "Русский или английский"),
    "bot.command.privacy": Text("What is kept of your pictures", "Что хранится из ваших изображений"),
    "bot.language": Text("Which language shall I speak here?", "На каком языке мне здесь говорить?"),
    "bot.language.chosen": Text("I speak English here from now on.", "Теперь я говорю здесь по-русски."),
    "bot.send_picture": Text(
        "Send me a picture to check, best as a file. /help shows what else I can do.",
        "Пришлите изображение для проверки, лучше файлом. Что я ещё умею — /help.",
    ),
    "bot.check.what": Text(
        "Answer a message that holds a picture with /check, then I check that picture.",
        "Ответьте командой /check на сообщение с изображением, и я его проверю.",
    ),
    "bot.only_still": Text(
        "I check still pictures only, no videos, animations or stickers. Send a photo, or a picture as a file.",
        "Я проверяю только неподвижные изображения: не видео, не анимацию и не стикеры. Пришлите фотографию или "
        "изображение файлом.",
    ),
    "bot.not_image": Text(
        "That file is no picture. I read JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF and HEIC.",
        "Этот файл — не изображение. Я читаю JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF и HEIC.",
    ),
    "bot.too_big": Text(
        "That file is too large: Telegram gives bots files of up to {most}. Send a smaller one, or crop the place in "
        "question without compressing it.",
        "Файл слишком большой: Telegram отдаёт ботам файлы не больше {most}. Пришлите файл поменьше или вырежьте "
        "нужное место, не сжимая его.",
    ),
    "bot.not_fetched": Text(
        "I could not get this picture from Telegram. Please send it again.",
        "Не удалось получить это изображение от Telegram. Пришлите его ещё раз, пожалуйста.",
    ),
    "bot.too_often": Text(
        "That is too much at once: I check up to {count} pictures a minute for one person. Wait a little and send the "
        "others again.",
        "Слишком много сразу: для одного человека я проверяю до {count} изображений в минуту. Подождите немного и "
        "пришлите остальные снова.",
    ),
    "bot.held": Text(
        "The detector's service does not answer at the moment. I keep your question and answer as soon as it is back, "
        "for up to {time}.",
        "Сервис детектора сейчас не отвечает. Я сохраню ваш вопрос и отвечу, как только он вернётся, в течение {time}.",
    ),
    "bot.not_back": Text(
        "The detector's service has not come back in {time}. Please try again later.",
        "Сервис детектора не вернулся за {time}. Попробуйте позже, пожалуйста.",
    ),
    "bot.refused": Text(
        "The detector's service refused my question. {detail}", "Сервис детектора отклонил мой вопрос. {detail}"
    ),
    "bot.broken": Text(
        "Something went wrong here, and it is my fault. Please try again later.",
        "Здесь что-то сломалось, и это моя вина. Попробуйте позже, пожалуйста.",
    ),
    "bot.recompressed": Text(
        "Telegram has compressed this photo anew, which wipes out and adds traces. Send the original as a file "
        "(paperclip → File) for an answer that you can rely on more.",
        "Telegram заново сжал эту фотографию: одни следы стёрлись, другие добавились. Чтобы ответ был надёжнее, "
        "пришлите оригинал файлом (скрепка → «Файл»).",
    ),
    "bot.compression.flips": Text(
        "Compression matters here: further copies as JPEG that get another answer: {flips} of {total}.",
        "Сжатие здесь важно: копий в JPEG, дающих другой ответ, — {flips} из {total}.",
    ),
    "bot.compression.holds": Text(
        "Compressed further as JPEG ({total} copies), it gets the same answer.",
        "При дальнейшем сжатии в JPEG (копий: {total}) ответ не меняется.",
    ),
    "bot.album.place": Text("Picture {n}", "Изображение {n}"),
    "bot.why": Text("Why?", "Почему?"),
    "bot.why.number": Text("Why {n}?", "Почему {n}?"),
    "bot.why.looking": Text("I am looking…", "Смотрю…"),
    "bot.why.gone": Text(
        "I no longer have this picture. Send it again, or answer it with /check.",
        "Этого изображения у меня больше нет. Пришлите его снова или ответьте на него командой /check.",
    ),
    "bot.why.no_map": Text(
        "This detector looks at a picture as a whole, so there is no map of places.",
        "Этот детектор смотрит на изображение целиком, поэтому карты мест нет.",
    ),
    "bot.admin_only": Text(
        "Only an administrator of this bot may do that.", "Это может только администратор этого бота."
    ),
    "bot.models.row": Text("{name}: {accuracy} on test pictures", "{name}: {accuracy} на проверочных изображениях"),
    "bot.models.active": Text("(answers now)", "(отвечает сейчас)"),
    "bot.models.more": Text("There are {total}; these are the newest {count}.", "Всего {total}; это новые {count}."),
    "bot.set.how": Text(
        "Name a detector: /set ID. /models lists their ids.",
        "Назовите детектор: /set ID. Идентификаторы показывает /models.",
    ),
    "bot.set.done": Text("From now on {name} answers.", "Теперь отвечает {name}."),
    "bot.stats": Text(
        "Since the start {time} ago\nMessages sent: {sent}\nPictures: {fake} fake, {real} real, {unsure} unsure, "
        "{failed} not readable\nRefused as too many: {refused}\nWaiting for the service: {waiting}\n"
        "Time to an answer, median: {median}\nOutages of the service: {outages}",
        "С запуска прошло: {time}\nОтправлено сообщений: {sent}\nИзображений: подделок {fake}, настоящих {real}, "
        "неясно {unsure}, не прочитано {failed}\nОтклонено как слишком частые: {refused}\n"
        "Ждут сервиса: {waiting}\nВремя до ответа, медиана: {median}\nПерерывов в работе сервиса: {outages}",
    ),
}
