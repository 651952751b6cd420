-- The radar's signals over a household's time line, and earlier involvement per report.

CREATE TABLE involvement (
    report_id uuid PRIMARY KEY REFERENCES report,
    region_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('first', 'repeat_several', 'repeat_one', 'follow_during_assessment',
        'follow_after_assessment', 'follow_during_monitoring', 'unclassified')),
    known_persons smallint NOT NULL CHECK (known_persons >= 0),
    elsewhere uuid[] NOT NULL,
    rule_set text NOT NULL,
    settled_at timestamptz NOT NULL
);
COMMENT ON COLUMN involvement.elsewhere IS
    'the other regions that knew somebody of the report when it came in; what they know is never copied';

CREATE TABLE signal (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    household_id uuid NOT NULL REFERENCES household,
    case_id uuid REFERENCES cases,
    report_id uuid NOT NULL REFERENCES report,
    rule text NOT NULL,
    title text NOT NULL,
    rule_set text NOT NULL,
    fired_on date NOT NULL,
    explanation text NOT NULL,
    evidence uuid[] NOT NULL CHECK (cardinality(evidence) > 0),
    noted_at timestamptz NOT NULL,
    withdrawn_at timestamptz,
    withdrawn_by text,
    withdrawn_why text,
    CHECK (num_nulls(withdrawn_at, withdrawn_by, withdrawn_why) IN (0, 3))
);
COMMENT ON COLUMN signal.report_id IS 'the report on which the rule fired; evidence: all reports that it rests on';
-- In force: one per report and rule. This index answers the queue: which of these reports have a signal?
CREATE UNIQUE INDEX signal_in_force ON signal (report_id, rule) INCLUDE (title) WHERE withdrawn_at IS NULL;
CREATE INDEX signal_household ON signal (household_id, fired_on);

-- A signal that no longer holds is withdrawn with its reason, once; nothing else of it ever changes.
CREATE FUNCTION signal_is_only_withdrawn() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before signal := OLD;
BEGIN
    before.withdrawn_at := NEW.withdrawn_at;
    before.withdrawn_by := NEW.withdrawn_by;
    before.withdrawn_why := NEW.withdrawn_why;
    IF OLD.withdrawn_at IS NOT NULL OR NEW IS DISTINCT FROM before THEN
        RAISE EXCEPTION 'a signal is only withdrawn' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER signal_append_only BEFORE UPDATE ON signal
    FOR EACH ROW EXECUTE FUNCTION signal_is_only_withdrawn();
CREATE TRIGGER signal_kept BEFORE DELETE ON signal FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Links that were taken back, of one report: whom they pointed to is needed to see what a correction touches.
CREATE INDEX link_taken_back ON link (mention_id) WHERE state = 'undone';
-- Who watched a case at some moment of its history: the index that was there holds only who watches now.
CREATE INDEX safety_watch_case ON safety_watch (case_id);
