-- What a region's own people and its own forms bring in comes from the region itself: a sender with the region's id,
-- which has no token and no certificate, so that nothing comes in under its name by a feed.

ALTER TABLE sender ADD COLUMN own boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT sender_own CHECK (NOT own OR (id = region_id AND certificate_sha256 IS NULL AND reply_url IS NULL)),
    DROP CONSTRAINT sender_region_id_oin_key;
CREATE UNIQUE INDEX sender_oin ON sender (region_id, oin) WHERE NOT own;
COMMENT ON COLUMN sender.own IS 'the region itself: desk, phone and the forms on its site';

CREATE FUNCTION region_is_sender() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO sender (id, region_id, oin, name, kind, own) VALUES (NEW.id, NEW.id, NEW.oin, 'Veilig Thuis (eigen kanaal)',
        'veilig_thuis', true)
    ON CONFLICT (id) DO UPDATE SET oin = EXCLUDED.oin;
    RETURN NULL;
END $$;
CREATE TRIGGER region_is_sender AFTER INSERT OR UPDATE OF oin ON region FOR EACH ROW EXECUTE FUNCTION region_is_sender();
INSERT INTO sender (id, region_id, oin, name, kind, own) SELECT id, id, oin, 'Veilig Thuis (eigen kanaal)', 'veilig_thuis', true
FROM region;

CREATE FUNCTION no_token_for_own() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM sender WHERE id = NEW.sender_id AND own) THEN
        RAISE EXCEPTION 'the region itself has no token' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER no_token_for_own BEFORE INSERT ON sender_token FOR EACH ROW EXECUTE FUNCTION no_token_for_own();

ALTER TABLE message DROP CONSTRAINT message_channel_check;
ALTER TABLE message ADD CONSTRAINT message_channel_check
    CHECK (channel IN ('corv', 'json', 'import', 'desk', 'professional', 'citizen'));
