"""`deepfake fit` and `deepfake options`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.cli.console import JsonFlag, failing, note, opened, print_json, print_table, run_job
from backend.cli.models import show_card
from backend.core.errors import ConfigError, UnknownHead

if TYPE_CHECKING:
    from backend.core.config import FitConfig


def fit(
    *,
    dataset: Annotated[str, typer.Option(help="Id or name of the data set.")],
    head: Annotated[str | None, typer.Option(help="Classifier, such as logreg, svm or svm_rbf.")] = None,
    C: Annotated[
        float | None, typer.Option("--C", help="Inverse strength of the regularisation; chosen by cross-validation.")
    ] = None,
    class_weight: Annotated[str | None, typer.Option(help="balanced: both classes count the same.")] = None,
    epochs: Annotated[int | None, typer.Option(help="sgd heads, mlp: passes over the training images.")] = None,
    components: Annotated[int | None, typer.Option(help="svm_rbf: size of the kernel approximation.")] = None,
    gamma: Annotated[float | None, typer.Option(help="svm_rbf: width of the kernel.")] = None,
    hidden: Annotated[str | None, typer.Option(help="mlp: widths of its hidden layers, such as 512,128.")] = None,
    dropout: Annotated[float | None, typer.Option(help="mlp: share of units left out while it is trained.")] = None,
    mixup: Annotated[float | None, typer.Option(help="mlp: how much images are mixed; 0: not at all.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="mlp: the optimiser's largest step.")] = None,
    weight_decay: Annotated[float | None, typer.Option(help="mlp: the optimiser's penalty on weights.")] = None,
    ensemble: Annotated[int | None, typer.Option(help="mlp: networks that are averaged.")] = None,
    extractor: Annotated[str | None, typer.Option(help="Name, or a JSON object with name and options.")] = None,
    backbone: Annotated[str | None, typer.Option(help="cnn: name of the pretrained network.")] = None,
    stages: Annotated[str | None, typer.Option(help="cnn: all, last, or names separated by commas.")] = None,
    input_size: Annotated[int | None, typer.Option(help="cnn: pixels a side that images are resized to.")] = None,
    pooling: Annotated[str | None, typer.Option(help="cnn: statistics of each stage's map, such as mean,std.")] = None,
    flips: Annotated[bool | None, typer.Option(help="cnn: average the image and its mirror image.")] = None,
    finetune: Annotated[
        bool | None, typer.Option("--finetune/--no-finetune", help="cnn: train the network further first.")
    ] = None,
    finetune_epochs: Annotated[int | None, typer.Option(help="Passes over the training images.")] = None,
    finetune_learning_rate: Annotated[float | None, typer.Option(help="Of the network, at its peak.")] = None,
    finetune_train: Annotated[
        str | None, typer.Option(help="all, early, late, or stages separated by commas; the rest stays.")
    ] = None,
    finetune_augment: Annotated[
        str | None, typer.Option(help="flip, shift, rotate, erase, mixup, separated by commas; or none.")
    ] = None,
    finetune_patience: Annotated[int | None, typer.Option(help="Epochs without progress before it stops.")] = None,
    finetune_options: Annotated[str | None, typer.Option(help="Any of its settings as a JSON object.")] = None,
    validation_fraction: Annotated[float | None, typer.Option(help="Where the data set names none.")] = None,
    test_fraction: Annotated[float | None, typer.Option(help="Where the data set names no test images.")] = None,
    target_fpr: Annotated[
        float | None, typer.Option(help="Most REAL called FAKE that the threshold allows, 0.0001 to 0.5.")
    ] = None,
    doubt: Annotated[
        float | None,
        typer.Option(help="Share of REAL whose `real` may become `unsure` for leaning towards fakes, such as 0.18."),
    ] = None,
    test: Annotated[bool, typer.Option(help="--no-test leaves the test images unread while you choose.")] = True,
    limits: Annotated[bool, typer.Option(help="--no-limits: do not measure where it stops working.")] = True,
    seed: Annotated[int | None, typer.Option(help="Equal seeds give equal models.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the model.")] = None,
    notes: Annotated[str | None, typer.Option(help="Anything worth remembering.")] = None,
    config: Annotated[Path | None, typer.Option(help="JSON file like a card's `config`; options go first.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Fit a detector on a data set. `deepfake options` lists the choices; what is left out takes its default."""
    with failing(as_json):
        from backend.service.freezing import freeze_fingerprints
        from backend.service.profiling import read_findings

        values = read_config(config) if config is not None else {}
        head_values = values.setdefault("head", {})
        merge(head_values, name=head, C=C, class_weight=class_weight, epochs=epochs, seed=seed)
        merge(head_values, components=components, gamma=gamma, hidden=as_widths(hidden), dropout=dropout)
        merge(head_values, mixup=mixup, learning_rate=learning_rate, weight_decay=weight_decay, ensemble=ensemble)
        cnn = {
            "backbone": backbone,
            "stages": as_list(stages),
            "input_size": input_size,
            "flips": flips,
            "pooling": pooling and [part.strip() for part in pooling.split(",")],
        }
        merge(values, extractor=extractor_spec(extractor, values.get("extractor"), cnn))
        tuning = {
            "epochs": finetune_epochs,
            "learning_rate": finetune_learning_rate,
            "train": as_list(finetune_train),
            "augment": as_names(finetune_augment),
            "patience": finetune_patience,
        }
        values["finetune"] = finetune_settings(finetune, values.get("finetune"), finetune_options, tuning)
        merge(values, validation_fraction=validation_fraction, test_fraction=test_fraction, target_fpr=target_fpr)
        merge(values, doubt=doubt)
        merge(values, evaluate_test=None if test else False, measure_limits=None if limits else False)
        merge(values, seed=seed, name=name, notes=notes)
        chosen = checked(values)
        with opened() as service:
            info = service.datasets.get(dataset)
            warn_of(read_findings(service.datasets.root, info), info.name)
            chosen = freeze_fingerprints(service, chosen)
        fit_and_show({"dataset_id": info.id, "config": chosen.to_json()}, "fit", show_card, as_json=as_json)


def warn_of(findings: Sequence[Mapping[str, str]] | None, dataset: str) -> None:
    """Says on standard error what a fit may learn in place of a generator's traces, as far as an audit has told.

    findings: as `read_findings` gives them, None where the data set of this name was not audited.
    """
    if findings is None:
        about = "what else than a generator's traces tells its classes apart"
        typer.echo(f"Not audited; this says {about}: deepfake datasets audit {dataset!r}", err=True)
    for found in findings or ():
        if found["severity"] != "info":
            typer.echo(f"{found['severity'].upper()} {found['title']} ({found['code']})", err=True)


def fit_and_show(params: dict[str, Any], action: str, show: Callable[[dict[str, Any]], None], *, as_json: bool) -> None:
    """Runs the job "fit", notes it as `action` in the audit log, and prints the new card, by `show` or as JSON."""
    with opened(run_jobs=True) as service:
        result = run_job(service, "fit", params)
        note(service.database, action, str(result["model_id"]))
        card = service.registry.get(str(result["model_id"]))
    if as_json:
        print_json(card)
    else:
        show(card)
        typer.echo(f"Use it for predictions: deepfake set {card['id']}")


def checked(values: dict[str, Any]) -> FitConfig:
    """The configuration with all defaults filled in. Raises ConfigError, UnknownHead, UnknownExtractor."""
    from backend.core.config import FitConfig
    from backend.core.extractors import check_spec
    from backend.core.heads import HEADS

    config = FitConfig.from_json(values)
    if config.head.name not in HEADS:
        raise UnknownHead(f"There is no head {config.head.name!r}.", f"Known: {', '.join(HEADS)}.")
    return replace(config, extractor=check_spec(config.extractor))


def merge(target: dict[str, Any], **given: Any) -> None:
    """Puts the values that are not None into `target`."""
    target.update({key: value for key, value in given.items() if value is not None})


def as_list(text: str | None) -> str | list[str] | None:
    """A list where the text has commas; else the text itself."""
    return [part.strip() for part in text.split(",")] if text and "," in text else text


def as_widths(text: str | None) -> list[int] | None:
    """The numbers in a text such as 512,128. Raises ConfigError."""
    try:
        return [int(part) for part in text.split(",")] if text is not None else None
    except ValueError as error:
        raise ConfigError(f"hidden is {text!r}.", "Give whole numbers separated by commas, such as 512,128.") from error


def as_names(text: str | None) -> list[str] | None:
    """The names in a text such as flip,shift; an empty list for "none"."""
    if text is None:
        return None
    return [] if text in ("", "none") else [part.strip() for part in text.split(",")]


def finetune_settings(wanted: bool | None, before: Any, text: str | None, given: dict[str, Any]) -> Any:
    """What `FitConfig.finetune` is made of: `before`, the JSON in `text` and what was given laid over; None: none.

    Naming any setting asks for fine-tuning. Raises ConfigError where the text is no JSON object.
    """
    if wanted is False:
        return None
    options: Any = {}
    if text is not None:
        try:
            options = json.loads(text)
        except ValueError as error:
            raise ConfigError(f"The options of finetune are no JSON: {error}.", 'Such as {"ema": 0}.') from error
        if not isinstance(options, dict):
            raise ConfigError(f"The options of finetune are {text!r}.", 'Give a JSON object, such as {"ema": 0}.')
    asked = wanted or text is not None or any(value is not None for value in given.values())
    if not asked:
        return before  # whatever the file says, checked where it is read
    settings: dict[str, Any] = {**(before if isinstance(before, dict) else {}), **options}
    merge(settings, **given)
    return settings or True


def extractor_spec(given: str | None, before: dict[str, Any] | None, cnn: dict[str, Any]) -> dict[str, Any] | None:
    """The extractor's spec of what was given, else `before`, with the network's options laid over; None: the default.

    Raises ConfigError where the text is no name and no JSON object.
    """
    spec: dict[str, Any] = dict(before or {})
    if given is not None:
        try:
            spec = json.loads(given) if given.lstrip().startswith("{") else {"name": given}
        except json.JSONDecodeError as error:
            raise ConfigError(f"The extractor is no valid JSON: {error}.", "Give a name or a JSON object.") from error
    options = {key: value for key, value in cnn.items() if value is not None}
    if options:
        spec = {"name": "cnn", **spec, **options}
    return spec or None


def read_config(path: Path) -> dict[str, Any]:
    """The JSON object in a file. Raises ConfigError."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{path} is no valid JSON: {error}.", "Give a file with a model card's `config`.") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path} holds no JSON object.", "Give a file with a model card's `config`.")
    return values


def options(as_json: JsonFlag = False) -> None:
    """List what exists: sources, extractors, backbones that need no download, heads, denoisers, settings."""
    with failing(as_json):
        known = describe_options()
        if as_json:
            print_json(known)
            return
        for title in ("sources", "extractors", "heads", "denoisers"):
            typer.echo(f"{title}:")
            print_table(["", ""], [[f"  {row['name']}", row["summary"]] for row in known[title]])
        typer.echo(f"backbones without a download: {', '.join(known['offline_backbones'])}")
        print_table(["setting", "default"], [[row["variable"], row["default"]] for row in known["settings"]])


def describe_options() -> dict[str, Any]:
    """The tables of what exists as JSON."""
    from backend.core.extractors import EXTRACTORS, OFFLINE_BACKBONES
    from backend.core.fingerprints.denoisers import DENOISERS
    from backend.core.heads import HEADS
    from backend.service.sources import SOURCES
    from backend.settings import describe_settings

    return {
        "sources": [{"name": name, "summary": row.summary} for name, row in SOURCES.items()],
        "extractors": [
            {"name": row.name, "summary": row.summary, "options": row.options} for row in EXTRACTORS.values()
        ],
        "offline_backbones": list(OFFLINE_BACKBONES),
        "heads": [{"name": name, "summary": row.summary} for name, row in HEADS.items()],
        "denoisers": [{"name": name, "summary": row.summary} for name, row in DENOISERS.items()],
        "settings": [asdict(row) for row in describe_settings()],
    }
