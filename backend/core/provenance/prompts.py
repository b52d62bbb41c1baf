"""Text that programs around Stable Diffusion and its kin leave in a file: prompts, settings, whole work-flows."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from backend.core.provenance.evidence import Evidence, plain, unreadable
from backend.core.provenance.tools import program_says

_SETTINGS = re.compile(r"\bSteps: \d+.{0,200}?\b(?:Sampler|CFG scale|Seed|Model)\b", re.DOTALL)
_MIDJOURNEY = re.compile(r"--(?:v|ar|stylize|niji) [\d:.]+|\bJob ID: [0-9a-f-]{36}")

_KEYWORDS = {
    "sd-metadata": "InvokeAI",
    "invokeai_metadata": "InvokeAI",
    "invokeai_graph": "InvokeAI",
    "Dream": "InvokeAI",
    "fooocus_scheme": "Fooocus",
    "generation_data": "Civitai or TensorArt",
}
"""Keywords of PNG text that only one program writes."""

_JSON = {"prompt", "workflow"}
"""Keywords under which ComfyUI writes its graph."""


def has_settings(text: str) -> bool:
    """Whether a text is what a diffusion program notes of a picture: steps, sampler, seed."""
    return bool(_SETTINGS.search(text[:20_000]) or _MIDJOURNEY.search(text[:20_000]))


def read_texts(texts: Mapping[str, str]) -> list[Evidence]:
    """Evidence of a PNG's text chunks, keyword -> text."""
    found = []
    for keyword, text in texts.items():
        source = f"PNG text {keyword[:40]!r}"
        if keyword in _JSON:
            found.append(_read_graph(source, text))
        elif keyword in _KEYWORDS:
            found.append(plain("text", source, "made_by_ai", f"{_KEYWORDS[keyword]}: {text}"))
        elif has_settings(text):
            found.append(plain("text", source, "made_by_ai", text))
        elif keyword in ("Software", "Source", "Author", "Title", "Comment", "Description", "parameters"):
            statement = program_says(text)
            if statement != "claims" or keyword == "Software":
                found.append(plain("text", source, statement, text))
    return found


def read_comment(text: str) -> list[Evidence]:
    """Evidence of a JPEG's or GIF's comment; an ordinary one gives none."""
    if has_settings(text) or program_says(text) == "made_by_ai":
        return [plain("text", "comment", "made_by_ai", text)]
    return []


def _read_graph(source: str, text: str) -> Evidence:
    try:
        graph = json.loads(text)
    except (ValueError, RecursionError):
        return unreadable("text", source, "The text should be JSON, as ComfyUI writes it, and is not.")
    nodes = graph.values() if isinstance(graph, dict) else ()
    is_graph = any(isinstance(node, dict) and "class_type" in node for node in nodes)
    if is_graph or (isinstance(graph, dict) and "nodes" in graph):
        return plain("text", source, "made_by_ai", f"ComfyUI: {text}")
    return plain("text", source, "claims", text)
