-- The register of an old system, loaded in bulk: its reports were assessed there, so they have no deadline here.
ALTER TABLE message DROP CONSTRAINT message_channel_check;
ALTER TABLE message ADD CONSTRAINT message_channel_check CHECK (channel IN ('corv', 'json', 'import'));

ALTER TABLE register_size ADD COLUMN read_with text;
COMMENT ON COLUMN register_size.read_with IS 'the rule set with which `veilig reindex` last read the register';
