"""Style sheets, scripts, drawings: files of ours and of others that never change while the server runs."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse

from counter_listener.web.rendering import STATIC

router = APIRouter()
KINDS: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
FILES: Final = {
    path.relative_to(STATIC).as_posix(): path for path in STATIC.rglob("*") if path.suffix in KINDS and path.is_file()
}
"""Every file that is served, by its name: a path in the address is only ever looked up here."""


@router.get("/static/{path:path}")
def static_file(request: Request, path: str) -> FileResponse:
    """A file. Its address changes with its content, so that browsers keep it."""
    if path not in FILES:
        raise HTTPException(404)
    kept = "public, max-age=31536000, immutable" if "v" in request.query_params else "no-cache"
    file = FILES[path]
    return FileResponse(file, media_type=KINDS[file.suffix], headers={"Cache-Control": kept})
