"""Questionnaires of the safety assessment as versioned data, and what a set of answers means. Pure but for the files.

A file is one version, and each version stays loadable for ever: an old assessment is read with its own questions. The
build (parts A, B and C, C only when B is negative) is that of domain.md 3; the questions are data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.documents import Kind
from core.errors import NotFound, SettingsError
from core.settings import settings

FOLDER = Path(__file__).with_name("questionnaires")
YES_NO = {"yes": "Ja", "no": "Nee", "unknown": "Onbekend"}
MAX_FIELDS = 45
"""A form has room for so many answers besides its own fields (web/access/guard.py)."""
MAX_TEXT = 4000
"""Characters of one answer."""

Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,40}$")]
Text = Annotated[str, Field(min_length=1, max_length=400)]


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Sign(_Data):
    """One line of the checklist of the acute check."""

    code: Code
    text: Text


class Question(_Data):
    """One question; `positive` names the answers that make its part positive."""

    code: Code
    text: Text
    kind: Literal["yes_no", "choice", "text"]
    help: str = ""
    choices: dict[Code, Text] = {}
    positive: list[str] = []
    required: bool = True

    @property
    def options(self) -> Mapping[str, str]:
        """The answers to choose from, code to text; empty for a text."""
        return YES_NO if self.kind == "yes_no" else self.choices

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.kind == "choice") != bool(self.choices):
            raise ValueError(f"{self.code}: choices belong to kind choice, and only there")
        if odd := set(self.positive) - set(self.options):
            raise ValueError(f"{self.code}: positive names no answer: {', '.join(sorted(odd))}")
        return self


class Part(_Data):
    """A part: its questions and the explanation it asks. `skipped_by`: not asked when that part is positive."""

    code: Code
    title: Text
    intro: str = ""
    explanation: Text
    skipped_by: Code | None = None
    questions: Annotated[list[Question], Field(min_length=1)]

    @property
    def why(self) -> Question:
        """The explanation, as the last question of the part."""
        return Question(code=f"{self.code}_explanation", text=self.explanation, kind="text")

    @property
    def fields(self) -> list[Question]:
        return [*self.questions, self.why]


class Questionnaire(_Data):
    """One version of the whole instrument."""

    version: Annotated[str, Field(pattern=r"^\d{4}-\d{2}(-[a-z0-9]+)*$")]
    title: Text
    source: Text
    verified: bool
    acute_signs: Annotated[list[Sign], Field(min_length=1, max_length=25)]
    parts: list[Part]

    @property
    def fields(self) -> dict[str, Question]:
        """Every question and explanation by its code, in order."""
        return {question.code: question for part in self.parts for question in part.fields}

    @model_validator(mode="after")
    def _fits(self) -> Self:
        codes = [question.code for part in self.parts for question in part.fields]
        parts = [part.code for part in self.parts]
        signs = [sign.code for sign in self.acute_signs]
        for name, found in (("questions", codes), ("parts", parts), ("acute signs", signs)):
            if len(set(found)) != len(found):
                raise ValueError(f"two {name} have the same code")
        if len(codes) > MAX_FIELDS:
            raise ValueError(f"more than {MAX_FIELDS} answers, explanations counted")
        if absent := {"acute", "structural", "harmful"} - set(parts):
            raise ValueError(f"parts missing: {', '.join(sorted(absent))}")
        for part in self.parts:
            before = parts[: parts.index(part.code)]
            if part.skipped_by is not None and part.skipped_by not in before:
                raise ValueError(f"{part.code}: skipped_by must name an earlier part")
            if part.code in ("acute", "structural", "harmful") and not any(one.positive for one in part.questions):
                raise ValueError(f"{part.code}: no answer makes it positive")
        return self


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the answers say. `missing`: what still stands in the way of submitting, per field, in Dutch."""

    acute: bool
    structural: bool
    harmful: bool
    missing: dict[str, str] = field(default_factory=dict)
    not_asked: tuple[str, ...] = ()
    """The codes of the parts that are skipped."""


def judge(questionnaire: Questionnaire, answers: Mapping[str, str]) -> Judgement:
    """Which parts are positive, what is not asked because of that, and what is missing. Other codes are ignored."""
    positive: set[str] = set()
    skipped: list[str] = []
    missing: dict[str, str] = {}
    for part in questionnaire.parts:
        if part.skipped_by in positive:
            skipped.append(part.code)
            missing |= {
                one.code: "Dit deel hoort leeg te blijven. Maak het leeg."
                for one in part.fields
                if _given(one, answers)
            }
            continue
        missing |= {one.code: text for one in part.fields if (text := _lacking(one, answers))}
        if any(answers.get(one.code) in one.positive for one in part.questions):
            positive.add(part.code)
    return Judgement("acute" in positive, "structural" in positive, "harmful" in positive, missing, tuple(skipped))


def _given(question: Question, answers: Mapping[str, str]) -> bool:
    return bool(answers.get(question.code, "").strip())


def _lacking(question: Question, answers: Mapping[str, str]) -> str | None:
    if not _given(question, answers):
        if not question.required:
            return None
        return "Kies een antwoord." if question.options else "Schrijf hier een toelichting."
    if question.options and answers[question.code] not in question.options:
        return "Kies een van de antwoorden."
    return None


def catalogue() -> Mapping[str, Questionnaire]:
    """Every version: those that come with the product, the operator's own, and those that were ever put in force.

    Raises SettingsError.
    """
    return {**_load(settings().questionnaires), **{one.version: one for one in in_force.every()}}


def current() -> Questionnaire:
    """What a new assessment is made with: the version that was put in force, else the latest file."""
    return in_force()


def version(name: str) -> Questionnaire:
    """One version by its name. Raises NotFound."""
    try:
        return catalogue()[name]
    except KeyError:
        raise NotFound(
            f"De vragenlijst van versie {name} staat niet bij dit systeem. Vraag uw beheerder om dat bestand."
        ) from None


def _latest() -> Path:
    folders = [folder for folder in (FOLDER, settings().questionnaires) if folder]
    files = {file.stem: file for folder in folders for file in folder.glob("*.toml")}
    return files[max(_load(settings().questionnaires))]


in_force = Kind("questionnaire", "questionnaire", _latest, Questionnaire.model_validate)
"""The questionnaire in force. Older ones: `version`."""


@lru_cache(maxsize=8)
def _load(own: Path | None) -> Mapping[str, Questionnaire]:
    if own is not None and not own.is_dir():
        raise SettingsError(f"VEILIG_QUESTIONNAIRES: {own} is not a folder")
    found: dict[str, Questionnaire] = {}
    for folder in (FOLDER, own):
        for file in sorted(folder.glob("*.toml")) if folder else ():
            one = _read(file)
            if one.version in found:
                raise SettingsError(f"{file.name}: version {one.version} exists already; a version never changes")
            found[one.version] = one
    return found


def _read(file: Path) -> Questionnaire:
    one = in_force.load(file)
    if file.stem != one.version:
        raise SettingsError(f"{file.name}: the file must be named after its version, {one.version}.toml")
    return one
