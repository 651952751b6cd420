-- The register of persons: one profile and one set of keys per person.
SELECT 1;
