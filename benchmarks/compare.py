"""What changed in the figures of benchmarks/results/ against another commit: name, before, after, by how much.

    python -m benchmarks.compare [REVISION] [--least PERCENT]

REVISION is HEAD unless given. Figures that are equal, or differ by less than PERCENT (5), are left out.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Iterator
from typing import Any

from benchmarks.record import RESULTS, ROOT

ABOUT = ("date", "commit", "machine", "versions", "seed", "benchmark")


def figures(value: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """(dotted name, number) of every number in a result; lists by their places."""
    if isinstance(value, bool):
        return
    if isinstance(value, (int, float)):
        yield name, float(value)
    elif isinstance(value, dict):
        for key, part in value.items():
            if name or key not in ABOUT:
                yield from figures(part, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from figures(part, f"{name}[{place}]")


def difference(before: Any, after: Any, least: float) -> list[tuple[str, float | None, float | None]]:
    """(name, before, after) of the figures that differ by at least that share; None where one has no such figure."""
    old, new = dict(figures(before)), dict(figures(after))
    rows = []
    for name in [*old, *(name for name in new if name not in old)]:
        was, now = old.get(name), new.get(name)
        if was is None or now is None or abs(now - was) > least * max(abs(was), abs(now)):
            rows.append((name, was, now))
    return rows


def at_revision(revision: str, name: str) -> Any:
    """A result as that commit has it, or None."""
    shown = subprocess.run(
        ["git", "show", f"{revision}:benchmarks/results/{name}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return json.loads(shown.stdout) if shown.returncode == 0 else None


def main() -> None:
    """Prints one block a result that changed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revision", nargs="?", default="HEAD")
    parser.add_argument("--least", type=float, default=5.0, help="percent")
    given = parser.parse_args()
    for path in sorted(RESULTS.glob("*.json")):
        before = at_revision(given.revision, path.name)
        after = json.loads(path.read_text(encoding="utf-8"))
        if before is None:
            print(f"{path.stem}: new")
            continue
        rows = difference(before, after, given.least / 100)
        if rows:
            print(f"{path.stem}: {before['date']} -> {after['date']}")
        for name, was, now in rows:
            change = f"{100 * (now - was) / abs(was):+.1f} %" if was and now is not None else ""
            print(f"  {name}: {_text(was)} -> {_text(now)} {change}".rstrip())


def _text(value: float | None) -> str:
    return "absent" if value is None else f"{value:g}"


if __name__ == "__main__":
    main()
