"""What the XMP packet says, with IPTC's Digital Source Type; and the older IPTC block."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backend.core.provenance.evidence import Evidence, clean, plain, unreadable
from backend.core.provenance.tools import program_says, source_type_says

_PROGRAM, _CREDIT = (2, 65), (2, 110)
"""Record and data set of IPTC-IIM 4.2: originating program; credit."""


def read_xmp(packet: str) -> list[Evidence]:
    """Evidence of an XMP packet. It is searched, not parsed: a hostile document has no way to be expanded."""
    if not packet.strip("\0 \r\n\t"):
        return []
    if "xmpmeta" not in packet and "rdf:RDF" not in packet:
        return [unreadable("xmp", "XMP", "The XMP packet holds no RDF.")]
    return list(_evidence(packet))


def read_iptc(block: bytes) -> list[Evidence]:
    """Evidence of an IPTC-IIM block: which program wrote it, and whom it credits."""
    found: list[Evidence] = []
    place = 0
    while place + 5 <= len(block) and block[place] == 0x1C:
        key = (block[place + 1], block[place + 2])
        length = int.from_bytes(block[place + 3 : place + 5], "big")
        if length & 0x8000 or place + 5 + length > len(block):
            return [*found, unreadable("iptc", "IPTC", "The IPTC block ends in the middle of a value.")]
        value = clean(block[place + 5 : place + 5 + length])
        statement = program_says(value)
        if value and (key == _PROGRAM or (key == _CREDIT and statement == "made_by_ai")):
            found.append(plain("iptc", "IPTC program" if key == _PROGRAM else "IPTC credit", statement, value))
        place += 5 + length
    if block.strip(b"\0") and place == 0:
        return [unreadable("iptc", "IPTC", "The IPTC block does not begin as one.")]
    return found


def _evidence(packet: str) -> Iterator[Evidence]:
    for code in _values(packet, "DigitalSourceType"):
        yield plain("iptc", "IPTC DigitalSourceType", source_type_says(code), code)
    for name in ("AISystemUsed", "AIPromptInformation"):  # IPTC Photo Metadata 2025.1
        for value in _values(packet, name):
            yield plain("iptc", f"IPTC {name}", "made_by_ai", value)
    for value in _values(packet, "Credit"):
        if program_says(value) == "made_by_ai":
            yield plain("xmp", "XMP Credit", "made_by_ai", value)
    for value in _values(packet, "CreatorTool"):
        yield plain("xmp", "XMP CreatorTool", program_says(value), value)
    for value in _values(packet, "softwareAgent"):
        if program_says(value) != "claims":
            yield plain("xmp", "XMP history", program_says(value), value)
    for value in _values(packet, "provenance"):
        if value.startswith(("http://", "https://")):
            yield plain("c2pa", "XMP provenance", "claims", f"A C2PA manifest is kept elsewhere; not fetched: {value}")


def _values(packet: str, name: str) -> list[str]:
    """Distinct values of a property: an attribute, an element, or one that refers to a resource; at most five."""
    found = []
    as_attribute = rf":{name}(?:\s{{1,9}}rdf:resource)?\s{{0,9}}=\s{{0,9}}[\"']([^\"'<>]{{1,500}})[\"']"
    as_element = rf":{name}(?:\s[^<>]{{0,200}})?>([^<>]{{1,500}})<"
    for match in re.finditer(f"{as_attribute}|{as_element}", packet):
        value = clean(match[1] or match[2] or "")
        if value and value not in found:
            found.append(value)
        if len(found) == 5:
            break
    return found
