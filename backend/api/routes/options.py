"""Options: everything that a client may choose from, so that no client keeps a list of its own."""

from __future__ import annotations

from fastapi import APIRouter

from backend.api.deps import ServiceDep, SettingsDep
from backend.api.schemas.common import responses
from backend.api.schemas.datasets import KNOWN_SOURCES
from backend.api.schemas.fit import FinetuneIn, FitConfigIn
from backend.api.schemas.options import ExtractorOut, FinetuneOut, HeadOut, Limits, Named, OptionOut, OptionsOut
from backend.api.uploads import LABELS
from backend.core.detector import MIN_IMAGES_PER_CLASS
from backend.core.extractors import EXTRACTORS, OFFLINE_BACKBONES
from backend.core.extractors.stages import PRESETS
from backend.core.finetune.config import AUGMENTATIONS, BATCH_NORMS, DEVICES, MIXED_PRECISIONS, PARTS, RANGES
from backend.core.fingerprints.denoisers import DEFAULT_DENOISER, DENOISERS
from backend.core.heads import HEADS
from backend.core.images import FORMATS, MIN_SIDE
from backend.service.app import Service
from backend.service.irreplaceable import known_fingerprints, known_networks
from backend.service.predictor import MOST_EXAMINED
from backend.service.sources import SOURCES
from backend.settings import Settings

router = APIRouter(tags=["operation"])


@router.get("/options", summary="What exists?", responses=responses())
def options(settings: SettingsDep, service: ServiceDep) -> OptionsOut:
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
        finetune=_finetune(),
        networks=[Named(name=digest, help=name) for digest, name in known_networks(service.database).items()],
        fingerprints=_fingerprints(service),
        backbones=[Named(name=name, help="Its weights come with an installed package.") for name in OFFLINE_BACKBONES],
        stages=[Named(name=name, help=text) for name, text in PRESETS.items()],
        heads=[
            HeadOut(name=name, help=row.summary, activation=row.activation, loss=row.loss, options=list(row.options))
            for name, row in HEADS.items()
        ],
        denoisers=[
            Named(name=name, help=DENOISERS[name].summary)
            for name in sorted(DENOISERS, key=lambda name: name != DEFAULT_DENOISER)
        ],
        sources=[Named(name=name, help=SOURCES[name].summary) for name in KNOWN_SOURCES],
        labels=list(LABELS),
        formats=list(FORMATS),
        limits=_limits(settings),
        defaults=FitConfigIn().model_dump(),
    )


def _fingerprints(service: Service) -> list[Named]:
    enrolled = {str(one["id"]): f"{one['generator']} ({one['denoiser']})" for one in service.fingerprints.all()}
    return [Named(name=name, help=of) for name, of in {**enrolled, **known_fingerprints(service.database)}.items()]


def _finetune() -> list[FinetuneOut]:
    choices: dict[str, tuple[str, ...]] = {
        "train": PARTS,
        "augment": AUGMENTATIONS,
        "batch_norm": BATCH_NORMS,
        "mixed_precision": MIXED_PRECISIONS,
        "device": DEVICES,
    }
    return [
        FinetuneOut(
            name=name,
            default=field.default,
            help=field.description or "",
            choices=list(choices.get(name, ())),
            minimum=RANGES[name][0] if name in RANGES else None,
            maximum=RANGES[name][1] if name in RANGES else None,
        )
        for name, field in FinetuneIn.model_fields.items()
    ]


def _limits(settings: Settings) -> Limits:
    return Limits(
        max_upload_bytes=int(settings.max_upload_bytes),
        max_unpacked_bytes=int(settings.max_unpacked_bytes),
        max_archive_members=settings.max_archive_members,
        max_files=settings.max_files,
        max_examined_files=MOST_EXAMINED,
        max_pixels=settings.max_pixels,
        min_side=MIN_SIDE,
        min_images_per_class=MIN_IMAGES_PER_CLASS,
    )
