"""Reads and checks a phrase-set file: TOML in, a PhraseSet out, and one sentence for the first fault."""

import difflib
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

from pydantic import TypeAdapter, ValidationError

from counter_listener.domain import (
    N_,
    MannerFigure,
    PhraseSet,
    PhraseSetError,
    Sentence,
    bundled_folder,
    read_toml,
    sentence,
)
from counter_listener.phrases.templates import TemplateError, template_reader

MAX_BYTES: Final = 1_000_000
LIMITS: Final[Mapping[MannerFigure, tuple[float, float]]] = {
    "volume": (-90, 0),
    "rate": (1, 15),
    "interruptions": (0, 100),
    "silence": (5, 3_600),
}
"""The least and the highest limit of each figure of `[[manner]]`, in its unit."""
EXPECTED: Final = {
    "missing": N_("is missing"),
    "string": N_("must be text in quotes"),
    "tuple": N_('must be a list, as in ["您好", "早上好"]'),
    "bool": N_("must be true or false"),
    "float": N_("must be a number"),
    "int": N_("must be a whole number"),
    "dataclass": N_("must be a table"),
    "dict": N_("must be a table"),
}
"""What is expected, by the first word of the type of an error of pydantic, such as `int_parsing`."""


def read_phrase_set(path: Path) -> tuple[PhraseSet, str]:
    """The phrase set in a file, and the SHA-256 of the file in hex.

    Raises PhraseSetError, which names the file, the table and the key, and says what is expected there.
    """
    table, content = read_toml(path, PhraseSetError, MAX_BYTES)
    return checked_set(table, path), hashlib.sha256(content).hexdigest()


def checked_set(table: dict[str, Any], path: Path) -> PhraseSet:
    """The phrase set in a parsed TOML table, with the frames of its language. Raises PhraseSetError."""
    if "frames" not in table:
        table["frames"] = language_frames(str(table.get("language", "zh")))
    phrases = validate(table, path)
    for fault in faults(phrases):
        raise PhraseSetError("{path}: {fault}", path=path, fault=fault)
    return phrases


def language_frames(language: str) -> dict[str, Any]:
    """The frames of a language as a table; an empty one if there are none."""
    path = bundled_folder("phrase_sets") / "frames" / f"{language}.toml"
    return read_toml(path, PhraseSetError, MAX_BYTES)[0] if language.isalpha() and path.is_file() else {}


def validate(table: dict[str, Any], path: Path) -> PhraseSet:
    """The phrase set in a parsed TOML table. Raises PhraseSetError, which names `path`."""
    forbidden = table.get("forbidden")
    for entry in forbidden if isinstance(forbidden, list) else ():
        if isinstance(entry, dict) and "class" in entry:
            entry["class_"] = entry.pop("class")
    try:
        return TypeAdapter(PhraseSet).validate_python(table)
    except ValidationError as error:
        raise PhraseSetError("{path}: {explain}", path=path, explain=describe_error(error, table)) from None


def describe_error(error: ValidationError, table: dict[str, Any]) -> Sentence:
    """The first fault of a table as one sentence: where it is, what is expected, and a similar key if there is one."""
    first, *more = sorted(error.errors(), key=lambda detail: detail["type"] == "missing")
    *tables, key = first["loc"] or ("",)
    tables = [step for step in tables if not isinstance(step, str) or "[" not in step]
    place = describe_location([*tables, key] if isinstance(key, int) else tables, table)
    also = sentence(" ({count} more like this)", count=len(more)) if more else Sentence("")
    name = str(key).rstrip("_")
    if first["type"] == "unexpected_keyword_argument":
        near = suggestion(str(key), known_keys(tables))
        return sentence("{place} has no key {key!r}{near}{also}.", place=place, key=name, near=near, also=also)
    if isinstance(key, str):
        place = sentence("{place}, {key!r}", place=place, key=name)
    known = EXPECTED.get(first["type"].partition("_")[0])
    expected = Sentence(known) if known else first["msg"].lower()
    return sentence("{place} {expected}{also}.", place=place, expected=expected, also=also)


def describe_location(steps: Iterable[object], table: dict[str, Any]) -> Sentence:
    """A place in the file in words, such as `[[stage]] 1 "greet", [[phrase]] 2 "hello"`."""
    names: list[str] = []
    value: Any = table
    for step in steps:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            value = None
        if isinstance(step, int):
            label = value.get("id") or value.get("title") if isinstance(value, dict) else None
            names[-1] = f"[{names[-1]}] {step + 1}" + (f' "{label}"' if label else "")
        else:
            names.append(f"[{step}]")
    return sentence("{names}", names=", ".join(names)) if names else sentence("the top of the file")


def known_keys(tables: Iterable[object]) -> list[str]:
    """The keys that are allowed in the table at this place."""
    schema = TypeAdapter(PhraseSet).json_schema()
    node: dict[str, Any] = schema
    for step in tables:
        node = _deref(node, schema)
        if isinstance(step, int):
            node = node.get("items", {})
        else:
            extra = node.get("additionalProperties")
            node = node.get("properties", {}).get(step) or (extra if isinstance(extra, dict) else {})
    return [name.rstrip("_") for name in _deref(node, schema).get("properties", {})]


def _deref(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = str(node.get("$ref", "")).rpartition("/")[2]
    return cast("dict[str, Any]", schema["$defs"][name]) if name else node


def suggestion(name: str, known: Iterable[str]) -> Sentence:
    """` (did you mean 'required'?)` if a known name is similar (difflib ratio 0.6 or more), else an empty text."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return sentence(" (did you mean {close!r}?)", close=close[0]) if close else Sentence("")


def faults(phrases: PhraseSet) -> Iterator[Sentence]:
    """The faults in the content of a phrase set that has the right structure, one sentence each."""
    yield from _duplicate_ids(phrases)
    yield from _unknown_references(phrases)
    yield from _wrong_numbers(phrases)
    yield from _wrong_templates(phrases)
    yield from _duplicate_templates(phrases)


def ids(phrases: PhraseSet) -> Iterator[tuple[str, str]]:
    """Every id with the kind of its table."""
    for stage, _ in phrases.stages():
        yield stage.id, "stage"
    for phrase, _ in phrases.phrases():
        yield phrase.id, "phrase"
    for kind in ("step", "word", "forbidden", "rule", "scenario", "aside", "errand", "observe", "manner"):
        yield from ((entry.id, kind) for entry in getattr(phrases, kind))


def _duplicate_ids(phrases: PhraseSet) -> Iterator[Sentence]:
    for name, count in Counter(name for name, _ in ids(phrases)).items():
        if not name:
            yield sentence("an id is empty; give each table an id of its own.")
        elif count > 1:
            yield sentence("the id {name!r} is used {count} times; give each its own.", name=name, count=count)


def _unknown_references(phrases: PhraseSet) -> Iterator[Sentence]:
    stages = [stage.id for stage, _ in phrases.stages()]
    steps = [step.id for step in phrases.step]
    classes = [entry.class_ for entry in phrases.forbidden]
    stages_and_phrases = [*stages, *(phrase.id for phrase, _ in phrases.phrases())]
    hinted = [*stages_and_phrases, *steps, *(scenario.id for scenario in phrases.scenario), "opened"]
    judged = [name for name, kind in ids(phrases) if kind in {"phrase", "forbidden", "rule", "scenario", "aside"}]
    references = (
        *(
            (f"[visit] {key} {name!r}", name, stages_and_phrases, N_("stage or phrase"))
            for key in ("opens", "closes")
            for name in getattr(phrases.visit, key)
        ),
        *((f"[[step]] {step.id!r}", step.stage, stages, N_("stage")) for step in phrases.step),
        *((f"phrase {phrase.id!r}", phrase.step, steps, N_("step")) for phrase, _ in phrases.phrases() if phrase.step),
        *(
            (f"phrase {phrase.id!r}, 'hint'", name, hinted, N_("phrase, step, stage or scenario"))
            for phrase, _ in phrases.phrases()
            for name in (*(phrase.hint.after or ()), *(phrase.hint.until or ()))
        ),
        *((f"[better] {name!r}", name, classes, N_("class")) for name in phrases.better),
        *((f"[[observe]] {entry.id!r}", entry.stage, stages, N_("stage")) for entry in phrases.observe),
        *((f"[[observe]] {entry.id!r}", entry.step, steps, N_("step")) for entry in phrases.observe if entry.step),
        *(
            (f"[[example]] {heard!r}", name, judged, N_("phrase, offence, rule or scenario"))
            for example in phrases.example
            for heard in example.sentences[:1]
            for name in example.expect
        ),
    )
    stage_of = {step.id: step.stage for step in phrases.step}
    for phrase, stage in phrases.phrases():
        if phrase.step and stage_of.get(phrase.step, stage.id) != stage.id:
            yield sentence(
                "phrase {phrase!r} is in stage {stage!r}, but its step {step!r} is not.",
                phrase=phrase.id,
                stage=stage.id,
                step=phrase.step,
            )
    for place, name, known, kind in references:
        if name not in known:
            yield sentence(
                "{place} names the {kind} {name!r}, which does not exist{near}.",
                place=place,
                kind=Sentence(kind),
                name=name,
                near=suggestion(str(name), known),
            )


def _wrong_numbers(phrases: PhraseSet) -> Iterator[Sentence]:
    checks = (
        *((f"phrase {p.id!r}, 'threshold'", p.threshold, 0, 100) for p, _ in phrases.phrases()),
        *((f"[[forbidden]] {f.id!r}, 'threshold'", f.threshold, 0, 100) for f in phrases.forbidden),
        *((f"phrase {p.id!r}, 'within'", p.within, 0, 86_400) for p, _ in phrases.phrases()),
        *((f"phrase {p.id!r}, 'hint', 'wait'", p.hint.wait, 0, 3_600) for p, _ in phrases.phrases()),
        *((f"phrase {p.id!r}, 'hint', 'quiet'", p.hint.quiet, 0, 3_600) for p, _ in phrases.phrases()),
        *((f"phrase {p.id!r}, 'weight'", p.weight, 0, 1_000) for p, _ in phrases.phrases()),
        *((f"[[observe]] {entry.id!r}, 'weight'", entry.weight, 0, 1_000) for entry in phrases.observe),
        *((f"[[manner]] {one.id!r}, 'limit'", one.limit, *LIMITS[one.figure]) for one in phrases.manner),
        *((f"[[rule]] {r.id!r}, 'scope'", r.scope, 0, 600) for r in phrases.rule if not isinstance(r.scope, str)),
        *((f"[slots] {name!r}, 'min'", slot.min, 0, slot.max) for name, slot in phrases.slots.items()),
        *((f"[slots] {name!r}, 'max'", slot.max, slot.min, 30) for name, slot in phrases.slots.items()),
        *((f"[[score.grade]] {grade.title!r}, 'least'", grade.least, 0, 100) for grade in phrases.score.grade),
        *((f"[score.penalty] {name!r}", points, 0, 100) for name, points in phrases.score.penalty.items()),
        ("[score], 'pass_mark'", phrases.score.pass_mark, 0, 100),
        ("[score], 'late'", phrases.score.late, 0, 1),
        ("[visit], 'quiet'", phrases.visit.quiet, 1, 86_400),
        ("[visit], 'idle'", phrases.visit.idle, 1, 86_400),
        ("[visit], 'opening_syllables'", phrases.visit.opening_syllables, 1, 1_000),
        *(
            (f"[visit.service], {key!r}", getattr(phrases.visit.service, key), 0, 1_000)
            for key in ("least", "required", "judged", "recommended", "word")
        ),
        ("[hearing], 'clause_pause'", phrases.hearing.clause_pause, 0, 10),
        ("[hearing], 'context'", phrases.hearing.context, 0, 600),
    )
    missing = [name for name in ("minor", "serious", "grave") if name not in phrases.score.penalty]
    if missing:
        yield sentence(
            "[score], 'penalty' lacks {names}; give points for minor, serious and grave.", names=", ".join(missing)
        )
    for place, value, least, most in checks:
        if value is not None and not least <= value <= most:
            yield sentence(
                "{place} is {value:g}; it must be from {least:g} to {most:g}.",
                place=place,
                value=value,
                least=least,
                most=most,
            )


def iter_templates(phrases: PhraseSet) -> Iterator[tuple[str, str, str]]:
    """Every template as (kind of table and key such as `phrase.say`, id of its table, text of the template)."""
    owners: list[tuple[str, Any]] = [("phrase", phrase) for phrase, _ in phrases.phrases()]
    owners += [
        (kind, entry)
        for kind in ("word", "forbidden", "rule", "scenario", "aside", "errand")
        for entry in getattr(phrases, kind)
    ]
    for kind, owner in owners:
        for key in ("say", "shared", "when", "need", "unless", "not_in"):
            yield from ((f"{kind}.{key}", owner.id, text) for text in getattr(owner, key, ()))


def _wrong_templates(phrases: PhraseSet) -> Iterator[Sentence]:
    owed = (phrase for phrase, _ in phrases.phrases())
    for entry in (*owed, *phrases.word, *phrases.forbidden, *phrases.aside, *phrases.errand):
        if not entry.say and not entry.shared:
            yield sentence("{name!r} has no wording; list at least one under 'say'.", name=entry.id)
    read, read_frame = template_reader(phrases).read, template_reader(phrases.frames).read
    frames = (
        ("frame." + place, frame.id, text)
        for frame in phrases.frames.frame
        for place in ("before", "after", "around")
        for text in getattr(frame, place)
    )
    for kind, owner, text in (*iter_templates(phrases), *frames):
        table, _, key = kind.partition(".")
        place = f"{table} {owner!r}"
        try:
            template = (read_frame if table == "frame" else read)(text)
        except TemplateError as error:
            known = [*phrases.lists, *phrases.rules, *phrases.slots]
            hint = suggestion(error.name, known) if error.name else Sentence("")
            reason = error.reason
            yield sentence(
                "{place}, {template!r}: {reason}{hint}.", place=place, template=text, reason=reason, hint=hint
            )
            continue
        if not template.min_units:
            yield sentence(
                "{place}, {key!r} contains {template!r}, which has no word that must be heard.",
                place=place,
                key=key,
                template=text,
            )


def _duplicate_templates(phrases: PhraseSet) -> Iterator[Sentence]:
    seen: dict[str, str] = {}
    for kind, owner, text in iter_templates(phrases):
        if kind not in {"phrase.say", "phrase.shared", "forbidden.say", "forbidden.shared"}:
            continue
        first = seen.setdefault("".join(text.split()), owner)
        if first != owner:
            yield sentence(
                "{wording!r} is under both {first!r} and {owner!r}; keep it under one.",
                wording=text,
                first=first,
                owner=owner,
            )
