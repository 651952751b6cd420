"""The radar beside splink 5 on the same labelled data, in one run, turn by turn: quality and milliseconds per report.

    .venv/bin/python -m tests.perf.rivals DIR --tune DIR2 --splink-python VENV/bin/python [--sample 200]

DIR and DIR2 come from the linkage generator, with different seeds: splink's threshold is the best one on DIR2, the
figures are of DIR. Splink lives in an environment of its own (rivals/splink_linker.py); ours is `veilig link-file`.
Ours is timed with the durable write, splink without one.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import json
import random
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.perf import stack

LINKER = Path(__file__).parent / "rivals" / "splink_linker.py"
METRICS = stack.ROOT.parent / "shared" / "linkage" / "metrics.py"
THRESHOLDS = [step / 2 for step in range(-8, 41)]
"""Match weights (bits) to choose from."""

Predictions = dict[str, tuple[str, str]]
"""Record to the person and the household that it is linked with."""


@dataclass(frozen=True)
class Match:
    """The best-matching known person of one record, that person's household then, and the match weight in bits."""

    record: str
    person: str
    household: str
    weight: float


class Data:
    """One folder of the generator, and the score of predictions on it by the generator's own metrics.py."""

    def __init__(self, folder: Path, metrics: Path) -> None:
        spec = importlib.util.spec_from_file_location("linkage_metrics", metrics)
        if spec is None or spec.loader is None:
            raise SystemExit(f"no metrics at {metrics}")
        self._metrics: Any = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self._metrics)
        self.folder = folder
        self._loaded = self._metrics.load(str(folder))
        self.records: dict[str, list[str]] = defaultdict(list)
        for record, (report, is_query, _, _) in self._loaded[1].items():
            if is_query:
                self.records[report].append(record)

    def score(self, predictions: Predictions) -> dict[str, Any]:
        """All figures of metrics.py, in link mode."""
        found: dict[str, Any] = self._metrics.evaluate(str(self.folder), predictions, "link", None, self._loaded)
        return found

    def predict(self, matches: dict[str, Match], threshold: float) -> Predictions:
        """Everybody whose best match reaches the threshold; those who do decide the report's household by weight."""
        predictions: Predictions = {}
        for records in self.records.values():
            linked = {name: matches[name] for name in records if name in matches}
            linked = {name: one for name, one in linked.items() if one.weight >= threshold}
            votes: dict[str, float] = defaultdict(float)
            for one in linked.values():
                votes[one.household] += one.weight
            home = max(votes, key=votes.__getitem__) if votes else ""
            for name in records if home else ():
                predictions[name] = (linked[name].person if name in linked else f"new-{name}", home)
        return predictions

    def best_threshold(self, matches: dict[str, Match]) -> float:
        """The threshold with the highest link F1 of persons."""

        def f1(threshold: float) -> float:
            return float(self.score(self.predict(matches, threshold))["person"]["link"]["f1"])

        return max(THRESHOLDS, key=f1)


class Splink:
    """The process with splink: trained when it is made, then asked for one block of reports after another."""

    def __init__(self, process: subprocess.Popen[str], matches: Path) -> None:
        self._process = process
        self.ready = self._read()
        with matches.open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.matches = {
            row["record_id"]: Match(row["record_id"], row["person_id"], row["household_id"], float(row["weight"]))
            for row in rows
        }

    def link(self, reports: list[str]) -> dict[str, Any]:
        """Milliseconds per report and the best match per record, one call of splink per report."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(reports) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"splink ended with {self._process.wait()}; its own words are above")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def splink(python: Path, folder: Path, matches: Path, threads: int) -> Iterator[Splink]:
    """A splink that has learned from the register of this folder; prints what that took."""
    command = [str(python), str(LINKER), str(folder), str(matches), "--threads", str(threads)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            rival = Splink(process, matches)
            ready = rival.ready
            print(
                f"{ready['version']}, {threads} threads, {folder.name}: trained in {ready['train_seconds']:.0f} s, "
                f"the query month in one call {ready['score_seconds']:.0f} s, {ready['pairs']} pairs",
                flush=True,
            )
            yield rival
        finally:
            process.terminate()


def link_file(folder: Path, predictions: Path, timings: Path, own_engines: bool) -> None:
    """Our side: the product's own command over the whole query month."""
    command = [sys.executable, "-m", "workers.cli", "link-file", str(folder), "--mode", "link"]
    command += ["--out", str(predictions), "--timings", str(timings)]
    with ExitStack() as engines:
        if own_engines:
            engines.enter_context(stack.engines())
        subprocess.run(command, cwd=stack.ROOT, check=True)


def read_timings(path: Path) -> dict[str, tuple[float, float]]:
    """Milliseconds per report: read and score, and the same with the durable write."""
    with path.open(encoding="utf-8") as file:
        return {
            row["report_id"]: (float(row["read_and_score_ms"]), float(row["durable_ms"]))
            for row in csv.DictReader(file)
        }


def read_predictions(path: Path) -> Predictions:
    """A predictions file as metrics.py describes it."""
    with path.open(encoding="utf-8") as file:
        return {
            row["record_id"]: (row["predicted_person_cluster"], row["predicted_household_cluster"])
            for row in csv.DictReader(file)
        }


def percentile(values: list[float], share: float) -> float:
    """The value below which this share lies (nearest rank)."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def show_times(name: str, values: list[float]) -> None:
    """One line: p50, p95 and the number of reports."""
    print(
        f"  {name:32} p50 {percentile(values, 0.5):8.2f} ms  p95 {percentile(values, 0.95):8.2f} ms"
        f"  ({len(values)} reports)",
        flush=True,
    )


def show_ratio(how: str, theirs: list[float], ours: list[float]) -> None:
    """One line: how many times faster ours is."""
    middle, high = (percentile(theirs, share) / percentile(ours, share) for share in (0.5, 0.95))
    print(f"    times faster than splink {how}: {middle:.0f} at p50, {high:.0f} at p95")


def show_score(name: str, score: dict[str, Any]) -> None:
    """Precision, recall and F1 of persons and households, with and without BSN."""
    print(name)
    for what in ("person", "household"):
        for kind in ("link", "link_nobsn"):
            one = score[what][kind]
            counts = f"right {one['tp']}, wrong {one['fp']}, missed {one['fn']}"
            label = f"{what}{', no BSN' if kind == 'link_nobsn' else ''}"
            print(f"  {label:18} P {one['p']:.4f}  R {one['r']:.4f}  F1 {one['f1']:.4f}  ({counts})")


def choose_threshold(chosen: argparse.Namespace, work: Path) -> float:
    """The one given, or the best on the other seed."""
    if chosen.threshold is not None:
        return float(chosen.threshold)
    data = Data(chosen.tune, chosen.metrics)
    with splink(chosen.splink_python, chosen.tune, work / "tune.csv", chosen.threads) as rival:
        matches = rival.matches
    threshold = data.best_threshold(matches)
    f1 = data.score(data.predict(matches, threshold))["person"]["link"]["f1"]
    print(f"threshold {threshold} bits, the best on {chosen.tune.name} (F1 {f1:.4f} there)", flush=True)
    return threshold


def compare(chosen: argparse.Namespace, work: Path) -> None:
    """Our block, splink's block, ours, splink's; then both qualities and the ratio."""
    threshold = choose_threshold(chosen, work)
    data = Data(chosen.folder, chosen.metrics)
    names = list(data.records)
    asked = random.Random(chosen.seed).sample(names, min(chosen.sample, len(names)))
    predictions, timings = chosen.predictions or work / "ours.csv", chosen.timings or work / "timings.csv"
    runs_ours = not (chosen.timings or chosen.splink_only)
    ours: list[tuple[float, float]] = []
    theirs: list[float] = []
    cpu: list[float] = []
    answers: dict[str, tuple[str, float]] = {}
    with splink(chosen.splink_python, chosen.folder, work / "splink.csv", chosen.threads) as rival:
        rival.link(asked[:1])  # the first call also warms up
        for number in range(chosen.rounds):
            block = asked[number :: chosen.rounds]
            if runs_ours:
                link_file(chosen.folder, predictions, timings, chosen.engines)
            if not chosen.splink_only:
                known = read_timings(timings)
                mine = [known[report] for report in block]
                show_times(f"block {number + 1}: ours, durable", [durable for _, durable in mine])
                ours += mine
            answer = rival.link(block)
            show_times(f"block {number + 1}: splink", list(answer["milliseconds"].values()))
            theirs += answer["milliseconds"].values()
            cpu += answer["cpu"].values()
            answers |= answer["best"]
    print(f"{len(theirs)} reports, {'turn by turn' if runs_ours else 'ours not in this run'}")
    show_times("splink, one call per report", theirs)
    show_times("splink, CPU of the same calls", cpu)
    least = [min(pair) for pair in zip(theirs, cpu, strict=True)]
    if ours:
        for name, column in (("ours, read and score", 0), ("ours, with the durable write", 1)):
            values = [one[column] for one in ours]
            show_times(name, values)
            show_ratio("by the clock" if runs_ours else "by the clock, but not of one run", theirs, values)
            show_ratio("against splink's CPU or clock, the smaller", least, values)
    linked = [record for report in asked for record in data.records[report]]
    same = sum(agree(answers.get(record), rival.matches.get(record), threshold) for record in linked)
    print(f"splink, one by one and in one call: the same answer for {same} of {len(linked)} records")
    print(f"splink's peak memory: {answer['peak_gb']:.1f} GB")
    show_score(f"splink, threshold {threshold} bits", data.score(data.predict(rival.matches, threshold)))
    if predictions.exists() and not chosen.splink_only:
        show_score("ours", data.score(read_predictions(predictions)))


def agree(one: tuple[str, float] | None, other: Match | None, threshold: float) -> bool:
    """Whether both ways link this record with the same person, or both leave it new."""
    first = one[0] if one and one[1] >= threshold else None
    return first == (other.person if other and other.weight >= threshold else None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--splink-python", type=Path, required=True, help="the python of an environment with splink 5"
    )
    threshold = parser.add_mutually_exclusive_group(required=True)
    threshold.add_argument("--tune", type=Path, help="another seed: its best threshold is splink's")
    threshold.add_argument("--threshold", type=float, help="splink's match weight in bits, from an earlier --tune")
    parser.add_argument("--sample", type=int, default=200, help="reports to link one by one")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--rounds", type=int, default=2, help="blocks of each side")
    parser.add_argument("--threads", type=int, default=2, help="of duckdb")
    parser.add_argument("--timings", type=Path, help="of an earlier `veilig link-file`, instead of running it")
    parser.add_argument("--predictions", type=Path, help="the same run's predictions")
    parser.add_argument("--splink-only", action="store_true", help="leave our side out")
    parser.add_argument(
        "--engines", action="store_true", help="give `link-file` an embedded PostgreSQL for each block"
    )
    parser.add_argument("--metrics", type=Path, default=METRICS, help="metrics.py of the linkage data")
    parser.add_argument("--keep", type=Path, help="a folder for the files in between")
    chosen = parser.parse_args()
    if chosen.tune and chosen.tune.resolve() == chosen.folder.resolve():
        parser.error("--tune must be another seed than the one reported")
    if chosen.keep:
        chosen.keep.mkdir(parents=True, exist_ok=True)
        compare(chosen, chosen.keep)
    else:
        with TemporaryDirectory(prefix="veilig-rivals-") as name:
            compare(chosen, Path(name))


if __name__ == "__main__":
    main()
