"""Fill a database with earlier reports, set-based, for measurements only: plausible rows, no real feed.

`history` makes reports that are closed but for the newest, with their cases, deadlines, tasks and routes.
`register` makes the persons of those reports, with the profiles and keys that the product itself computes.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

from psycopg.types.json import Jsonb

from core.database import Db
from core.ids import uuid7
from radar.linking import block, derived, rules
from radar.linking.normalise import features
from radar.linking.profile import Profile

HISTORY = """
CREATE TEMP TABLE seed AS SELECT n, gen_random_uuid() AS message, gen_random_uuid() AS report,
    gen_random_uuid() AS household, gen_random_uuid() AS cases, gen_random_uuid() AS piece,
    now() - n * interval '45 s' AS at, n <= %(open)s AS is_open,
    CASE WHEN n <= %(open)s THEN (ARRAY['assess', 'assess', 'assess', 'assess', 'acute_check', 'sign', 'handover',
        'service', 'notify', 'feedback'])[1 + n / 20 %% 10] END AS work,
    CASE WHEN cardinality(%(staff)s::uuid[]) > 0 AND n %% 3 > 0
        THEN (%(staff)s::uuid[])[1 + n %% cardinality(%(staff)s::uuid[])] END AS staff,
    (%(teams)s::uuid[])[1 + n %% cardinality(%(teams)s::uuid[])] AS team
    FROM generate_series(1, %(reports)s) AS n;
INSERT INTO household (id, region_id, founded_by) SELECT household, %(region)s, report FROM seed;
INSERT INTO cases (id, region_id, household_id, number, opened_at, closed_at)
    SELECT cases, %(region)s, household, 'S' || n, at, CASE WHEN NOT is_open THEN at END FROM seed;
INSERT INTO safety_watch (id, region_id, case_id, holder, since, until, reason)
    SELECT gen_random_uuid(), %(region)s, cases, 'veilig_thuis', at,
    CASE WHEN NOT is_open THEN at END,
    'seed' FROM seed;
INSERT INTO message (id, region_id, sender_id, channel, reference, received_at, raw, content_sha256, outcome,
    answer_status, answer_type, answer)
    SELECT message, %(region)s, %(sender)s, 'corv', 'seed-' || n, at, n::text::bytea, sha256(n::text::bytea),
    'report', 200, 'text/xml', '' FROM seed;
INSERT INTO report (id, region_id, message_id, sender_id, reporter_kind, reference_of_reporter, received_at,
    content, remarks, acute_signals, acute_rules, municipality, household_id, case_id, linked_at, state)
    SELECT report, %(region)s, message, %(sender)s, 'politie', 'seed-' || n, at, '{}', '[]', '[]', 'seed',
    'Voorbeeldstad', household, cases, at,
    CASE work WHEN 'assess' THEN 'assessing' WHEN 'acute_check' THEN 'received' WHEN 'sign' THEN 'signing'
        WHEN 'handover' THEN 'handover' WHEN 'service' THEN 'investigation' WHEN 'notify' THEN 'monitoring'
        WHEN 'feedback' THEN 'monitoring' ELSE 'closed' END FROM seed;
INSERT INTO report_step (report_id, number, region_id, move, state, at, actor, reason)
    SELECT id, 1, region_id, 'receive', state, received_at, 'seed', 'seed' FROM report WHERE state <> 'closed';
INSERT INTO risk_look (id, region_id, report_id, at, actor, risk, reason)
    SELECT gen_random_uuid(), %(region)s, report, at + interval '1 hour', 'seed', 0, 'seed'
    FROM seed WHERE is_open AND work <> 'acute_check' AND n %% 2 = 0;
INSERT INTO service (id, region_id, report_id, kind, decided_at)
    SELECT piece, %(region)s, report, 'investigation', at FROM seed WHERE work = 'service';
INSERT INTO deadline (id, region_id, kind, subject_id, report_id, norm_due_on, legal_due_on, due_at, met_at)
    SELECT gen_random_uuid(), %(region)s, 'safety_assessment', report, report, (at + interval '7 days')::date,
    (at + interval '5 days')::date, at + interval '7 days',
    CASE WHEN is_open AND work IN ('assess', 'acute_check', 'sign') THEN NULL
        WHEN is_open THEN at + interval '1 hour'
        WHEN n %% 5 = 0 THEN at + interval '9 days' ELSE at + interval '3 days' END FROM seed;
INSERT INTO deadline (id, region_id, kind, subject_id, report_id, norm_due_on, legal_due_on, due_at, met_at)
    SELECT gen_random_uuid(), %(region)s,
    CASE work WHEN 'service' THEN 'investigation' WHEN 'notify' THEN 'person_notice'
        WHEN 'acute_check' THEN work ELSE 'feedback' END,
    piece, report, at::date + 14, at::date + 14, at + interval '14 days',
    CASE WHEN NOT is_open THEN at + (n %% 20) * interval '1 day' END
    FROM seed WHERE work IN ('acute_check', 'service', 'notify', 'feedback') OR work IS NULL AND n %% 10 = 0;
INSERT INTO task (id, region_id, team_id, staff_id, kind, subject_id, report_id, risk, received_at, due_at, opened_at,
    change, team_since, done_at, done_by)
    SELECT gen_random_uuid(), %(region)s, team, staff, 'assess', report, report,
    CASE WHEN n %% 200 = 0 THEN 2 ELSE 0 END, at, at + interval '7 days', at, nextval('task_change'), at,
    CASE WHEN NOT is_open OR work NOT IN ('assess', 'acute_check') THEN at END,
    CASE WHEN NOT is_open OR work NOT IN ('assess', 'acute_check') THEN 'seed' END FROM seed;
INSERT INTO task (id, region_id, team_id, staff_id, kind, subject_id, report_id, risk, received_at, due_at, opened_at,
    change, team_since)
    SELECT gen_random_uuid(), %(region)s, team, staff, work,
    CASE WHEN work IN ('service', 'feedback') THEN piece ELSE report END, report,
    CASE WHEN n %% 200 = 0 THEN 2 WHEN work = 'acute_check' THEN 1 ELSE 0 END, at,
    at + CASE work WHEN 'acute_check' THEN interval '1 hour' WHEN 'service' THEN interval '70 days'
        WHEN 'notify' THEN interval '28 days' ELSE interval '14 days' END, at, nextval('task_change'), at
    FROM seed WHERE is_open AND work <> 'assess';
UPDATE task SET escalated_at = due_at WHERE done_at IS NULL AND due_at <= now();
INSERT INTO route (id, region_id, report_id, state, path, reason, proposed_at)
    SELECT gen_random_uuid(), %(region)s, report, 'proposed', 'conditions', 'seed', at FROM seed WHERE is_open;
"""

FIRST = (
    "Ada Bo Cem Daan Eva Fatma Guus Hana Ilja Jip Kim Luuk Mila Noor Omar Piet Rosa Sami Tess Umut Vera Wout".split()
)
SEEN = date(2026, 1, 1)
START, END = (
    "Bak Dek Hof Kui Lam Mey Nij Oost Pol Rui Sch Tim Ver Wes Zand".split(),
    "ker huis man stra sma berg veld".split(),
)


QUIET = ("report", "cases", "safety_watch", "deadline", "task")
"""Their triggers look at each row, which a live system does one by one; here the seed makes what they would."""


def history(
    db: Db,
    region: UUID,
    sender: UUID,
    teams: list[UUID],
    reports: int,
    open_reports: int,
    staff: Sequence[UUID] = (),
) -> None:
    """`reports` earlier reports, one household each; on the newest `open_reports` there is still work of each kind.

    Of three open tasks `staff` has two, and each colleague has those of one team when the teams divide their number.
    """
    values = {
        "region": region,
        "sender": sender,
        "teams": teams,
        "reports": reports,
        "open": open_reports,
        "staff": list(staff),
    }
    with db.transaction():
        db.execute("SET LOCAL statement_timeout = 0")
        db.execute("SET idle_in_transaction_session_timeout = 0")
        for table in QUIET:
            db.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in HISTORY.split(";\n"):
            if statement.strip():
                db.execute(statement, values)
        for table in QUIET:
            db.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def register(db: Db, region: UUID, seed: int = 1) -> None:
    """Two persons for each seeded report: mentions, links, memberships, profiles and keys; then they are counted."""
    chance = random.Random(seed)
    rule_set = rules.load()
    reports = db.execute("SELECT report, household FROM seed").fetchall()
    mentions, links, keys, members, persons = [], [], [], [], []
    for row in reports:
        surname = chance.choice(START) + chance.choice("aeiou") + chance.choice(END) + chance.choice(("", "s", "en"))
        house = {"soort": "feitelijk", "woonplaats": "Voorbeeldstad", "straat": f"{chance.choice(START)}straat"}
        house |= {"huisnummer": str(chance.randrange(1, 400)), "postcode": f"{chance.randrange(1000, 9999)}AB"}
        for number, role in ((1, "112"), (2, "115")):
            year = chance.randrange(1960, 2000) if number == 1 else chance.randrange(2008, 2024)
            birth = f"{year}{chance.randrange(1, 13):02}{chance.randrange(1, 29):02}"
            person = {
                "rol": {"code": role},
                "naam": {"voornamen": chance.choice(FIRST), "geslachtsnaam": surname},
                "geboortedatum": {"tekst": birth, "indicatie": "V"},
                "adressen": [house],
            }
            known = features(person, rule_set)
            mention, who = uuid7(), uuid7()
            profile = Profile()
            profile.add(known)
            profile.seen(str(row["household"]), SEEN.toordinal(), known.addresses)
            persons.append((who, region, profile.to_json()))
            mentions.append((mention, region, row["report"], number, int(role), Jsonb(person)))
            links.append((uuid7(), region, mention, who, "new", "new", 0.0, Jsonb([]), "seed"))
            keys += [(key, who, region) for key in block.keys(known, rule_set, region.bytes)]
            members.append((uuid7(), region, who, row["household"], mention, SEEN))
    _copy(db, "person", "id, region_id, profile", persons)
    _copy(db, "mention", "id, region_id, report_id, number, role_code, person", mentions)
    _copy(db, "link", "id, region_id, mention_id, person_id, state, outcome, score, reasons, rule_set", links)
    _copy(db, "person_key", "key, person_id, region_id", keys)
    _copy(db, "membership", "id, region_id, person_id, household_id, mention_id, valid_from", members)
    derived.count_persons(db)


def settle(db: Db) -> None:
    """Fresh statistics, as on a database that has lived for a while."""
    db.execute("SET LOCAL statement_timeout = 0")
    db.execute("ANALYZE")


def _copy(db: Db, table: str, columns: str, lines: Iterable[tuple[object, ...]]) -> None:
    db.execute("SET statement_timeout = 0")
    with db.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for line in lines:
            copy.write_row(line)
