"""A text in each of the app's languages."""

from __future__ import annotations

from dataclasses import dataclass

LANGUAGES = {"en": "English", "ru": "Русский"}
"""Code -> its own name for itself, as shown to those who look for it."""


@dataclass(frozen=True)
class Text:
    """One sentence in every language. {names} in braces stand for values; all languages have the same ones."""

    en: str
    ru: str

    def of(self, language: str) -> str:
        """The text in `language`, a key of LANGUAGES."""
        return self.ru if language == "ru" else self.en
