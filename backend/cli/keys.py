"""`deepfake keys …` and `deepfake audit`: who may use the service, and who changed what."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backend.cli.console import JsonFlag, failing, note, opened_database, print_json, print_table
from backend.core.errors import InvalidInput

if TYPE_CHECKING:
    from backend.service.keys import ApiKey, Keys

app = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)


@app.command("create")
def create(
    *,
    name: Annotated[str, typer.Option(help="Who will use it.")],
    scope: Annotated[str, typer.Option(help="predict, fit or admin; each includes those before it.")],
    rate: Annotated[
        str | None, typer.Option(help="Most requests, such as 100/second; the service's by default.")
    ] = None,
    images_per_day: Annotated[int | None, typer.Option(min=1, help="Most images a day (UTC).")] = None,
    expires: Annotated[int | None, typer.Option(min=1, help="Days that it is valid.")] = None,
    to: Annotated[Path | None, typer.Option(help="Write the key to this file instead of showing it.")] = None,
    if_missing: Annotated[bool, typer.Option("--if-missing", help="Do nothing where --to holds a valid key.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Make a key. It is shown once: only its hash is stored."""
    with failing(as_json):
        from backend.service.keys import Keys

        if if_missing and to is None:
            raise InvalidInput("--if-missing needs --to FILE.", "Name the file that would hold the key.")
        with opened_database() as database:
            keys = Keys(database)
            if if_missing and to is not None and (present := _key_in(to, keys, scope)) is not None:
                _show(present, "", to, as_json)
                return
            key, text = keys.create(name, scope, rate=rate, images_per_day=images_per_day, days=expires)
            note(database, "keys create", key.id)
        if to is not None:
            _write(to, text)
        _show(key, text, to, as_json)


@app.command("list")
def list_keys(as_json: JsonFlag = False) -> None:
    """List the keys, newest first, with revoked and expired ones; never their secrets."""
    with failing(as_json), opened_database() as database:
        from backend.service.keys import Keys

        keys = Keys(database).list()
        if as_json:
            print_json([key.to_json() for key in keys])
            return
        rows = [
            [key.id, key.name, key.scope, _state(key), key.created_at[:10], key.last_used or "-", key.rate or "-"]
            for key in keys
        ]
        print_table(["id", "name", "scope", "state", "created", "last used", "rate"], rows)


@app.command("revoke")
def revoke(key: Annotated[str, typer.Argument(help="Id of the key.")], as_json: JsonFlag = False) -> None:
    """Revoke a key: running servers refuse it within a few seconds."""
    with failing(as_json), opened_database() as database:
        from backend.service.keys import Keys

        revoked = Keys(database).revoke(key)
        note(database, "keys revoke", key)
        if as_json:
            print_json(revoked.to_json())
        else:
            typer.echo(f"Revoked {key}.")


def audit(
    since: Annotated[str, typer.Option(help="Only entries from this time on, such as 2026-01-31; in UTC.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Most entries.")] = 100,
    as_json: JsonFlag = False,
) -> None:
    """List what was changed and by whom, newest first, and refused requests."""
    with failing(as_json):
        from backend.service.audit import Audit

        if since:
            try:
                datetime.fromisoformat(since)
            except ValueError:
                raise InvalidInput(f"{since!r} is no time.", "Write it as 2026-01-31 or 2026-01-31T12:00:00.") from None
        with opened_database() as database:
            entries, _ = Audit(database).list(since=since, limit=limit)
        if as_json:
            print_json([entry.to_json() for entry in entries])
            return
        rows = [
            [
                entry.at[:19],
                entry.key_name,
                entry.action,
                entry.target,
                str(entry.status),
                entry.address,
                str(entry.count),
            ]
            for entry in entries
        ]
        print_table(["time (UTC)", "who", "action", "target", "status", "address", "times"], rows)


def _key_in(file: Path, keys: Keys, scope: str) -> ApiKey | None:
    """The valid key of that scope whose text stands in the file; None where there is none."""
    try:
        text = file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    keys.refresh()
    key = keys.find(text)
    return key if key is not None and key.scope == scope else None


def _write(file: Path, text: str) -> None:
    """Writes the key so that only its owner and group can read it, at once or not at all."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with os.fdopen(
            os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640), "w", encoding="utf-8"
        ) as handle:
            handle.write(f"{text}\n")
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


def _show(key: ApiKey, text: str, to: Path | None, as_json: bool) -> None:
    if as_json:
        print_json({**key.to_json(), **({"file": str(to)} if to else {"key": text})})
    elif to is not None:
        typer.echo(f"The key {key.id} ({key.scope}) stands in {to}.")
    else:
        typer.echo(f"{text}\nThis is shown once. Its id is {key.id}, its scope {key.scope}.")


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    if key.is_valid:
        return f"until {key.expires_at[:10]}" if key.expires_at else "valid"
    return "expired"
