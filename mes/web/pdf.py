"""HTML to PDF. The renderer may fetch nothing: fonts, pictures and symbols stand in the page itself."""

from __future__ import annotations

import threading

from mes.errors import RuleBroken

_rendering = threading.Lock()
# Two documents at once in one process double the memory; the second waits.

PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"


class PdfNotPossible(RuleBroken):
    """The renderer's system packages are missing on this server."""

    status = 503


def render_pdf(html: str) -> bytes:
    """The page as PDF. Everything it shows must be inside it (`data:` addresses); anything else is refused, not fetched.

    Raises PdfNotPossible("pdf_not_possible") when the system lacks the text layout libraries.
    """
    try:
        from weasyprint import HTML  # late: importing it loads Pango, which a machine may lack
        from weasyprint.urls import URLFetcher
    except OSError as error:
        raise PdfNotPossible(
            "pdf_not_possible", f"This server cannot make PDFs: the packages {PACKAGES} are missing. An administrator can install them."
        ) from error
    fetcher = URLFetcher(allowed_protocols={"data"}, allow_redirects=False, fail_on_errors=True)
    with _rendering:
        return HTML(string=html, url_fetcher=fetcher).write_pdf()
