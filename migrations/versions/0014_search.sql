-- Searches for persons: who searched, for what purpose and in which context, how many were found, and what was typed
-- as a keyed hash and sealed. Whom it found is not kept: the result is looked up anew each time it is shown.

CREATE TABLE search (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL REFERENCES region,
    staff_id uuid NOT NULL REFERENCES staff,
    at timestamptz NOT NULL,
    purpose text NOT NULL CHECK (purpose <> ''),
    context text NOT NULL CHECK (context IN ('report', 'call')),
    report_id uuid,
    fields text[] NOT NULL,
    terms_hash bytea NOT NULL CHECK (length(terms_hash) = 32),
    terms bytea NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('done', 'refused')),
    results smallint NOT NULL,
    CHECK ((context = 'report') = (report_id IS NOT NULL))
);
CREATE INDEX search_staff ON search (staff_id, at);
CREATE INDEX search_region ON search (region_id, at);
COMMENT ON COLUMN search.terms IS 'sealed: what was typed and the note of a call; opened for who typed it, and for the auditor';
COMMENT ON COLUMN search.report_id IS 'no foreign key: the search outlives the report';
SELECT secure_table('search', 'own', 'SELECT, INSERT');
CREATE POLICY of_auditor ON search FOR SELECT TO veilig_web
    USING (region_id = (SELECT visit_region()) AND (SELECT visit_role()) = 'auditor');
REVOKE INSERT, UPDATE, DELETE ON search FROM veilig_worker;

-- Whom a search was about, restricted persons too: known to the work behind the screens only.
CREATE TABLE search_touch (
    search_id uuid NOT NULL REFERENCES search ON DELETE CASCADE,
    person_id uuid NOT NULL,
    region_id uuid NOT NULL,
    staff_id uuid NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (search_id, person_id)
);
CREATE INDEX search_touch_staff ON search_touch (staff_id, at);
CREATE INDEX search_touch_person ON search_touch (person_id, at);
SELECT secure_table('search_touch', 'closed');

-- What a reviewer must look at: one row per colleague, kind and day, so that nobody floods the list.
CREATE TABLE search_alarm (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    staff_id uuid NOT NULL,
    search_id uuid NOT NULL REFERENCES search ON DELETE CASCADE,
    code text NOT NULL CHECK (code IN
        ('own_name', 'own_address', 'colleague', 'misses', 'again', 'restricted', 'excluded', 'quota')),
    day date NOT NULL,
    at timestamptz NOT NULL,
    UNIQUE (staff_id, code, day)
);
CREATE INDEX search_alarm_region ON search_alarm (region_id, at);
SELECT secure_table('search_alarm', 'closed');
CREATE POLICY of_reviewer ON search_alarm FOR SELECT TO veilig_web USING (region_id = (SELECT visit_region())
    AND staff_id <> (SELECT visit_staff()) AND (SELECT visit_role()) IN ('auditor', 'privacy_officer'));
GRANT SELECT ON search_alarm TO veilig_web;

-- The contact of a restricted person is told that a search touched that person; who searched learns nothing.
CREATE TABLE search_notice (
    search_id uuid NOT NULL REFERENCES search ON DELETE CASCADE,
    person_id uuid NOT NULL,
    region_id uuid NOT NULL,
    staff_id uuid NOT NULL,
    searcher text NOT NULL,
    purpose text NOT NULL,
    at timestamptz NOT NULL,
    seen_at timestamptz,
    PRIMARY KEY (search_id, person_id, staff_id)
);
CREATE INDEX search_notice_staff ON search_notice (staff_id, at) WHERE seen_at IS NULL;
COMMENT ON COLUMN search_notice.staff_id IS 'the contact, who reads this; searcher: the user name of who searched';
SELECT secure_table('search_notice', 'own', 'SELECT, UPDATE (seen_at)');

-- A case number is unique already; the reference of a reporter is looked up within the region.
CREATE INDEX report_reference ON report (region_id, reference_of_reporter);
-- The newest reports of a region, which every search reads along (radar/search/rows.py).
CREATE INDEX report_newest ON report (region_id, id);

-- Where a colleague lives, as a keyed hash: only to notice that he searches for his own address.
ALTER TABLE staff ADD COLUMN home_key bytea CHECK (length(home_key) = 32);
COMMENT ON COLUMN staff.home_key IS 'keyed hash of postcode and house number, when he gave it; no screen reads it';

-- The two looks at the register that a search takes. They ask once what is hidden from this member, where the row
-- policies would ask at every table; what they give is what the policies on mention and report would.
CREATE FUNCTION search_keys(keys bigint[], most integer) RETURNS TABLE (key bigint, n bigint, persons text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    me visit := visit();
BEGIN
    RETURN QUERY
    SELECT k.key, count(*), CASE WHEN count(*) < most THEN string_agg(p.person_id::text, ' ') END
    FROM unnest(keys) AS k (key) CROSS JOIN LATERAL (
        SELECT l.person_id FROM person_key l
        WHERE l.key = k.key AND l.region_id = me.region_id AND me.staff_id IS NOT NULL LIMIT most) AS p
    GROUP BY k.key;
END $$;
COMMENT ON FUNCTION search_keys IS
    'the persons of a few keys, by number only: nothing of them is shown before search_mentions said what may be seen';

CREATE FUNCTION search_mentions(persons uuid[], read integer)
    RETURNS TABLE (person_id text, person jsonb, report_id uuid, received_at timestamptz, reporter_kind text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    me visit := visit();
    hidden uuid[] := ARRAY(SELECT visit_hidden());
BEGIN
    IF me.staff_id IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH newest AS (
        SELECT r.id FROM report r WHERE r.region_id = me.region_id AND r.id <> ALL (hidden) ORDER BY r.id DESC LIMIT read
    ), wanted AS (
        SELECT k.id, min(k.place) AS place FROM (
            SELECT u.id, u.place FROM unnest(persons) WITH ORDINALITY AS u (id, place)
            UNION ALL
            SELECT l.person_id, 100000 FROM newest w JOIN mention m ON m.report_id = w.id
            JOIN link l ON l.mention_id = m.id AND l.state IN ('new', 'automatic', 'confirmed')) AS k GROUP BY k.id
    )
    SELECT w.id::text, m.person, m.report_id, r.received_at, r.reporter_kind
    FROM wanted w JOIN link l ON l.person_id = w.id AND l.state IN ('new', 'automatic', 'confirmed')
    JOIN mention m ON m.id = l.mention_id JOIN report r ON r.id = m.report_id
    WHERE r.region_id = me.region_id AND r.id <> ALL (hidden) ORDER BY w.place, w.id, r.received_at DESC, m.id;
END $$;
COMMENT ON FUNCTION search_mentions IS
    'what this member may see of these persons, and behind them of the newest reports: as much to read for nobody';
REVOKE EXECUTE ON FUNCTION search_keys, search_mentions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_keys, search_mentions TO veilig_web;
