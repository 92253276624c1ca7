"""HTML to PDF by the real renderer: what stands in the page is drawn, what it asks for outside is never fetched."""

from __future__ import annotations

import datetime as dt
import os
import socketserver
import threading

import pytest

from mes.errors import RuleBroken
from mes.web.pdf import PdfAsksOutside, render_paper, render_pdf

DOT = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
AT = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
WAYS = {
    "picture": '<img src="{url}">',
    "style sheet": '<link rel="stylesheet" href="{url}">',
    "import": "<style>@import url({url});</style>",
    "background": "<style>body {{ background: url({url}) }}</style>",
    "font": "<style>@font-face {{ font-family: x; src: url({url}) }} p {{ font-family: x }}</style>",
    "attached file": '<link rel="attachment" href="{url}">',
    "attached by a link": '<a rel="attachment" href="{url}">x</a>',
    "object": '<object data="{url}" type="image/png">x</object>',
    "inside a drawing": '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="{url}" width="9" height="9"/></svg>',
}

LEFT_OUT = {"attached file", "inside a drawing"}
"""Where the renderer may go on without what was refused: in a kept paper only the files that we attach count, and in a drawing it leaves a gap."""


class Outside(socketserver.ThreadingTCPServer):
    """Somebody on the network who counts who asks."""

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        self.asked = 0
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)

    def process_request(self, request, client_address) -> None:
        self.asked += 1
        super().process_request(request, client_address)


@pytest.fixture
def outside():
    with Outside() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()


def page(way: str, url: str) -> str:
    return f"<html><body><p>Text</p>{WAYS[way].format(url=url)}</body></html>"


def test_a_page_that_holds_everything_itself_is_drawn():
    for way in ("picture", "background", "object"):
        assert render_pdf(page(way, DOT)).startswith(b"%PDF")
    first, again = (render_paper(page("picture", DOT), title="Paper", at=AT) for _ in range(2))
    assert first.startswith(b"%PDF") and first == again


@pytest.mark.req("REC-01", case="negative")
@pytest.mark.parametrize("way", WAYS)
def test_what_a_page_asks_for_outside_is_never_fetched_and_ends_no_worker(way, outside, tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"secret")
    for url in (f"http://127.0.0.1:{outside.server_address[1]}/x.png", secret.as_uri()):
        for draw in (lambda html: render_pdf(html), lambda html: render_paper(html, title="Paper", at=AT)):
            drawn = None
            try:
                drawn = draw(page(way, url))
            except Exception as error:  # anything that is no Exception ends the test, as it would end a worker
                assert isinstance(error, PdfAsksOutside) and isinstance(error, RuleBroken) and error.code == "pdf_asks_outside"
                assert url not in str(error) and error.__suppress_context__
            assert drawn is None or way in LEFT_OUT, "the page was drawn although something it asks for is missing"
    assert outside.asked == 0
    assert render_pdf("<p>The next one</p>").startswith(b"%PDF") and "SOURCE_DATE_EPOCH" not in os.environ
