"""Splink's side of the comparison: runs in an environment of splink's own and talks to `tests.perf.rivals`.

    python splink_linker.py DIR BEST [--threads 2]

Trains a model by EM on the records before the cut, writes to BEST for every later record its best-matching known
person (record_id,person_id,household_id,weight), says so on stdout, then links one report per call for every list of
report ids that it reads on stdin and answers the milliseconds of each. Every line, in and out, is JSON. The model
sees the true ids of the register only to name whom a record was matched with, never to train.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink.internals.blocking_rule_creator import BlockingRuleCreator
from splink.internals.splink_dataframe import SplinkDataFrame

SEED = 1
U_PAIRS, EM_PAIRS = 1e7, 3e6
"""Pairs to learn from, at most: 5e6 or 5e7 for u gave the same best F1 (.996) at 100,000 persons."""

# Given names and surnames without capitals, accents and marks; surnames also without their prefixes.
_PLAIN = r"""trim(regexp_replace(lower(strip_accents(translate({}, 'ıłŁøØ', 'ilLoO'))), '[^a-z]+', ' ', 'g'))"""
_PREFIXES = "v vd van de der den d ten ter te op in t s het la el al ait ben aan"
MACROS = f"""
CREATE MACRO plain(name) AS {_PLAIN.format("name")};
CREATE MACRO names(name) AS
    list_filter(string_split(plain(name), ' '), lambda word: len(word) > 0);
CREATE MACRO bare(name) AS
    list_filter(names(name), lambda word: NOT list_contains(string_split('{_PREFIXES}', ' '), word));
"""
STANDARD = r"""
CREATE TABLE standard AS
SELECT record_id AS unique_id, report_id, report_ts,
    nullif(array_to_string(names(voornamen), ' '), '') AS given,
    names(voornamen)[1] AS given_first,
    names(voornamen) AS given_all,
    nullif(left(plain(voornamen), 1), '') AS initial,
    nullif(array_to_string(bare(geslachtsnaam), ' '), '') AS surname,
    list_distinct(list_concat(bare(geslachtsnaam), bare(partner_geslachtsnaam))) AS surname_all,
    CASE WHEN geboortedatum NOT LIKE '%-00%' THEN geboortedatum END AS birth,
    geboortedatum AS birth_text,
    left(geboortedatum, 4) AS birth_year,
    bsn,
    geslacht AS sex,
    postcode,
    left(postcode, 4) AS postcode4,
    postcode || ' ' || huisnummer AS address,
    regexp_replace(upper(toevoeging), '[^0-9A-Z]|HOOG', '', 'g') AS addition,
    lower(straat) || ' ' || huisnummer || ' ' || woonplaats AS street,
    right(regexp_replace(telefoon, '[^0-9]', '', 'g'), 8) AS phone
FROM read_csv(?, header = true, all_varchar = true)
"""
REGISTER = "CREATE TABLE register AS SELECT * EXCLUDE (report_id, report_ts) FROM standard WHERE report_ts < ?"
QUERY = "CREATE TABLE query AS SELECT * EXCLUDE (report_ts) FROM standard WHERE report_ts >= ?"
KNOWN = """
CREATE TABLE known AS SELECT record_id AS unique_id, person_id, household_id
    FROM read_csv(?, header = true, all_varchar = true)
    WHERE record_id IN (SELECT unique_id FROM register)
"""
FREQUENCIES = ("given", "given_first", "surname", "birth", "address", "phone")


def _first_name() -> cl.CustomComparison:
    initial = "(len(given_first_l) = 1 OR len(given_first_r) = 1) AND initial_l = initial_r"
    return cl.CustomComparison(
        output_column_name="given",
        comparison_levels=[
            cll.NullLevel("given"),
            cll.ExactMatchLevel("given", term_frequency_adjustments=True),
            cll.ExactMatchLevel("given_first", term_frequency_adjustments=True),
            cll.CustomLevel("list_has_any(given_all_l, given_all_r)", "a name in common"),
            cll.CustomLevel("given_l = surname_r OR list_contains(surname_all_r, given_first_l)", "swapped"),
            cll.JaroWinklerLevel("given_first", 0.92),
            cll.JaroWinklerLevel("given_first", 0.82),
            cll.CustomLevel(initial, "an initial that agrees"),
            cll.CustomLevel("initial_l = initial_r", "the same first letter"),
            cll.ElseLevel(),
        ],
    )


def _surname() -> cl.CustomComparison:
    return cl.CustomComparison(
        output_column_name="surname",
        comparison_levels=[
            cll.NullLevel("surname"),
            cll.ExactMatchLevel("surname", term_frequency_adjustments=True),
            cll.CustomLevel("list_has_any(surname_all_l, surname_all_r)", "a name in common"),
            cll.JaroWinklerLevel("surname", 0.93),
            cll.PairwiseStringDistanceFunctionLevel(
                "surname_all", distance_function_name="jaro_winkler", distance_threshold=0.88
            ),
            cll.CustomLevel("list_contains(given_all_r, surname_l)", "swapped"),
            cll.ElseLevel(),
        ],
    )


def _birth() -> cl.CustomComparison:
    turned = "birth_l[1:4] = birth_r[1:4] AND birth_l[6:7] = birth_r[9:10] AND birth_l[9:10] = birth_r[6:7]"
    partial = "(birth_l IS NULL OR birth_r IS NULL) AND birth_year_l = birth_year_r"
    near = "abs(birth_year_l::INT - birth_year_r::INT) <= 2"
    return cl.CustomComparison(
        output_column_name="birth",
        comparison_levels=[
            cll.NullLevel("birth_text"),
            cll.ExactMatchLevel("birth", term_frequency_adjustments=True),
            cll.CustomLevel(turned, "day and month turned"),
            cll.DamerauLevenshteinLevel("birth", 1),
            cll.CustomLevel(partial, "the same year, one of them partial"),
            cll.CustomLevel("birth_l[1:7] = birth_r[1:7]", "the same month"),
            cll.CustomLevel("birth_l[6:10] = birth_r[6:10]", "another year only"),
            cll.CustomLevel("birth_year_l = birth_year_r", "the same year"),
            cll.CustomLevel(near, "two years at most"),
            cll.ElseLevel(),
        ],
    )


def _address() -> cl.CustomComparison:
    return cl.CustomComparison(
        output_column_name="address",
        comparison_levels=[
            cll.NullLevel("address"),
            cll.CustomLevel("address_l = address_r AND addition_l <> addition_r", "another flat").configure(
                m_probability=0.001, fix_m_probability=True
            ),
            cll.ExactMatchLevel("address", term_frequency_adjustments=True),
            cll.ExactMatchLevel("street"),
            cll.ExactMatchLevel("postcode"),
            cll.ExactMatchLevel("postcode4"),
            cll.ElseLevel(),
        ],
    )


def _sex() -> cl.CustomComparison:
    return cl.CustomComparison(
        output_column_name="sex",
        comparison_levels=[
            cll.NullLevel("sex"),
            cll.ExactMatchLevel("sex"),
            cll.ElseLevel().configure(m_probability=0.002, fix_m_probability=True),
        ],
    )


def settings() -> SettingsCreator:
    """The model: what is compared, and which pairs are looked at."""
    bsn = cl.CustomComparison(
        output_column_name="bsn",
        comparison_levels=[
            cll.NullLevel("bsn"),
            cll.ExactMatchLevel("bsn"),
            cll.DamerauLevenshteinLevel("bsn", 1),
            cll.ElseLevel(),
        ],
    )
    phone = cl.CustomComparison(
        output_column_name="phone",
        comparison_levels=[
            cll.NullLevel("phone"),
            cll.ExactMatchLevel("phone", term_frequency_adjustments=True),
            cll.DamerauLevenshteinLevel("phone", 1),
            cll.ElseLevel(),
        ],
    )
    return SettingsCreator(
        link_type="dedupe_only",
        comparisons=[_first_name(), _surname(), _birth(), bsn, _address(), phone, _sex()],
        blocking_rules_to_generate_predictions=[
            block_on("bsn"),
            block_on("birth"),
            block_on("address"),
            block_on("phone"),
            block_on("given_first", "surname"),
            block_on("surname", "birth_year", "initial"),
            block_on("given_first", "birth_year", "postcode4"),
        ],
        retain_matching_columns=False,
        retain_intermediate_calculation_columns=False,
    )


def train(register: SplinkDataFrame) -> Linker:
    """Splink's own recipe: u from random pairs, m by EM from two blockings; the term frequencies stay registered."""
    linker = Linker(register, settings(), log_level=None)
    exact: list[str | BlockingRuleCreator] = [block_on("bsn"), block_on("given_first", "surname", "birth")]
    linker.training.estimate_probability_two_random_records_match(exact, recall=0.95)
    linker.training.estimate_u_using_random_sampling(max_pairs=U_PAIRS, seed=SEED)
    for rule in (block_on("bsn"), block_on("given_first", "birth")):
        linker.training.estimate_parameters_using_expectation_maximisation(
            rule, estimate_without_term_frequencies=True, max_pairs=EM_PAIRS
        )
    for column in FREQUENCIES:
        linker.table_management.compute_tf_table(column)
    return linker


class Splink:
    """A trained linker over the register of one folder."""

    def __init__(self, folder: Path, threads: int) -> None:
        self.db = duckdb.connect(config={"threads": threads})
        cut = json.loads((folder / "meta.json").read_text())["cut"]
        self.db.execute("SET lambda_syntax = 'ENABLE_SINGLE_ARROW'")  # splink 5.0.0 writes what duckdb 2 left
        self.db.execute(MACROS)
        self.db.execute(STANDARD, [str(folder / "records.csv")])
        self.db.execute(REGISTER, [cut])
        self.db.execute(QUERY, [cut])
        self.db.execute(KNOWN, [str(folder / "truth.csv")])
        self.db.execute("DROP TABLE standard")
        self.api = DuckDBAPI(self.db)
        self.register = self.api.register("register")
        self.linker = train(self.register)
        names = self.db.execute("SELECT * EXCLUDE (report_id) FROM query LIMIT 0").description
        self.columns = ", ".join(str(one[0]) for one in names or [])
        self.persons = dict(self.db.execute("SELECT unique_id, person_id FROM known").fetchall())

    def best(self, target: Path) -> int:
        """Every query record's best-matching known person, in one set-based call; returns the number of pairs."""
        self.db.execute(f"CREATE TABLE query_all AS SELECT {self.columns} FROM query")
        pairs = self.linker.inference.predict_between(self.register, self.api.register("query_all"))
        name = pairs.physical_name
        self.db.execute(
            f"""COPY (SELECT unique_id_r AS record_id, arg_max(person_id, match_weight) AS person_id,
                arg_max(household_id, match_weight) AS household_id, max(match_weight) AS weight
                FROM {name} JOIN known ON unique_id = unique_id_l GROUP BY 1 ORDER BY 1::BIGINT)
                TO '{target}' (HEADER)"""
        )
        rows = self.db.execute(f"SELECT count(*) FROM {name}").fetchall()
        pairs.drop_table_from_database_and_remove_from_cache()
        return int(rows[0][0])

    def link(self, report: str) -> tuple[float, float, dict[str, tuple[str, float]]]:
        """One report as it comes in: milliseconds by the clock and of CPU, and the best match and weight per record.

        The clock covers handing the (standardised) records over, splink's call and reading its answer.
        """
        sql = f"SELECT {self.columns} FROM query WHERE report_id = ?"
        rows = self.db.sql(sql, params=[report]).to_arrow_table()
        best: dict[str, tuple[str, float]] = {}
        start, worked = time.perf_counter(), time.process_time()
        pairs = self.linker.inference.predict_between(self.register, self.api.register(rows), warning_mode="never")
        for left, right, weight in self.db.execute(
            f"SELECT unique_id_l, unique_id_r, match_weight FROM {pairs.physical_name}"
        ).fetchall():
            if right not in best or weight > best[right][1]:
                best[right] = (self.persons[left], weight)
        elapsed, cpu = (time.perf_counter() - start) * 1000, (time.process_time() - worked) * 1000
        pairs.drop_table_from_database_and_remove_from_cache()
        return elapsed, cpu, best


def _say(**answer: Any) -> None:
    print(json.dumps(answer), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("best", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    chosen = parser.parse_args()
    start = time.perf_counter()
    model = Splink(chosen.folder, chosen.threads)
    trained = time.perf_counter()
    pairs = model.best(chosen.best)
    scored = time.perf_counter()
    _say(
        version=f"splink {importlib.metadata.version('splink')}, duckdb {duckdb.__version__}",
        train_seconds=trained - start,
        score_seconds=scored - trained,
        pairs=pairs,
    )
    for line in sys.stdin:
        answers = {report: model.link(report) for report in json.loads(line)}
        _say(
            milliseconds={report: elapsed for report, (elapsed, _, _) in answers.items()},
            cpu={report: cpu for report, (_, cpu, _) in answers.items()},
            best={record: found for _, _, best in answers.values() for record, found in best.items()},
            peak_gb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2,
        )


if __name__ == "__main__":
    main()
