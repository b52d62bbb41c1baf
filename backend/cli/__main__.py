"""`python -m backend.cli`: the same as `deepfake`."""

from backend.cli import app

app(prog_name="deepfake")
