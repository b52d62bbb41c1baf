"""Texts: none missing, none left over, and what comes from outside is never markup."""

from __future__ import annotations

import ast
import html

import pytest
from markdown_it import MarkdownIt

from frontend.texts import ENGLISH, percent, plain, say
from tests.running import ROOT

VERDICTS = {"verdict.fake", "verdict.real", "verdict.unsure"}  # their keys are put together from the answer


def test_every_text_is_used_and_every_used_text_exists() -> None:
    written = {
        node.value
        for path in (ROOT / "frontend").rglob("*.py")
        if path.name != "texts.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    asked = {
        call.args[0].value
        for path in (ROOT / "frontend").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("say", "say_text")
        if call.args and isinstance(call.args[0], ast.Constant)
    }
    assert asked <= set(ENGLISH)
    assert set(ENGLISH) - {"percent.most", "percent.least"} == (written & set(ENGLISH)) | VERDICTS


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
