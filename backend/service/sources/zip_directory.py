"""Zip files read straight from the format (PKWARE APPNOTE 6.3): a listing in parts, and members with a bound.

The standard library's reader keeps an object for each member and reads the whole listing before the first byte, in
every process. A worker here reads its own part of the listing, so two million members cost no more memory than one.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from backend.core.errors import ArchiveTooLarge, BrokenArchive

_END = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_RECORD = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_STORED, _DEFLATED = 0, 8
_PIECE = 1 << 20
_FULL_32 = 0xFFFFFFFF


@dataclass(frozen=True)
class Listing:
    """Where the archive's central directory lies, in bytes from the start of the file."""

    offset: int
    size: int
    members: int
    shift: int  # bytes that stand before the archive, e.g. of a self-extracting program


@dataclass(frozen=True)
class Member:
    """One record of the listing, as it claims to be."""

    name: str
    record: int  # where this record starts
    header: int  # where the member itself starts
    packed: int  # bytes in the file
    size: int  # bytes unpacked
    crc: int
    method: int
    encrypted: bool
    folder: bool


def find_listing(file: BinaryIO) -> Listing:
    """Where the listing lies. Raises BrokenArchive for what is not a whole zip."""
    length = file.seek(0, 2)
    tail_start = max(0, length - _END.size - 65535)
    file.seek(tail_start)
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    while at >= 0:
        if len(tail) - at >= _END.size:
            end = _END.unpack_from(tail, at)
            if at + _END.size + end[7] <= len(tail):
                break
        at = tail.rfind(b"PK\x05\x06", 0, at)
    if at < 0:
        raise _broken("it has no end record; it is no zip, or it is cut short")
    if end[1] not in (0, 0xFFFF) or end[2] not in (0, 0xFFFF):
        raise _broken("it is one volume of several")
    members, size, offset, position = end[4], end[5], end[6], tail_start + at
    if 0xFFFF in (end[3], members) or _FULL_32 in (size, offset):
        members, size, offset, position = _find_listing64(file, position) or (members, size, offset, position)
    shift = position - size - offset
    if shift < 0:
        raise _broken("its listing is missing; it is cut short")
    return Listing(offset + shift, size, members, shift)


def _find_listing64(file: BinaryIO, position: int) -> tuple[int, int, int, int] | None:
    if position < _END64_LOCATOR.size:
        return None
    file.seek(position - _END64_LOCATOR.size)
    signature, _, offset, _ = _END64_LOCATOR.unpack(file.read(_END64_LOCATOR.size))
    if signature != b"PK\x06\x07":
        return None
    # bytes before the archive shift this record too: it stands right before its locator unless it has an extension
    for start in (position - _END64_LOCATOR.size - _END64.size, offset):
        file.seek(min(max(0, start), position))
        raw = file.read(_END64.size)
        if len(raw) == _END64.size and raw[:4] == b"PK\x06\x06":
            record = _END64.unpack(raw)
            return record[7], record[8], record[9], start
    raise _broken("its 64-bit end record is missing")


def list_members(file: BinaryIO, listing: Listing, start: int, count: int) -> Iterator[Member]:
    """`count` records of the listing, from the one at byte `start` on. Raises BrokenArchive."""
    end = listing.offset + listing.size
    file.seek(start)
    for _ in range(count):
        raw = file.read(_RECORD.size)
        if start + _RECORD.size > end or len(raw) < _RECORD.size or raw[:4] != b"PK\x01\x02":
            raise _broken("its listing is damaged")
        fields = _RECORD.unpack(raw)
        flags, method, crc, packed, size = fields[3], fields[4], fields[7], fields[8], fields[9]
        name_length, extra_length, comment_length, header = fields[10], fields[11], fields[12], fields[16]
        name = file.read(name_length)
        extra = file.read(extra_length)
        file.seek(comment_length, 1)
        if _FULL_32 in (packed, size, header):
            size, packed, header = _widen(extra, size, packed, header)
        text = name.decode("utf-8" if flags & 0x800 else "cp437", errors="replace")
        folder = text.endswith(("/", "\\"))
        place = min(header + listing.shift, end)  # a claim of up to 64 bits, and no member stands behind the listing
        yield Member(text, start, place, packed, size, crc, method, bool(flags & 0x41), folder)
        start += _RECORD.size + name_length + extra_length + comment_length


def _widen(extra: bytes, size: int, packed: int, header: int) -> tuple[int, int, int]:
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            wide = extra[at + 4 : at + 4 + length]
            values = [number for (number,) in struct.iter_unpack("<Q", wide[: len(wide) // 8 * 8])]
            try:
                size = values.pop(0) if size == _FULL_32 else size
                packed = values.pop(0) if packed == _FULL_32 else packed
                header = values.pop(0) if header == _FULL_32 else header
            except IndexError:
                raise _broken("a 64-bit size is missing") from None
            return size, packed, header
        at += 4 + length
    return size, packed, header


def is_too_large(member: Member, max_bytes: int) -> bool:
    """Whether the member claims more than `max_bytes`, packed or not; packing may add a little."""
    return member.size > max_bytes or member.packed > max_bytes + _PIECE


def read_member(file: BinaryIO, member: Member, max_bytes: int) -> bytes:
    """The member's unpacked bytes, at most `max_bytes` of them ever in memory beside its packed ones.

    Raises BrokenArchive when it is damaged, ArchiveTooLarge when it holds more than `max_bytes` or than it claims.
    """
    if is_too_large(member, max_bytes):
        raise ArchiveTooLarge(f"{member.name[:120]!r} unpacks to more than {max_bytes} bytes.", "Leave it out.")
    file.seek(member.header)
    raw = file.read(_LOCAL.size)
    if len(raw) < _LOCAL.size or raw[:4] != b"PK\x03\x04":
        raise _broken("a member is not where the listing says")
    name_length, extra_length = _LOCAL.unpack(raw)[9:11]
    file.seek(name_length + extra_length, 1)
    packed = file.read(member.packed)
    if len(packed) < member.packed:
        raise _broken("a member is cut short")
    data = _unpack(packed, member)
    if len(data) != member.size or zlib.crc32(data) != member.crc:
        raise _broken("a member does not match its checksum")
    return data


def _unpack(packed: bytes, member: Member) -> bytes:
    if member.method == _STORED:
        return packed
    if member.method != _DEFLATED:
        raise _broken(f"a member is packed by method {member.method}; only 0 (stored) and 8 (deflate) are read")
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = unpacker.decompress(packed, member.size + 1)
    except zlib.error:
        raise _broken("a member is damaged") from None
    if len(data) > member.size:
        raise ArchiveTooLarge(
            f"{member.name[:120]!r} unpacks to more than the {member.size} bytes that the archive's listing names.",
            "Make the archive again with an ordinary program.",
        )
    return data


def _broken(reason: str) -> BrokenArchive:
    return BrokenArchive(f"The archive cannot be read: {reason}.", "Send a whole, unencrypted zip file.")
