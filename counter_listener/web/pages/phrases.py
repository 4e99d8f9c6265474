"""The phrase set: what is asked, in forms; a change is proven before it is saved; a version is put in force."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from counter_listener.domain import N_, CounterListenerError, PhraseSetError, Sentence, sentence, translator
from counter_listener.phrases import KIND_TITLES, read_spreadsheet, write_spreadsheet
from counter_listener.record import SetChange, note_set_change, set_changes
from counter_listener.web.context import lang_of, noted, signed_in, site_of
from counter_listener.web.rendering import flash, render, texts_of
from counter_listener.web.set_view import (
    SETTING,
    FormError,
    FormField,
    Table,
    changed_table,
    fields_of,
    groups_of,
    table_of,
    without,
)
from counter_listener.web.set_work import prove
from counter_listener.web.spoken import MOST_SECONDS, may_record
from counter_listener.web.versions import SHIPPED, Version

router = APIRouter()
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PATIENCE: Final = 180.0
"""Seconds in which a change must be proven."""


async def sent_form(request: Request) -> dict[str, Any]:
    """What a form sent: texts, and files that were chosen."""
    return dict((await request.form()).multi_items())


Sent = Annotated[dict[str, Any], Depends(sent_form)]


@dataclass(frozen=True, slots=True)
class ShownVersion:
    """A version in the list of versions."""

    version: Version
    saved: SetChange | None
    in_force: list[SetChange]


def text_in(form: Mapping[str, Any], name: str) -> str:
    """A text of a form; empty if it is not there."""
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def version_of(request: Request, name: str, number: str = "") -> Version:
    """A version by the name of its set and its number; the newest for no number, the first set for no name."""
    versions = site_of(request).versions
    known = versions.names()
    if number and not number.isdecimal():
        raise HTTPException(HTTPStatus.NOT_FOUND)
    found = versions.find(name or known[0], int(number) if number else None)
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return found


@router.get("/phrases")
def phrases(request: Request) -> Response:
    """The page."""
    return show_set(request, request.query_params.get("set", ""))


def show_set(request: Request, name: str, faults: Sequence[str] = (), status: int = HTTPStatus.OK) -> Response:
    """The page of a set. `faults` says, in the reader's language, why something was not saved."""
    site, told = site_of(request), texts_of(request)
    newest = version_of(request, name)
    in_force = site.versions.in_force(newest.name)
    table = table_of(newest)
    page = render(
        request,
        "phrases.html",
        status,
        names=site.versions.names(),
        table=table,
        newest=newest,
        in_force=in_force,
        groups=groups_of(table, told._),
        versions=list(reversed(_history(request, newest.name))),
        pass_mark=table.get("score", {}).get("pass_mark", 80),
        faults=faults,
        most=MOST_SECONDS,
        link=link,
    )
    return may_record(page)


def _history(request: Request, name: str) -> list[ShownVersion]:
    site = site_of(request)
    with site.records.reading() as record:
        changes = record.query(partial(set_changes, name=name))
    return [
        ShownVersion(
            one,
            next((each for each in changes if each.did == "saved" and each.number == one.number), None),
            [each for each in changes if each.did == "in_force" and each.number == one.number],
        )
        for one in site.versions.all(name)
    ]


def link(path: str, **query: object) -> str:
    """An address with a query."""
    return f"{path}?{urlencode({name: str(value) for name, value in query.items() if value not in ('', None)})}"


@router.get("/phrases/entry")
def entry(request: Request) -> Response:
    """The form of an entry, of a new one, or of the settings."""
    query = request.query_params
    newest = version_of(request, query.get("set", ""))
    kind, name = query.get("kind", ""), query.get("id", "")
    try:
        fields = fields_of(table_of(newest), kind, name, texts_of(request)._)
    except FormError:
        raise HTTPException(HTTPStatus.NOT_FOUND) from None
    if name and kind != SETTING and not any(one.value for one in fields if one.field.key == "id"):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return _show_form(request, newest, kind, name, [_given(one, query.get(one.field.key)) for one in fields])


def _given(one: FormField, given: str | None) -> FormField:
    return one if given is None or one.field.key == "id" else FormField(one.field, given, one.options)


def _show_form(  # noqa: PLR0913 - what the form is about
    request: Request,
    newest: Version,
    kind: str,
    name: str,
    fields: Sequence[FormField],
    faults: Sequence[str] = (),
    status: int = HTTPStatus.OK,
) -> Response:
    titles = {str(known): title for known, title in KIND_TITLES.items()}
    values = {
        "newest": newest,
        "kind": kind,
        "id": name,
        "fields": fields,
        "faults": faults,
        "title": titles.get(kind, N_("Settings")),
    }
    return render(request, "phrases_entry.html", status, **values, link=link)


@router.post("/phrases/entry")
def save_entry(request: Request, form: Sent) -> Response:
    """Saves a new version with what a form says, if it is sound."""
    told = texts_of(request)
    newest = version_of(request, text_in(form, "set"))
    kind, name = text_in(form, "kind"), text_in(form, "was")
    given = {key: value for key, value in form.items() if isinstance(value, str)}
    try:
        table = changed_table(table_of(newest), kind, name, given, told._)
        changed = {name, given.get("id", name).strip()} - {""}
        _save(request, newest, table, text_in(form, "base"), changed)
    except (FormError, PhraseSetError) as error:
        try:
            fields = [_given(one, given.get(one.field.key)) for one in fields_of(table_of(newest), kind, name, told._)]
        except FormError:
            raise HTTPException(HTTPStatus.NOT_FOUND) from None
        return _show_form(request, newest, kind, name, fields, _sentences(request, error), _status(error))
    return RedirectResponse(link("/phrases", set=newest.name), HTTPStatus.SEE_OTHER)


def _status(error: Exception) -> int:
    from counter_listener.web.versions import VersionConflictError

    conflict = isinstance(error, VersionConflictError)
    return HTTPStatus.CONFLICT if conflict else HTTPStatus.UNPROCESSABLE_ENTITY


def _sentences(request: Request, error: Exception) -> list[str]:
    told = texts_of(request)._
    if isinstance(error, FormError):
        return [fault.translated(told) for fault in error.faults]
    return [error.translated(told)] if isinstance(error, CounterListenerError) else []


@router.post("/phrases/remove")
def remove(request: Request, form: Sent) -> Response:
    """Saves a new version without an entry, if it is sound."""
    newest = version_of(request, text_in(form, "set"))
    kind, name = text_in(form, "kind"), text_in(form, "was")
    try:
        _save(request, newest, without(table_of(newest), kind, name), text_in(form, "base"), (), name)
    except (FormError, PhraseSetError) as error:
        return show_set(request, newest.name, _sentences(request, error), _status(error))
    return RedirectResponse(link("/phrases", set=newest.name), HTTPStatus.SEE_OTHER)


def _save(  # noqa: PLR0913 - what is saved, and what is noted of it
    request: Request, newest: Version, table: Table, base: str, changed: Sequence[str] | set[str], removed: str = ""
) -> None:
    """Proves and saves a table as a new version. Raises FormError, VersionConflictError."""
    if table == table_of(newest):
        flash(request, N_("Nothing was changed."))
        return
    proven = site_of(request).worker.run(prove, newest.text, table, frozenset(changed), patience=PATIENCE)
    if proven.faults:
        raise FormError(*proven.faults)
    _keep(request, newest, proven.text, base, ", ".join(sorted(changed)) or f"- {removed}")


def _keep(request: Request, newest: Version, text: str, base: str, note: str) -> Version:
    """Saves a text that is proven; whoever does it is noted. Raises VersionConflictError, RecordError."""
    site = site_of(request)
    saved = site.versions.save(newest.name, text, int(base) if base.isdecimal() else newest.number)
    _note(request, saved, "saved", note)
    told = sentence("Version {number} is saved. It is not in force yet.", number=saved.number)
    flash(request, told)
    return saved


def _note(request: Request, version: Version, did: str, note: str = "") -> None:
    site, by = site_of(request), signed_in(request).name
    action = "in_force" if did == "in_force" else "saved"
    change = SetChange(version.name, version.number, version.digest, action, by, site.now(), note[:500])  # type: ignore[arg-type]
    with site.records.writing() as record:
        note_set_change(record, change)


@router.post("/phrases/force")
def put_in_force(request: Request, form: Sent) -> Response:
    """Puts a version in force; an older one comes back as a new version with the same text."""
    site = site_of(request)
    newest = version_of(request, text_in(form, "set"))
    version = version_of(request, newest.name, text_in(form, "version") or "x")
    try:
        if version.number != newest.number:
            note = texts_of(request)._("back to version {number}").format(number=version.number)
            version = _keep(request, newest, version.text, text_in(form, "base"), note)
    except PhraseSetError as error:
        return show_set(request, newest.name, _sentences(request, error), _status(error))
    if version.number != SHIPPED:
        _note(request, version, "in_force")
        site.versions.put_in_force(version)
        flash(request, sentence("Version {number} is in force from now on.", number=version.number))
    return RedirectResponse(link("/phrases", set=newest.name), HTTPStatus.SEE_OTHER)


@router.get("/phrases/export.xlsx")
def export(request: Request) -> Response:
    """The newest version as a spreadsheet."""
    newest = version_of(request, request.query_params.get("set", ""), request.query_params.get("version", ""))
    made = io.BytesIO()
    write_spreadsheet(newest.text, made, translator(lang_of(request)))
    headers = {"Content-Disposition": f'attachment; filename="{newest.name}-{newest.number}.xlsx"'}
    answer = Response(made.getvalue(), media_type=XLSX, headers=headers)
    return noted(request, answer, "exported", what=f"phrase set {newest.name}, version {newest.number}")


@router.post("/phrases/import")
def import_(request: Request, form: Sent) -> Response:
    """Saves the spreadsheet that somebody edited as a new version, if it is sound."""
    newest = version_of(request, text_in(form, "set"))
    try:
        text = _uploaded(form.get("file"))
        _save_text(request, newest, text, text_in(form, "base"))
    except (FormError, PhraseSetError) as error:
        return show_set(request, newest.name, _sentences(request, error), _status(error))
    return RedirectResponse(link("/phrases", set=newest.name), HTTPStatus.SEE_OTHER)


def _uploaded(given: object) -> str:
    """The text of the set in a spreadsheet that was sent. Raises FormError, PhraseSetError."""
    if not isinstance(given, UploadFile) or not given.filename:
        raise FormError(sentence("Choose a spreadsheet that was exported here, then press again."))
    with given.file, tempfile.TemporaryDirectory(prefix="counter-listener-set-") as folder:
        path = Path(folder, "words.xlsx")
        path.write_bytes(given.file.read())
        try:
            return read_spreadsheet(path)
        except PhraseSetError as error:
            raise PhraseSetError(_with_name(error.sentence, given.filename)) from None


def _with_name(told: Sentence, name: str) -> Sentence:
    """The sentence with the name that the reader knows."""
    return Sentence(told.text, {**told.values, "path": name} if "path" in told.values else told.values)


def _save_text(request: Request, newest: Version, text: str, base: str) -> None:
    import tomllib

    table = tomllib.loads(text)
    if table == table_of(newest):
        flash(request, N_("Nothing was changed."))
        return
    proven = site_of(request).worker.run(prove, text, table, frozenset(), patience=PATIENCE)
    if proven.faults:
        raise FormError(*proven.faults)
    _keep(request, newest, proven.text, base, texts_of(request)._("from a spreadsheet"))
