-- Attachments, and forms that are saved to go on later.

CREATE TABLE attachment (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL REFERENCES region,
    report_id uuid NOT NULL REFERENCES report,
    name bytea NOT NULL,
    content bytea NOT NULL,
    kind text NOT NULL CHECK (kind IN ('pdf', 'png', 'jpeg', 'tiff', 'docx', 'odt', 'text')),
    size integer NOT NULL CHECK (size > 0),
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'clean', 'refused')),
    scanned_at timestamptz,
    found text NOT NULL DEFAULT '',
    added_at timestamptz NOT NULL,
    added_by text NOT NULL,
    destroyed_at timestamptz,
    CHECK ((state = 'waiting') = (scanned_at IS NULL))
);
COMMENT ON TABLE attachment IS 'a file that came with a report, or that a colleague put there: sealed with a key of its own';
COMMENT ON COLUMN attachment.state IS 'waiting: no scanner looked yet; refused: the scanner found something, and nobody gets it';
COMMENT ON COLUMN attachment.found IS 'what the scanner calls it';
-- Not the hash of the file alone: who has a known file could look up in a copy of the database where it is.
COMMENT ON COLUMN attachment.sha256 IS 'keyed hash of the content: the same file at the same report is stored once';
CREATE UNIQUE INDEX attachment_once ON attachment (report_id, sha256);
CREATE INDEX attachment_waiting ON attachment (region_id) WHERE state = 'waiting' AND destroyed_at IS NULL;

CREATE FUNCTION attachment_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.destroyed_at IS NOT NULL OR (NEW.id, NEW.region_id, NEW.report_id, NEW.kind, NEW.size, NEW.sha256, NEW.added_at,
            NEW.added_by) IS DISTINCT FROM (OLD.id, OLD.region_id, OLD.report_id, OLD.kind, OLD.size, OLD.sha256,
            OLD.added_at, OLD.added_by)
        OR NEW.destroyed_at IS NULL AND (NEW.name, NEW.content) IS DISTINCT FROM (OLD.name, OLD.content)
        OR NEW.destroyed_at IS NOT NULL AND NEW.content <> '' THEN
        RAISE EXCEPTION 'an attachment is only scanned or destroyed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER attachment_stays BEFORE UPDATE ON attachment FOR EACH ROW EXECUTE FUNCTION attachment_stays();

-- With its report goes every file of it (destroy_order, migration 0013).
CREATE FUNCTION attachments_go() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE data_key SET wrapped = NULL, destroyed_at = now() WHERE destroyed_at IS NULL
        AND id IN (SELECT id FROM attachment WHERE report_id = NEW.id);
    UPDATE attachment SET name = '', content = '', found = '', destroyed_at = now()
        WHERE report_id = NEW.id AND destroyed_at IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER attachments_go AFTER UPDATE OF destroyed_at ON report FOR EACH ROW
    WHEN (NEW.destroyed_at IS NOT NULL AND OLD.destroyed_at IS NULL) EXECUTE FUNCTION attachments_go();

-- A form of somebody without a login, while he fills it in. Nobody looks at it before it is sent.
CREATE TABLE saved_form (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('professional', 'pharmacy')),
    visit_hash bytea UNIQUE,
    visit_until timestamptz NOT NULL,
    code_hash bytea UNIQUE,
    code_until timestamptz,
    answers bytea NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    region_id uuid REFERENCES region,
    number text,
    sending uuid UNIQUE,
    report_id uuid,
    sent_at timestamptz,
    CHECK ((code_hash IS NULL) = (code_until IS NULL)),
    CHECK ((report_id IS NULL) = (sent_at IS NULL)),
    CHECK (sent_at IS NULL OR answers = '')
);
COMMENT ON COLUMN saved_form.visit_hash IS 'of the token of the browser that has it open';
COMMENT ON COLUMN saved_form.code_hash IS 'of the code to go on with later; used once';
COMMENT ON COLUMN saved_form.region_id IS 'set when sending begins: from then on it becomes a report or waits for another try';
COMMENT ON COLUMN saved_form.sending IS 'the last try to send: the subject of the job that finishes what a crash left';
COMMENT ON COLUMN saved_form.number IS 'what the sender may name when he calls; says nothing';
CREATE INDEX saved_form_visit_until ON saved_form (visit_until);
CREATE TABLE saved_file (
    id uuid PRIMARY KEY,
    form_id uuid NOT NULL REFERENCES saved_form ON DELETE CASCADE,
    name bytea NOT NULL,
    content bytea NOT NULL,
    kind text NOT NULL,
    size integer NOT NULL CHECK (size > 0),
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    added_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (form_id, sha256)
);

SELECT secure_table('attachment', 'report', 'SELECT, INSERT');
SELECT secure_table('saved_form', 'closed', '');
SELECT secure_table('saved_file', 'closed', '');
SELECT at_the_door('attachment', 'INSERT');
SELECT at_the_door('saved_form', 'SELECT, INSERT, UPDATE');
SELECT at_the_door('saved_file', 'SELECT, INSERT, DELETE');
