"""Texts: none missing, none left over, and what comes from outside is never markup."""

from __future__ import annotations

import ast
import html
import re
from string import Formatter

import pytest
from markdown_it import MarkdownIt

from frontend.formatting import percent
from frontend.texts import TEXTS, plain, say
from tests.running import ROOT

FOLDER = ROOT / "frontend"


def asked_keys() -> tuple[set[str], set[str]]:
    """Every literal in the web app's code, and the beginning of every key that is put together there."""
    literals: set[str] = set()
    beginnings: set[str] = set()
    for path in FOLDER.rglob("*.py"):
        if path.parent.name == "texts" and path.name != "__init__.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                literals.add(node.value)
            if isinstance(node, ast.JoinedStr) and isinstance(first := node.values[0], ast.Constant):
                beginnings.add(str(first.value))
    return literals, {text for text in beginnings if re.fullmatch(r"[a-z_]+\.([a-z_.]*\.)?", text)}


def test_no_text_is_left_over() -> None:
    literals, beginnings = asked_keys()
    assert not {key for key in TEXTS if key not in literals and not key.startswith(tuple(beginnings))}


def test_every_text_that_is_asked_for_exists() -> None:
    for path in FOLDER.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("say", "say_text"):
                key = call.args[0]
                if isinstance(key, ast.Constant):
                    assert key.value in TEXTS, f"{path}: {key.value}"


def test_both_languages_are_there_and_have_the_same_values() -> None:
    for key, text in TEXTS.items():
        names = [sorted(name for _, name, *_ in Formatter().parse(t) if name is not None) for t in (text.en, text.ru)]
        assert names[0] == names[1], key
        assert text.en.strip(), key
        assert text.ru.strip(), key
        if re.search("[a-z]{4}", re.sub(r"\{\w+\}|`[^`]*`", "", text.en)) and key not in SAME_IN_BOTH:
            assert re.search("[а-яё]", text.ru.lower()), f"{key} is not Russian"


SAME_IN_BOTH: set[str] = set()
"""Keys of names that Russian writes as English does."""


HOSTILE = [
    "**bold** _it_ ~~no~~ `code`",
    "[link](http://evil.example) ![x](http://evil.example/p.png) <http://evil.example>",
    "<script>alert(1)</script> & co",
    "# heading",
    "- item",
    "1. item",
    "> quote",
    "    code",
    "a\n\n---\nb",
    "| a | b |",
    "C:\\photos\\x.png",
    "100 % sure?",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_shows_a_plain_text_as_it_is(text: str) -> None:
    shown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(plain(text))
    assert html.unescape(shown.strip()) == f"<p>{' '.join(text.split())}</p>"


def test_streamlits_own_markup_is_escaped_too() -> None:
    assert plain(":red[x] :material/home: $x^2$") == r"\:red\[x\] \:material\/home\: \$x\^2\$"


def test_a_value_cannot_break_out_of_its_sentence() -> None:
    assert say("predict.summary", fake="**", real=1, unsure=0, failed=0).startswith(r"\*\* fake")


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, "under 1 %"), (0.009, "under 1 %"), (0.5, "50 %"), (0.99, "99 %"), (1.0, "over 99 %")]
)
def test_a_percentage_never_claims_certainty(share: float, text: str) -> None:
    assert percent(share) == text
