-- Rule sets: rehearsal, activation and blind quality samples.

-- A rule set that a region added; the shipped ones are files. What was rehearsed is what is activated: no changes.
CREATE TABLE rule_set (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL REFERENCES region,
    version text NOT NULL CHECK (version ~ '^[a-z0-9][a-z0-9.-]{0,59}$'),
    document jsonb NOT NULL,
    added_at timestamptz NOT NULL,
    added_by text NOT NULL,
    UNIQUE (region_id, version)
);

CREATE TABLE rehearsal (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL REFERENCES region,
    version text NOT NULL,
    rule_set_id uuid REFERENCES rule_set,
    against text NOT NULL,
    against_rule_set_id uuid REFERENCES rule_set,
    reports integer NOT NULL CHECK (reports >= 0),
    asked_at timestamptz NOT NULL,
    asked_by text NOT NULL,
    finished_at timestamptz
);
COMMENT ON COLUMN rehearsal.rule_set_id IS 'empty: a rule set that is shipped with the product';
CREATE INDEX rehearsal_newest ON rehearsal (region_id, asked_at);

-- A part is one job, and its outcome is one commit: a rehearsal goes on where it was killed.
CREATE TABLE rehearsal_part (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    rehearsal_id uuid NOT NULL REFERENCES rehearsal,
    number integer NOT NULL CHECK (number > 0),
    reports uuid[] NOT NULL,
    done_at timestamptz,
    weighed integer NOT NULL DEFAULT 0,
    mentions integer NOT NULL DEFAULT 0,
    questions_before integer NOT NULL DEFAULT 0,
    questions_after integer NOT NULL DEFAULT 0,
    UNIQUE (rehearsal_id, number)
);

CREATE TABLE rehearsal_change (
    rehearsal_id uuid NOT NULL REFERENCES rehearsal,
    mention_id uuid NOT NULL REFERENCES mention ON DELETE CASCADE,
    region_id uuid NOT NULL,
    report_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('new_link', 'link_lost', 'other_person', 'to_question', 'to_automatic',
        'question_added', 'question_removed', 'other_outcome')),
    contradicts text CHECK (contradicts IN ('confirmed', 'rejected')),
    before_outcome text NOT NULL,
    before_state text NOT NULL,
    before_score real NOT NULL,
    after_outcome text NOT NULL,
    after_state text NOT NULL,
    after_score real NOT NULL,
    PRIMARY KEY (rehearsal_id, mention_id)
);
COMMENT ON COLUMN rehearsal_change.contradicts IS 'the word of a person that the new rules would go against';
CREATE INDEX rehearsal_change_mention ON rehearsal_change (mention_id);

-- The row with the highest number is in force. Without a row it is the newest rule set that is shipped.
CREATE TABLE rule_activation (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL REFERENCES region,
    number integer NOT NULL CHECK (number > 0),
    version text NOT NULL,
    rule_set_id uuid REFERENCES rule_set,
    rehearsal_id uuid NOT NULL REFERENCES rehearsal,
    activated_at timestamptz NOT NULL,
    activated_by text NOT NULL,
    reason text NOT NULL CHECK (reason <> ''),
    UNIQUE (region_id, number)
);

-- Per night, rule set and stratum: how many there were, how many were drawn, how many of those can be shown.
CREATE TABLE quality_draw (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL REFERENCES region,
    until timestamptz NOT NULL,
    rule_set text NOT NULL,
    stratum text NOT NULL CHECK (stratum IN ('link', 'non_link', 'answered_yes')),
    frame integer NOT NULL,
    drawn integer NOT NULL CHECK (drawn <= frame),
    shown integer NOT NULL DEFAULT 0 CHECK (shown <= drawn),
    UNIQUE (region_id, until, rule_set, stratum)
);

CREATE TABLE quality_sample (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL REFERENCES region,
    stratum text NOT NULL CHECK (stratum IN ('link', 'non_link')),
    rule_set text NOT NULL,
    link_id uuid UNIQUE REFERENCES link ON DELETE SET NULL,
    mention_id uuid REFERENCES mention ON DELETE SET NULL,
    person_id uuid NOT NULL,
    others uuid[] NOT NULL,
    drawn_at timestamptz NOT NULL,
    answer text CHECK (answer IN ('same', 'different', 'cannot_tell')),
    answered_at timestamptz,
    answered_by text,
    proposal_id uuid REFERENCES link ON DELETE SET NULL,
    CHECK ((answer IS NULL) = (answered_at IS NULL) AND (answer IS NULL) = (answered_by IS NULL))
);
COMMENT ON COLUMN quality_sample.others IS 'the mentions of the other person that the reviewer sees';
COMMENT ON COLUMN quality_sample.proposal_id IS 'the question that was opened because a reviewer saw a missed link';
CREATE INDEX quality_sample_open ON quality_sample (region_id, id) WHERE answer IS NULL;
CREATE INDEX quality_sample_answered ON quality_sample (region_id, rule_set, stratum) WHERE answer IS NOT NULL;
CREATE INDEX quality_sample_mention ON quality_sample (mention_id);
CREATE INDEX quality_sample_proposal ON quality_sample (proposal_id) WHERE proposal_id IS NOT NULL;

CREATE TRIGGER rule_set_immutable BEFORE UPDATE OR DELETE ON rule_set
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rule_activation_append_only BEFORE UPDATE OR DELETE ON rule_activation
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
