"""Texts of what a file says of its own origin."""

from __future__ import annotations

from frontend.texts.language import Text

TEXTS: dict[str, Text] = {
    "provenance.says.made_by_ai": Text("says: made by AI", "утверждает: создано ИИ"),
    "provenance.says.edited_with_ai": Text("says: edited with AI", "утверждает: изменено с помощью ИИ"),
    "provenance.says.edited": Text("says: edited", "утверждает: отредактировано"),
    "provenance.says.captured": Text("says: taken with a camera", "утверждает: снято камерой"),
    "provenance.says.made_by_software": Text("says: made with a program", "утверждает: создано программой"),
    "provenance.says.claims": Text("says", "утверждает"),
    "provenance.says.unreadable": Text("damaged", "повреждено"),
    "provenance.strength.trusted": Text(
        "signed and unchanged, by a signer of the trust list",
        "подписано и не изменено, подписавший в списке доверенных",
    ),
    "provenance.strength.signed": Text(
        "signed and unchanged, by a signer that nobody vouches for here",
        "подписано и не изменено, но за подписавшего здесь никто не ручается",
    ),
    "provenance.strength.plain": Text(
        "anybody can write, change or remove this", "это может вписать, изменить или удалить кто угодно"
    ),
    "provenance.strength.none": Text(
        "counts for nothing: damaged, or changed after it was signed",
        "не имеет силы: повреждено или изменено после подписи",
    ),
    "provenance.note": Text(
        "This is what the file says of itself; none of it proves that the picture is real. A file that says nothing "
        "may be generated too.",
        "Так говорит о себе сам файл; ничто из этого не доказывает, что изображение настоящее. Файл, который ничего не "
        "говорит, тоже может быть сгенерирован.",
    ),
}
