"""Fingerprints that a fit asks for by name, kept as files of their own: later enrolments cannot change its model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from backend.core.config import FitConfig
from backend.core.errors import ConfigError
from backend.core.extractors import FINGERPRINT, check_spec, concatenation, parts_of
from backend.core.extractors.fingerprint import file_name
from backend.core.extractors.stored import digest_of_file, is_digest
from backend.core.fingerprints.frozen import FrozenFingerprint
from backend.service.fingerprints import Record, Records
from backend.service.storage import exists, write_bytes

if TYPE_CHECKING:
    from backend.service.app import Service


def freeze_fingerprints(service: Service, config: FitConfig) -> FitConfig:
    """`config` with digests for the fingerprints that it names; their files are in the folder of backbones now.

    A fingerprint is named by its generator, its id, its digest, or the digest of its file that a model's card shows.
    Raises ConfigError for one that is not here, for a name with several, and for two names of one; IntegrityError for a
    damaged one.
    """
    if not any(part["name"] == FINGERPRINT for part in parts_of(config.extractor)):
        return config
    parts = [_freeze_part(service, part) for part in parts_of(config.extractor)]
    spec = parts[0] if len(parts) == 1 else concatenation(parts)
    return replace(config, extractor=check_spec(spec))


def _freeze_part(service: Service, part: Mapping[str, Any]) -> dict[str, Any]:
    if part["name"] != FINGERPRINT:
        return dict(part)
    records = service.fingerprints.all()
    return {**part, "fingerprints": [_freeze(service, name, records) for name in part["fingerprints"]]}


def _freeze(service: Service, name: str, records: Records) -> str:
    """The digest of the file that keeps the fingerprint of that name."""
    backbones = service.registry.backbones
    if is_digest(name) and exists(backbones / file_name(name)):
        return name
    data = FrozenFingerprint.of(service.fingerprints.read(_find(name, records))).to_bytes()
    digest = digest_of_file(data)
    if not exists(backbones / file_name(digest)):
        write_bytes(backbones / file_name(digest), data)
    return digest


def _find(name: str, records: Records) -> Record:
    found = [one for one in records if name in (one["id"], one["generator"], one["digest"])]
    if not found:
        known = ", ".join(sorted({str(one["generator"]) for one in records})) or "none yet"
        raise ConfigError(
            f"There is no fingerprint of {name!r}.",
            "Give the generator, id or digest of one that GET /fingerprints lists, or a digest that a model's card "
            f"shows under fingerprints. Enrolled: {known}.",
        )
    if len(found) > 1:
        ids = ", ".join(f"{one['id']} ({one['denoiser']})" for one in found)
        raise ConfigError(f"There are several fingerprints of {name!r}.", f"Name one by its id: {ids}.")
    return found[0]
