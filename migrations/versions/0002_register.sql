-- What is known of a person stands in one row, and his blocking keys hang on him, not on each mention.
-- Both are derived from the links: `veilig reindex` makes them again, and `veilig migrate` does so when they are missing.
ALTER TABLE person ADD COLUMN profile text;
ALTER TABLE person SET (fillfactor = 80);
COMMENT ON COLUMN person.profile IS
    'derived: everything that the active links say of this person (radar.linking.profile); null: nobody is linked';

CREATE TABLE person_key (
    key bigint NOT NULL,
    person_id uuid NOT NULL,
    region_id uuid NOT NULL,
    PRIMARY KEY (key, person_id)
);
COMMENT ON TABLE person_key IS
    'derived: blocking keys (radar.linking.block), hashed with the region, so that regions do not find each other';

CREATE TABLE register_size (
    region_id uuid PRIMARY KEY REFERENCES region,
    persons bigint NOT NULL,
    counted_at timestamptz NOT NULL
);
COMMENT ON TABLE register_size IS 'how many persons a region knows, counted now and then by the clock';

DROP TABLE link_key;

-- What a mention says is read from what was received, whenever it is needed: no copy can grow old.
ALTER TABLE mention DROP COLUMN features;

-- Which report a household was founded for: taken back, the report gets the same household (and case) again.
ALTER TABLE household ADD COLUMN founded_by uuid;
CREATE INDEX household_founded_by ON household (founded_by) WHERE founded_by IS NOT NULL;

-- Every link of a mention, whatever became of it: the screens of a report and of a household ask for them.
CREATE INDEX link_mention ON link (mention_id);
