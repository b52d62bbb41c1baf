"""Options: everything that a client may choose from, so that no client keeps a list of its own."""

from __future__ import annotations

from fastapi import APIRouter

from backend.api.deps import SettingsDep
from backend.api.schemas.common import responses
from backend.api.schemas.datasets import KNOWN_SOURCES
from backend.api.schemas.fit import FitConfigIn
from backend.api.schemas.options import ExtractorOut, HeadOut, Limits, Named, OptionOut, OptionsOut
from backend.api.uploads import LABELS
from backend.core.detector import MIN_IMAGES_PER_CLASS
from backend.core.extractors import EXTRACTORS, OFFLINE_BACKBONES
from backend.core.extractors.stages import PRESETS
from backend.core.heads import HEADS
from backend.core.images import FORMATS, MIN_SIDE
from backend.service.sources import SOURCES
from backend.settings import Settings

router = APIRouter(tags=["operation"])


@router.get("/options", summary="What exists?", responses=responses())
def options(settings: SettingsDep) -> OptionsOut:
    """Extractors, backbones, heads, sources, formats, limits and defaults, each with a sentence of help."""
    return OptionsOut(
        extractors=[
            ExtractorOut(
                name=name,
                help=row.summary,
                options=[OptionOut.model_validate({"name": key, **option}) for key, option in row.options.items()],
            )
            for name, row in EXTRACTORS.items()
        ],
        backbones=[Named(name=name, help="Its weights come with an installed package.") for name in OFFLINE_BACKBONES],
        stages=[Named(name=name, help=text) for name, text in PRESETS.items()],
        heads=[
            HeadOut(name=name, help=row.summary, activation=row.activation, loss=row.loss, options=list(row.options))
            for name, row in HEADS.items()
        ],
        sources=[Named(name=name, help=SOURCES[name].summary) for name in KNOWN_SOURCES],
        labels=list(LABELS),
        formats=list(FORMATS),
        limits=_limits(settings),
        defaults=FitConfigIn().model_dump(),
    )


def _limits(settings: Settings) -> Limits:
    return Limits(
        max_upload_bytes=int(settings.max_upload_bytes),
        max_unpacked_bytes=int(settings.max_unpacked_bytes),
        max_archive_members=settings.max_archive_members,
        max_files=settings.max_files,
        max_pixels=settings.max_pixels,
        min_side=MIN_SIDE,
        min_images_per_class=MIN_IMAGES_PER_CLASS,
    )
