"""Images from a zip: streamed member by member, never written to the disk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from backend.core.errors import ArchiveTooLarge, BrokenArchive, NoImages, Unreadable
from backend.service.sources.base import BYTES_PER_CHUNK, ChunkPlan, ImportLimits, RawImage, Skip
from backend.service.sources.metadata import groups_of
from backend.service.sources.names import METADATA, NoPlace, is_junk, is_metadata, place, safe_path
from backend.service.sources.zip_directory import (
    Listing,
    Member,
    find_listing,
    is_too_large,
    list_members,
    read_member,
)
from backend.service.storage import opened
from backend.settings import StorePath


class ZipSource:
    """A zip with REAL/ and FAKE/ folders; `generator` is that of FAKE images in no folder of their own.

    Files outside these folders are left out, or are of the class `unsorted`.
    """

    def __init__(self, path: StorePath, limits: ImportLimits, generator: str = "", unsorted: str = "") -> None:
        self._path = path
        self._limits = limits
        self._generator = generator
        self._unsorted = unsorted

    def chunks(self) -> list[ChunkPlan]:
        """The listing in pieces. Reads no member.

        Raises BrokenArchive, ArchiveTooLarge, UnsafeName, or NoImages when no file lies in REAL/ or FAKE/.
        """
        plans: list[ChunkPlan] = []
        with opened(self._path) as file:
            listing = find_listing(file)
            if listing.members > self._limits.max_members:
                raise ArchiveTooLarge(
                    f"The archive lists {listing.members} files; at most {self._limits.max_members} are read.",
                    "Split it into several data sets.",
                )
            start, records, images, packed, unpacked, found = listing.offset, 0, 0, 0, 0, 0
            for member in list_members(file, listing, listing.offset, listing.members):
                placed = self._check(member)
                unpacked += member.size
                if unpacked > self._limits.max_unpacked_bytes:
                    raise ArchiveTooLarge(
                        f"The archive unpacks to more than {self._limits.max_unpacked_bytes} bytes.",
                        "Split it into several data sets.",
                    )
                full = images >= self._limits.images_per_chunk or packed + member.packed > BYTES_PER_CHUNK
                if records and placed and full:
                    plans.append(ChunkPlan(len(plans), images, (start, records)))
                    start, records, images, packed = member.record, 0, 0, 0
                records, images, packed = records + 1, images + placed, packed + member.packed
                found += placed
            if records:
                plans.append(ChunkPlan(len(plans), images, (start, records)))
        if not found:
            raise NoImages(
                "The archive holds no file in a REAL/ or FAKE/ folder.",
                "Pack folders named REAL and FAKE, if you like below train/ and test/.",
            )
        return plans

    def read(self, plan: ChunkPlan) -> Iterator[RawImage | Skip]:
        """The files of one piece of the listing. Raises ArchiveTooLarge when one is larger than it claims."""
        start, count = (int(value) for value in plan.where)
        with opened(self._path) as listing_file, opened(self._path) as file:
            listing = find_listing(listing_file)
            for member in list_members(listing_file, listing, start, count):
                path = safe_path(member.name)
                if member.folder or not path or is_junk(path) or is_metadata(path):
                    continue
                placed = place(path, self._unsorted)
                if isinstance(placed, NoPlace):
                    yield Skip(path, placed.code, placed.message)
                    continue
                if is_too_large(member, self._limits.max_image_bytes):
                    yield Skip(path, Unreadable.code, f"The file has more than {self._limits.max_image_bytes} bytes.")
                    continue
                try:
                    data = read_member(file, member, self._limits.max_image_bytes)
                except BrokenArchive as error:
                    yield Skip(path, error.code, error.message)
                    continue
                generator = placed.generator or (self._generator if placed.label == "FAKE" else "")
                yield RawImage(path, data, placed.label, placed.split, generator)

    def groups(self) -> dict[str, str]:
        """Groups by path from the archive's metadata.csv files."""
        groups: dict[str, str] = {}
        with opened(self._path) as listing_file, opened(self._path) as file:
            for member, path in self._metadata(listing_file, find_listing(listing_file)):
                groups |= groups_of(read_member(file, member, self._limits.max_image_bytes), path)
        return groups

    def _metadata(self, file: BinaryIO, listing: Listing) -> Iterator[tuple[Member, str]]:
        for member in list_members(file, listing, listing.offset, listing.members):
            if member.name.lower().endswith(METADATA):
                path = safe_path(member.name)
                if is_metadata(path) and not is_junk(path):
                    yield member, path

    def _check(self, member: Member) -> bool:
        """Whether the member is to be read as an image. Raises for one that spoils the whole archive."""
        if member.encrypted:
            raise BrokenArchive("The archive is encrypted.", "Send it without a password.")
        path = safe_path(member.name)
        return not (member.folder or not path or is_junk(path) or isinstance(place(path, self._unsorted), NoPlace))
