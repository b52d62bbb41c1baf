"""Every error that this project raises on purpose, as one tree.

DeepfakeError                 the root: a message for a person, a stable code, a hint that says what would be right
    InvalidInput              what the caller sent cannot be used
        ImageError            a file is not an image that we read
            NotAnImage            its bytes are no allowed image format
            BrokenImage           an allowed format, but truncated or corrupt
            TooManyPixels         more pixels than the limit; refused before decoding
            TooSmall              fewer pixels a side than the minimum
        ArchiveError          a zip cannot be read safely
            BrokenArchive         not a zip, truncated, encrypted or corrupt
            ArchiveTooLarge       unpacks to more than the limit (zip bomb)
            UnsafeName            a member's name leaves the archive (zip slip)
        DatasetError          the images cannot be used as a data set
            NoImages              nothing in it could be read
            OneClass              only REAL or only FAKE images
            TooFewImages          fewer images a class than the minimum
            LabelMismatch         labels do not fit the files
            UnknownSource         no data source of that name
        ConfigError           a configuration value is wrong
            UnknownExtractor      no extractor of that name
            UnknownBackbone       no pretrained network of that name
            UnknownHead           no head of that name
        Unreadable            a file of the request is too large or of the wrong shape
        NotComparable         two models were not evaluated on the same images
    NotFound                  no data set, model or job of that id
    Conflict                  the state forbids it now (active model, name taken, finished job, data set in use)
    Unavailable               cannot be done at the moment
        BackboneUnavailable       weights could not be fetched
        QueueFull                 too many jobs wait
        StorageFull               the disk is full
        StorageReadOnly           the disk or folder may not be written to
        NoActiveModel             no model is chosen for prediction
        Unreachable               the database, the object store or the scheduler does not answer
    Cancelled                 a job was told to stop
    WorkerLost                a worker process died again and again on the same piece of work
    IntegrityError            a stored artefact does not match its digest
"""

from __future__ import annotations

from typing import ClassVar


class DeepfakeError(Exception):
    """The root. `code` is stable and machine-readable; `hint` says what would be right."""

    code: ClassVar[str] = "internal"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type[DeepfakeError], tuple[str, str]]:
        return type(self), (self.message, self.hint)


class InvalidInput(DeepfakeError):
    code = "invalid_input"


class ImageError(InvalidInput):
    code = "image"


class NotAnImage(ImageError):
    code = "image.not_an_image"


class BrokenImage(ImageError):
    code = "image.broken"


class TooManyPixels(ImageError):
    code = "image.too_many_pixels"


class TooSmall(ImageError):
    code = "image.too_small"


class ArchiveError(InvalidInput):
    code = "archive"


class BrokenArchive(ArchiveError):
    code = "archive.broken"


class ArchiveTooLarge(ArchiveError):
    code = "archive.too_large"


class UnsafeName(ArchiveError):
    code = "archive.unsafe_name"


class DatasetError(InvalidInput):
    code = "dataset"


class NoImages(DatasetError):
    code = "dataset.no_images"


class OneClass(DatasetError):
    code = "dataset.one_class"


class TooFewImages(DatasetError):
    code = "dataset.too_few_images"


class LabelMismatch(DatasetError):
    code = "dataset.label_mismatch"


class UnknownSource(DatasetError):
    code = "dataset.unknown_source"


class ConfigError(InvalidInput):
    code = "config"


class UnknownExtractor(ConfigError):
    code = "config.unknown_extractor"


class UnknownBackbone(ConfigError):
    code = "config.unknown_backbone"


class UnknownHead(ConfigError):
    code = "config.unknown_head"


class Unreadable(InvalidInput):
    code = "upload.unreadable"


class NotComparable(InvalidInput):
    code = "models.not_comparable"


class NotFound(DeepfakeError):
    code = "not_found"


class Conflict(DeepfakeError):
    code = "conflict"


class Unavailable(DeepfakeError):
    code = "unavailable"


class BackboneUnavailable(Unavailable):
    code = "unavailable.backbone"


class QueueFull(Unavailable):
    code = "unavailable.queue_full"


class StorageFull(Unavailable):
    code = "unavailable.storage_full"


class StorageReadOnly(Unavailable):
    code = "unavailable.storage_read_only"


class StorageQuota(Unavailable):
    code = "storage.quota"


class NoActiveModel(Unavailable):
    code = "unavailable.no_active_model"


class Unreachable(Unavailable):
    code = "unavailable.unreachable"


class Cancelled(DeepfakeError):
    code = "job.cancelled"


class WorkerLost(DeepfakeError):
    code = "job.worker_lost"


class IntegrityError(DeepfakeError):
    code = "integrity"
