"""HTML to PDF. The renderer may fetch nothing: fonts, pictures and symbols stand in the page itself.

WeasyPrint is imported late, so that a machine without Pango runs everything else. With a title and a time, the same page gives the same
bytes (nothing inside comes from a clock or from chance), made to PDF/A-3b with files attached (ISO 19005-3).
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import io
import logging
import os
import threading
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mes.errors import RuleBroken
from mes.words import said_in

_rendering = threading.Lock()
# Two documents at once in one process double the memory; the second waits.

PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"


class PdfNotPossible(RuleBroken):
    """The renderer's system packages are missing on this server."""

    status = 503


class PdfAsksOutside(RuleBroken):
    """The page asks for something that is not inside it. Nothing was fetched and nothing was drawn."""

    status = 500


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that travels inside a PDF; `relationship` as PDF/A-3 names it (Source, Data, Supplement)."""

    name: str
    content: bytes
    description: str = ""
    relationship: str = "Source"


def render_pdf(html: str) -> bytes:
    """The page as PDF. Everything it shows must be inside it (`data:` addresses); anything else is refused, not fetched.

    Raises PdfNotPossible("pdf_not_possible") when the system lacks the text layout libraries, PdfAsksOutside("pdf_asks_outside").
    """
    with _rendering, _nothing_from_outside():
        return _document(html).write_pdf()


def render_paper(html: str, *, title: str, at: dt.datetime, attached: Sequence[Attached] = ()) -> bytes:
    """The page as a paper that is kept: PDF/A-3b whose bytes follow from the page, its title, `at` and the attached files alone.

    `at` (with zone) is the one time written into the file: when what it shows was signed or read. Takes 0.1 to 0.3 s a page: call it in a
    background task, outside any transaction. Raises PdfNotPossible, PdfAsksOutside; ValueError for a time without zone.
    """
    if at.utcoffset() is None:
        raise ValueError("the time written into a paper needs a zone")
    moment = at.astimezone(dt.UTC).replace(microsecond=0)
    with _rendering, _clock_standing_at(moment), _nothing_from_outside():
        document = _document(html)
        attachment = _weasyprint().Attachment
        data = document.metadata
        data.title, data.generator = title, "Cartulary"
        data.created = data.modified = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        data.attachments = [
            attachment(string=each.content, name=each.name, description=each.description, relationship=each.relationship, created=moment, modified=moment)
            for each in attached
        ]
        identity = hashlib.sha256(html.encode())
        for each in attached:
            identity.update(hashlib.sha256(each.content).digest())
        with warnings.catch_warnings():
            # It leaves the file of its colour profile to the garbage collector.
            warnings.simplefilter("ignore", ResourceWarning)
            # Left out, the renderer would take a random identifier.
            return document.write_pdf(pdf_identifier=identity.digest()[:16], pdf_variant="pdf/a-3b")


@contextlib.contextmanager
def _clock_standing_at(moment: dt.datetime) -> Iterator[None]:
    """The font tool writes the time into each font it cuts down, unless the environment names one (reproducible-builds.org)."""
    before = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = str(int(moment.timestamp()))
    try:
        yield
    finally:
        if before is None:
            del os.environ["SOURCE_DATE_EPOCH"]
        else:
            os.environ["SOURCE_DATE_EPOCH"] = before


@contextlib.contextmanager
def _nothing_from_outside() -> Iterator[None]:
    """The renderer's word for a refused address is no Exception: unchanged it would pass every handler and end the worker that draws."""
    fatal = _weasyprint().urls.FatalURLFetchingError
    try:
        yield
    except fatal:
        # Without the address, which may hold what the page is about.
        raise PdfAsksOutside(
            "pdf_asks_outside", "This paper asks for something that is not inside it, so it was not drawn. Tell whoever keeps this system."
        ) from None


def _document(html: str):
    weasyprint = _weasyprint()
    fetcher = weasyprint.URLFetcher(allowed_protocols={"data"}, allow_redirects=False, fail_on_errors=True)
    return weasyprint.HTML(string=said_in(html), url_fetcher=fetcher).render()


def _weasyprint():
    try:
        # Without Pango it prints a banner before it raises.
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            import weasyprint
    except OSError as error:
        raise PdfNotPossible(
            "pdf_not_possible", f"This server cannot make PDFs: the packages {PACKAGES} are missing. An administrator can install them."
        ) from error
    # Its remarks about CSS for screens say nothing about the paper.
    logging.getLogger("weasyprint").setLevel(logging.ERROR)
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    return weasyprint
