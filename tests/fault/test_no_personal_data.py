"""What the real processes leave behind in their logs and in Redis, while work fails with names in its errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from tests.fault.stack import Stack, message, wait_for

pytestmark = pytest.mark.fault

NAME, FIRST, BSN, STREET, WORDS = (
    "Kanariestein",
    "Zwaantjevogel",
    "999993653",
    "Geheimekooistraat",
    "kanariepiet floot",
)
PERSON: dict[str, Any] = {
    "rol": {"tekst": NAME},
    "bsn": BSN,
    "naam": {"voornamen": FIRST, "geslachtsnaam": NAME},
    "adressen": [{"soort": "feitelijk", "gebied": "binnenland", "straat": STREET, "huisnummer": "1"}],
}
LEAK = f"""
CREATE FUNCTION test_leak() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    RAISE EXCEPTION 'duplicate' USING DETAIL = 'Key (bsn, name)=({BSN}, {NAME}) already exists.'; END $$;
CREATE TRIGGER test_leak BEFORE INSERT ON link FOR EACH ROW EXECUTE FUNCTION test_leak();
CREATE TRIGGER test_leak BEFORE INSERT ON quarantine FOR EACH ROW EXECUTE FUNCTION test_leak();
"""


def canary(reference: str, name: str = NAME) -> bytes:
    return message(reference, betrokkenen=[PERSON], incident={"omschrijving": WORDS, "locatie": name})


def everything_in(client: redis.Redis) -> str:
    """Each key and value of Redis, whatever its type."""
    read = {
        "string": lambda key: client.get(key),
        "hash": lambda key: client.hgetall(key),
        "list": lambda key: client.lrange(key, 0, -1),
        "set": lambda key: client.smembers(key),
        "zset": lambda key: client.zrange(key, 0, -1, withscores=True),
    }
    return repr([(key, read[client.type(key).decode()](key)) for key in client.scan_iter("*")])


@pytest.fixture
def leak(stack: Stack) -> Iterator[None]:
    """Every link and every quarantine fails, with a name in the error's detail as PostgreSQL itself would do it."""
    stack.tell(LEAK)
    yield
    stack.tell("DROP FUNCTION test_leak CASCADE")


@pytest.mark.usefixtures("leak")
def test_failing_work_leaves_no_name_in_logs_or_redis(stack: Stack) -> None:
    assert stack.post(canary("leak-1")).status_code == 200
    assert stack.post(canary("leak-2").replace(b"heeftBetrokken", b"heeftVergeten")).status_code == 503
    assert stack.post(canary("leak-1", "Elders")).status_code == 503
    assert stack.post(b"<" + NAME.encode()).status_code == 503
    report = stack.report("leak-1")

    def failed() -> bool:
        job = stack.job(report, "link_report")
        return bool(job and job["error"] == "RaiseException")

    wait_for(failed, "the work failed on the name")
    stack.stop("worker")
    stack.tell("UPDATE job SET due_at = now() WHERE state = 'new'")
    with redis.Redis.from_url(stack.valkey.url) as client:
        wait_for(lambda: client.llen("dramatiq:wake"), "the broker holds an announcement")
        held = everything_in(client)
    assert "run_job" in held
    logs = {path.name: path.read_text(errors="replace") for path in stack.folder.glob("*.log")}
    logs["postgres"] = stack.postgres.log_path.read_text(errors="replace")
    assert "job.failed" in logs["worker.log"]
    for where, text in {"Redis": held, **logs}.items():
        for word in (NAME, FIRST, BSN, STREET, WORDS):
            assert word not in text, f"{word} is in {where}"
