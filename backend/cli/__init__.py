"""`deepfake …`: the workflows of the service on the command line, without a server."""

from __future__ import annotations

import typer

from backend.cli import (
    backup,
    cluster,
    datasets,
    enrol,
    evaluate,
    fingerprints,
    fit,
    keys,
    models,
    predict,
    robustness,
    serve,
)

app = typer.Typer(
    name="deepfake",
    help="Tell REAL photographs from FAKE (AI-generated) images, and train your own detectors.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    add_completion=False,
)
app.add_typer(datasets.app, name="datasets")
app.add_typer(models.app, name="models")
app.add_typer(fingerprints.app, name="fingerprints")
app.add_typer(cluster.app, name="cluster")
app.add_typer(keys.app, name="keys")
for command in (
    serve.serve,
    datasets.demo,
    datasets.eda,
    fit.fit,
    evaluate.evaluate,
    evaluate.cross_evaluate,
    fit.options,
    enrol.enrol,
    models.set_active,
    predict.predict,
    robustness.robustness,
    keys.audit,
    backup.backup,
    backup.restore,
):
    app.command(name="set" if command is models.set_active else None)(command)
