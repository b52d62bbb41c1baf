"""The direction of imports (pyproject.toml, [tool.importlinter]) and a few rules about files hold."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCES = sorted([*(ROOT / "backend").rglob("*.py"), *(ROOT / "frontend").rglob("*.py")])
PICKLES = {"pickle", "dill", "cloudpickle"}
"""A model, an upload or an answer is never a pickle. (Tests may try whether a worker's task is one.)"""


def imports_of(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever the statement stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """The contracts of the tree in `folder`, looked at by a fresh interpreter: the linter turns other loggers off."""
    program = (
        "import sys; sys.path.insert(0, '.');"
        "from importlinter.cli import lint_imports;"
        "sys.exit(lint_imports(config_filename='pyproject.toml', no_cache=True))"
    )
    return subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False)


def test_imports_run_one_way() -> None:
    run = lint_imports(ROOT)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_contracts_would_notice(tmp_path: Path) -> None:
    """The same contracts fail on a tree that breaks each of them, so they are not vacuous."""
    wrong = {
        "backend/core/sciences.py": "import sqlalchemy\n",
        "backend/service/stores.py": "import backend.api.routes_\nimport fastapi\n",
        "backend/api/routes_.py": "import frontend.page\n",
        "backend/cli/command.py": "",
        "backend/settings.py": "",
        "frontend/page.py": "import backend.settings\n",
        "frontend/bot/words.py": "import streamlit\n",
        "frontend/telegram_bot.py": "",
    }
    for name, text in wrong.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        (file.parent / "__init__.py").touch()
        file.write_text(text)
    (tmp_path / "backend" / "__init__.py").touch()
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(settings, encoding="utf-8")
    run = lint_imports(tmp_path)
    broken = {line.removesuffix(" BROKEN").strip() for line in run.stdout.splitlines() if line.endswith(" BROKEN")}
    contracts = tomllib.loads(settings)["tool"]["importlinter"]["contracts"]
    assert broken == {contract["name"] for contract in contracts}, run.stdout + run.stderr


def test_no_file_of_the_frontend_bears_a_standard_modules_name() -> None:
    names = {path.stem for path in (ROOT / "frontend").iterdir()}  # Streamlit puts this folder first on sys.path
    assert not names & sys.stdlib_module_names


def test_the_code_imports_no_pickle_and_the_tests_no_mocks() -> None:
    pickles = [path for path in SOURCES if PICKLES & set(imports_of(path))]
    mocks = [path for path in (ROOT / "tests").rglob("*.py") if "unittest.mock" in set(imports_of(path))]
    assert not pickles + mocks


def test_serving_processes_and_workers_start_without_what_only_a_fit_needs() -> None:
    heavy = ("scipy", "sklearn", "skimage", "torch", "timm", "onnx", "numpy.f2py", "requests")
    of_workers = ("importing", "profiling", "checking", "features", "finetuning", "fitting", "evaluating")
    program = (
        f"import sys; from backend.service import {', '.join(of_workers)};"
        "assert 'sqlalchemy' not in sys.modules, 'a worker has no database';"
        "import backend.service.workflows, backend.api.main;"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
