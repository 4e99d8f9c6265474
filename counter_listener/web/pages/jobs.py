"""Checks the recordings of a folder on the server: choose it, see how far the job is, and what could not be read."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from counter_listener.domain import BOM, N_, CounterListenerError, ReviewError, Translate, unpacked
from counter_listener.record import as_csv_lines, csv_line
from counter_listener.web.context import noted, signed_in, site_of
from counter_listener.web.rendering import flash, render, texts_of

router = APIRouter()
SHOWN: Final = 20
"""Files of a job that are named on the page; the list has all."""
COLUMNS: Final = ("path", "why")


@router.get("/jobs")
def jobs(request: Request, folder: str = "") -> Response:
    """The page, with the folders of a folder."""
    return show_jobs(request, folder)


def show_jobs(request: Request, folder: str = "", told: str = "", status: int = HTTPStatus.OK) -> Response:
    """The page. `told` is what was wrong with what the reader sent, in the reader's language."""
    site, text = site_of(request), texts_of(request)
    here, within, roots = None, list[Path](), site.jobs.roots()
    try:
        here = site.jobs.allowed(folder) if folder else roots[0] if len(roots) == 1 else None
        within = site.jobs.folders_in(here) if here else []
    except ReviewError as error:
        here, told, status = None, told or error.translated(text._), HTTPStatus.UNPROCESSABLE_ENTITY
    above = here.parent if here and any(here != root and here.is_relative_to(root) for root in roots) else None
    return render(
        request,
        "jobs.html",
        status,
        told=told,
        roots=roots,
        chosen=here,
        above=above,
        within=within,
        can_start=bool(site.settings.job_command),
        **listed(request),
    )


@router.get("/jobs/list")
def job_list(request: Request) -> Response:
    """The jobs alone; the page asks for them again while one runs."""
    return render(request, "jobs_list.html", **listed(request))


def listed(request: Request) -> dict[str, Any]:
    """The jobs as the page shows them."""
    text, found = texts_of(request), site_of(request).jobs.all()
    named = [[(each["path"], _said(each["why"], text._)) for each in job.failed[:SHOWN]] for job in found]
    shown = [(job, failures, _said(job.why, text._)) for job, failures in zip(found, named, strict=True)]
    return {"jobs": shown, "active": any(not job.over for job in found)}


@router.post("/jobs")
def add(
    request: Request,
    folder: Annotated[str, Form()] = "",
    counter: Annotated[str, Form()] = "",
    one_visit: Annotated[str, Form()] = "",
) -> Response:
    """Has a folder checked."""
    site, text = site_of(request), texts_of(request)
    if not site.settings.job_command:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    try:
        job = site.jobs.add(folder, signed_in(request).name, counter=counter, one_visit=bool(one_visit))
    except CounterListenerError as error:
        return show_jobs(request, told=error.translated(text._), status=HTTPStatus.UNPROCESSABLE_ENTITY)
    flash(request, N_("The recordings of the folder will be checked."))
    answer = RedirectResponse("/jobs", HTTPStatus.SEE_OTHER)
    return noted(request, answer, "changed", what=f"job {job.id}: {job.folder}")


@router.post("/jobs/cancel")
def cancel(request: Request, job: Annotated[str, Form()] = "") -> Response:
    """Ends a job."""
    done = site_of(request).jobs.cancel(job)
    text = N_("The job is cancelled. What was recorded stays in the record.")
    flash(request, text if done else N_("The job was over already."), good=done)
    answer = RedirectResponse("/jobs", HTTPStatus.SEE_OTHER)
    return noted(request, answer, "changed", what=f"job {job[:60]} cancelled") if done else answer


@router.get("/jobs/{job}/failed.csv")
def failed(request: Request, job: str) -> Response:
    """What could not be read or recorded, with the reason of each, for a spreadsheet."""
    found, text = site_of(request).jobs.find(job), texts_of(request)
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    rows = ({"path": each["path"], "why": _said(each["why"], text._)} for each in found.failed)
    head = csv_line([text._(N_("file")), text._(N_("reason"))])
    lines = "".join(line + "\r\n" for line in [head, *as_csv_lines(rows, COLUMNS)])
    headers = {"Content-Disposition": f'attachment; filename="failed-{found.id}.csv"'}
    return Response(BOM + lines, media_type="text/csv; charset=utf-8", headers=headers)


def _said(value: object, translate: Translate) -> str:
    """A sentence that was kept, in the language of the reader."""
    told = unpacked(value)
    return told.translated(translate) if told else ""
