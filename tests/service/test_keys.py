"""API keys, what they used, the audit log, and what the database forgets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from backend.core.errors import InvalidInput, NotFound, Unreachable
from backend.service.audit import REFUSALS_A_MINUTE, Audit, AuditEntry
from backend.service.database import Database, utc_now
from backend.service.keys import FRESH_SECONDS, SCOPES, Keys
from backend.service.retention import sweep_expired
from backend.service.tables import AuditRow, JobRow, KeyRow, UsageRow
from backend.service.usage import Usage, today
from backend.settings import Settings
from tests.postgres import RunningPostgres, why_no_postgres


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/test.db")
    database.upgrade()
    yield database
    database.close()


def test_a_key_is_found_by_its_text_and_by_nothing_else(database: Database) -> None:
    keys = Keys(database)
    key, text = keys.create("web", "predict")
    other, other_text = keys.create("me", "admin", days=3, rate="5/minute", images_per_day=7)
    keys.refresh()
    assert keys.find(text) == key
    assert keys.find(other_text) == other
    last = "A" if text[-1] != "A" else "B"
    mixed = f"dfk_{key.id}_{other_text.split('_', 2)[2]}"
    for wrong in ("", text[:-1], text[:-1] + last, text + "A", text.upper(), f"{text}\n", mixed, "dfk_" + "0" * 56):
        assert keys.find(wrong) is None


def test_the_database_holds_no_secret(database: Database, tmp_path: Path) -> None:
    _, text = Keys(database).create("web", "predict")
    secret = text.split("_", 2)[2]
    with database.reading() as session:
        row = session.scalars(select(KeyRow)).one()
    assert len(secret) == 43
    assert secret not in str(vars(row))
    database.close()
    assert not any(secret.encode() in path.read_bytes() for path in tmp_path.iterdir())


def test_scopes_are_nested() -> None:
    assert SCOPES == ("predict", "fit", "admin")


@pytest.mark.parametrize(("scope", "allowed"), [("predict", 1), ("fit", 2), ("admin", 3)])
def test_a_scope_includes_those_before_it(database: Database, scope: str, allowed: int) -> None:
    key, _ = Keys(database).create("k", scope)
    assert [key.allows(wanted) for wanted in SCOPES] == [n < allowed for n in range(3)]


def test_guessing_keys_asks_the_database_nothing(database: Database) -> None:
    keys = Keys(database)
    keys.refresh()
    queries = []
    event.listen(database._engine, "before_cursor_execute", lambda *args: queries.append(args[2]))
    for number in range(1000):
        keys.refresh()
        assert keys.find(f"dfk_{number:012d}_{'x' * 43}") is None
    assert len(queries) <= 1


def test_a_database_that_does_not_answer_is_not_asked_for_each_request(database: Database) -> None:
    keys = Keys(database)
    _, text = keys.create("web", "predict")
    keys.refresh()
    asked = []

    def refuse(*_: object) -> None:
        asked.append(1)
        raise OperationalError("", {}, Exception("it is gone"))

    event.listen(database._engine, "before_cursor_execute", refuse)
    keys._read_at -= FRESH_SECONDS
    for _ in range(100):
        keys.refresh()
    assert keys.find(text) is not None
    keys._read_at -= 30
    with pytest.raises(Unreachable):
        keys.refresh()
    assert len(asked) == 1


def test_another_process_revokes_and_creates(database: Database, tmp_path: Path) -> None:
    check_revocation(database, Database(f"sqlite:///{tmp_path}/test.db"))


def check_revocation(ours: Database, theirs: Database) -> None:
    here, there = Keys(ours), Keys(theirs)
    key, text = there.create("web", "fit")
    here.refresh()
    assert here.find(text) is not None
    there.revoke(key.id)
    here._read_at = float("-inf")  # as after FRESH_SECONDS
    here.refresh()
    assert here.find(text) is None
    assert [key.is_valid for key in here.list()] == [False]


def test_an_expired_key_does_not_count(database: Database) -> None:
    keys = Keys(database)
    key, text = keys.create("web", "fit", days=1)
    with database.session() as session:
        session.get_one(KeyRow, key.id).expires_at = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    keys.refresh()
    assert keys.find(text) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "a\nb"},
        {"scope": "root"},
        {"rate": "many"},
        {"rate": "0/second"},
        {"images_per_day": 0},
        {"days": 0},
    ],
)
def test_a_wrong_key_is_not_made(database: Database, wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        Keys(database).create(**{"name": "web", "scope": "fit"} | wrong)
    assert Keys(database).list() == []


def test_only_a_key_that_exists_is_revoked(database: Database) -> None:
    with pytest.raises(NotFound):
        Keys(database).revoke("nobody")


def test_usage_adds_up_over_servers(database: Database, tmp_path: Path) -> None:
    check_usage(database, Database(f"sqlite:///{tmp_path}/test.db"))


def check_usage(ours: Database, theirs: Database) -> None:
    key, _ = Keys(ours).create("counted", "predict")
    one, two = Usage(ours), Usage(theirs)
    one.add(key.id, 3)
    assert one.images_today(key.id) == 3
    assert last_used(ours, key.id) is None
    one.flush()
    two.add(key.id, 4)
    assert two.images_today(key.id) == 7
    two.flush()
    two.flush()
    one.add(key.id, 0)
    one.flush()
    assert one.images_today(key.id) == 7
    with ours.reading() as session:
        row = session.scalars(select(UsageRow).where(UsageRow.key_id == key.id)).one()
    assert (row.requests, row.images) == (3, 7)
    assert last_used(ours, key.id) == today()


def last_used(database: Database, key_id: str) -> str | None:
    return next(key.last_used for key in Keys(database).list() if key.id == key_id)


@pytest.mark.skipif(bool(why_no_postgres()), reason=why_no_postgres())
def test_the_same_holds_on_postgresql() -> None:
    with RunningPostgres() as server:
        ours, theirs = Database(server.url), Database(server.url)
        ours.upgrade()
        check_revocation(ours, theirs)
        check_usage(ours, theirs)
        Audit(ours).record(AuditEntry("POST /set", 200))
        sweep_expired(theirs, Settings())
        assert Audit(theirs).list()[1] == 1
        with pytest.raises(InvalidInput):
            ours.has_model("a\x00b")
        ours.close()
        theirs.close()


def test_the_audit_log_is_read_newest_first(database: Database) -> None:
    audit = Audit(database)
    for number in range(5):
        audit.record(AuditEntry(f"POST /thing/{number}", 200, target="t" * 999))
    entries, total = audit.list(limit=2, offset=1)
    assert ([entry.action for entry in entries], total) == (["POST /thing/3", "POST /thing/2"], 5)
    assert audit.list(since=utc_now()) == ([], 0)


def test_an_id_that_a_client_made_up_speaks_to_no_terminal(database: Database) -> None:
    audit = Audit(database)
    audit.record(AuditEntry("PATCH /models/{model_id}", 422, target="\x1b[2J\x00\nlöwe"))
    assert audit.list()[0][0].target == "?[2J??löwe"


def test_a_flood_of_refusals_fills_no_disk(database: Database) -> None:
    audit = Audit(database)
    for _ in range(REFUSALS_A_MINUTE + 500):
        audit.record_refusal(AuditEntry("GET /models", 401))
    assert audit.list()[1] in (REFUSALS_A_MINUTE, 2 * REFUSALS_A_MINUTE + 1)  # a minute may have ended meanwhile
    audit._minute -= 1
    audit.record_refusal(AuditEntry("GET /models", 401))
    assert any(entry.count > 300 for entry in audit.list(limit=5)[0])


def test_old_records_are_forgotten_and_others_stay(database: Database) -> None:
    now = datetime.now(UTC)
    settings = Settings(keep_jobs_days=10, keep_audit_days=20)
    with database.session() as session:
        for days in (9, 11, 21):
            at = (now - timedelta(days=days)).isoformat(timespec="microseconds").replace("+00:00", "Z")
            for state in ("done", "running"):
                finished = at if state == "done" else None
                session.add(
                    JobRow(
                        id=f"{state}-{days}", kind="fit", state=state, params={}, created_at=at, finished_at=finished
                    )
                )
            more = {"key_id": "", "key_name": "", "action": "", "target": "", "status": 200, "request_id": ""}
            session.add(AuditRow(id=str(days), at=at, address="", count=1, **more))
            session.add(UsageRow(day=at[:10], key_id="k", requests=1, images=1))
    sweep_expired(database, settings)
    with database.reading() as session:
        jobs = set(session.scalars(select(JobRow.id)))
        assert jobs == {"done-9", "running-9", "running-11", "running-21"}
        assert set(session.scalars(select(AuditRow.id))) == {"9", "11"}
        assert len(session.scalars(select(UsageRow.day)).all()) == 2
