"""The page's addresses. They take bytes and words, never a path; what comes back is text that Jinja2 has escaped."""

import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cross_modal_kd.demo.desk import Answer, Desk
from cross_modal_kd.modalities import modality_of
from cross_modal_kd.plotting import page_style

LARGEST_MB, LONGEST = 25, 500
HOSTS = ["127.0.0.1", "localhost"]
POLICY = (
    "default-src 'none'; connect-src 'self'; img-src data: blob:; media-src data: blob:; style-src 'unsafe-inline'; "
    "script-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def make_app(desk: Desk, largest: int = LARGEST_MB * 2**20) -> FastAPI:
    """The server's application.

    Args:
        desk: that answers.
        largest: bytes of a file, at most.

    Returns:
        An ASGI application, for this machine's browsers alone: other names of the host, and other pages, are refused.
    """
    app, answers = FastAPI(docs_url=None, redoc_url=None, openapi_url=None), _Answers(desk, largest)
    app.middleware("http")(_guard)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)
    app.get("/")(answers.page)
    app.get("/example/{number}")(answers.example)
    app.post("/answer")(answers.answer)
    app.post("/search")(answers.search)
    app.exception_handler(Exception)(answers.failed)
    return app


class _Answers:
    def __init__(self, desk: Desk, largest: int) -> None:
        self._desk, self._largest = desk, largest
        self._pages = Environment(
            loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )

    def page(self) -> HTMLResponse:
        nonce, task = secrets.token_urlsafe(16), self._desk.student.task
        style = page_style([]) + Path(__file__).with_name("demo.css").read_text(encoding="utf-8")
        text = self._pages.get_template("page.html.jinja").render(
            task=task,
            style=style,
            nonce=nonce,
            endings=",".join(modality_of(task.student).served),
            examples=len(self._desk.examples),
            takes_words=self._desk.takes_words,
            largest_mb=self._largest / 2**20,
            longest=LONGEST,
        )
        return HTMLResponse(text, headers={"Content-Security-Policy": POLICY.format(nonce=nonce)})

    def example(self, number: int) -> Response:
        if not 0 <= number < len(self._desk.examples):
            return Response("there is no such example", 404)
        return Response(self._desk.examples[number], media_type="application/octet-stream")

    async def answer(self, request: Request) -> HTMLResponse:
        content = await _body(request, self._largest)
        if content is None:
            return self._shown(Answer(f"the file is larger than {self._largest / 2**20:g} MB"), 413)
        return self._shown(await run_in_threadpool(self._desk.answer, content))

    async def search(self, request: Request) -> HTMLResponse:
        content = await _body(request, 4 * LONGEST)
        words = None if content is None else content.decode("utf-8", errors="replace")
        if words is None or len(words) > LONGEST:
            return self._shown(Answer(f"more than {LONGEST} characters"), 413)
        return self._shown(await run_in_threadpool(self._desk.search, words))

    async def failed(self, _: Request, error: Exception) -> HTMLResponse:
        return self._shown(Answer(f"the demo failed on this ({type(error).__name__}); its terminal says where"), 500)

    def _shown(self, answer: Answer, status: int = 200) -> HTMLResponse:
        task = self._desk.student.task
        text = self._pages.get_template("answer.html.jinja").render(
            answer=answer, student=task.student, teacher=task.teacher
        )
        return HTMLResponse(text, status)


async def _guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    origin = request.headers.get("origin")
    if origin is not None and origin != f"http://{request.headers.get('host')}":
        return Response("only the demo's own page may ask", 403)
    response = await call_next(request)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response


async def _body(request: Request, largest: int) -> bytes | None:
    """What was sent; None as soon as it is too large."""
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > largest:
            return None
    return bytes(content)
