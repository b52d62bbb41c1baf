"""What the names of programs say of a picture: generators of images, and editors."""

from __future__ import annotations

import re

from backend.core.provenance.evidence import Statement

GENERATORS = re.compile(
    r"stable.?diffusion|sdxl|midjourney|dall.?e\b|dall·e|openai|chatgpt|gpt-?image|comfyui|automatic1111|invokeai|"
    r"novelai|fooocus|firefly|made with google ai|\bimagen\b|gemini|ideogram|leonardo\.?ai|bing image creator|"
    r"image creator|designer by microsoft|\bflux\b|black forest labs|recraft|runway|playground ?ai|dreamstudio|"
    r"stability ?ai|seedream|hunyuan|qwen-?image|z-image|grok|draw ?things|easy ?diffusion|sd\.?next|forge ui",
    re.IGNORECASE,
)
"""Names of programs that make pictures from words, as their own metadata write them."""

EDITORS = re.compile(
    r"photoshop|lightroom|camera raw|\bgimp\b|snapseed|affinity|pixelmator|paint\.?net|canva|picsart|darktable|"
    r"rawtherapee|capture one|luminar|photoroom|facetune|faceapp|remini|photopea|krita|corel|acdsee|"
    r"photoscape|polarr|vsco|meitu|dxo",
    re.IGNORECASE,
)
"""Names of programs that change pictures."""

SOURCE_TYPES: dict[str, Statement] = {
    "trainedalgorithmicmedia": "made_by_ai",
    "trainedalgorithmicdata": "made_by_ai",
    "compositewithtrainedalgorithmicmedia": "edited_with_ai",
    "compositesynthetic": "edited_with_ai",
    "algorithmicallyenhanced": "edited",
    "algorithmicmedia": "made_by_software",
    "datadrivenmedia": "made_by_software",
    "digitalart": "made_by_software",
    "digitalcreation": "made_by_software",
    "virtualrecording": "made_by_software",
    "digitalcapture": "captured",
    "computationalcapture": "captured",
    "compositecapture": "captured",
    "negativefilm": "captured",
    "positivefilm": "captured",
    "print": "captured",
    "humanedits": "edited",
    "minorhumanedits": "edited",
    "composite": "edited",
}
"""Last part of a code of IPTC's vocabulary "Digital Source Type", in lower case -> what it says.
http://cv.iptc.org/newscodes/digitalsourcetype/"""


def program_says(name: str) -> Statement:
    """What the name of the program that wrote a file says of the picture."""
    if GENERATORS.search(name):
        return "made_by_ai"
    return "edited" if EDITORS.search(name) else "claims"


def source_type_says(code: str) -> Statement:
    """What a Digital Source Type says, whether it comes as an address or as a bare code."""
    return SOURCE_TYPES.get(re.split(r"[/#:]", code.strip().rstrip("/"))[-1].lower(), "claims")
