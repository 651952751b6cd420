-- The radar's signals over a household's time line, and earlier involvement per report.
SELECT 1;
