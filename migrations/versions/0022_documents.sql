-- Versions of rules and texts, and which one is in force. The files of the product are not in here: where nothing was
-- activated, the file holds. region_id is empty for what is the same in the whole installation.

CREATE TABLE document (
    id uuid PRIMARY KEY,
    region_id uuid REFERENCES region,
    kind text NOT NULL CHECK (kind ~ '^[a-z_]+(\.[a-z_]+)?$'),
    number integer NOT NULL CHECK (number > 0),
    content text NOT NULL CHECK (content <> ''),
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    note text NOT NULL CHECK (note <> ''),
    checked_with text NOT NULL,
    UNIQUE NULLS NOT DISTINCT (kind, region_id, number)
);
COMMENT ON COLUMN document.checked_with IS 'the version of the product whose checks it passed; what does not pass is not stored';

-- The row with the highest number is in force.
CREATE TABLE document_activation (
    id uuid PRIMARY KEY,
    region_id uuid REFERENCES region,
    kind text NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    document_id uuid REFERENCES document,
    before_id uuid REFERENCES document,
    activated_by text NOT NULL,
    activated_at timestamptz NOT NULL,
    reason text NOT NULL CHECK (reason <> ''),
    rehearsal jsonb NOT NULL,
    UNIQUE NULLS NOT DISTINCT (kind, region_id, number)
);
COMMENT ON COLUMN document_activation.document_id IS 'empty: back to the file of the product';
COMMENT ON COLUMN document_activation.rehearsal IS 'what was shown of the consequences: sentences and numbers, no personal data';

CREATE TRIGGER document_immutable BEFORE UPDATE OR DELETE ON document FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER document_activation_append_only BEFORE UPDATE OR DELETE ON document_activation
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- A version belongs where it is activated, and who made it does not put it in force for the first time himself. Back to
-- what was in force before, one person may: an undo must not wait.
CREATE FUNCTION document_activation_fits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    made document%ROWTYPE;
BEGIN
    IF NEW.document_id IS NULL THEN
        RETURN NEW;
    END IF;
    SELECT * INTO made FROM document WHERE id = NEW.document_id;
    IF (made.kind, made.region_id) IS DISTINCT FROM (NEW.kind, NEW.region_id) THEN
        RAISE EXCEPTION 'a version is activated where it belongs' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF made.made_by = NEW.activated_by
        AND NOT EXISTS (SELECT FROM document_activation a WHERE a.document_id = NEW.document_id) THEN
        RAISE EXCEPTION 'a second person activates a version' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER document_activation_fits BEFORE INSERT ON document_activation
    FOR EACH ROW EXECUTE FUNCTION document_activation_fits();

SELECT secure_table('document', 'region', 'SELECT, INSERT');
SELECT secure_table('document_activation', 'region', 'SELECT, INSERT');
-- What holds for the whole installation is seen, and changed, by the staff of every region of it.
DO $$
DECLARE
    name text;
    rule text := '(region_id IS NULL OR region_id = (SELECT visit_region())) AND (SELECT visit_staff()) IS NOT NULL';
BEGIN
    FOREACH name IN ARRAY ARRAY['document', 'document_activation'] LOOP
        EXECUTE format('DROP POLICY of_visit ON %I', name);
        EXECUTE format('CREATE POLICY of_visit ON %I TO veilig_web USING (%s) WITH CHECK (%s)', name, rule, rule);
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON %I FROM veilig_worker', name);
    END LOOP;
END $$;
-- The web process reads what is in force before it is known who asks.
SELECT at_the_door('document', 'SELECT');
SELECT at_the_door('document_activation', 'SELECT');
