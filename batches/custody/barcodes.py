"""Label symbols: GS1 Data Matrix and QR as SVG for pages and PDF, as PNG for label printers, and read back as a scanner would.

Data Matrix to ISO/IEC 16022 with FNC1 first (a scanner announces it as ``]d2``), QR to ISO/IEC 18004 with error correction M
(``]Q1``), both made by zxing-cpp. It writes GS1 only when told so and given bracketed identifiers; without that the symbol says ``]d1``, plain
text, so the symbology is checked after drawing. Every symbol is decoded again before it is handed out: a label that does not read back as
what was asked for is never printed (COI-07). Symbols include their quiet zone, of 1 module (Data Matrix) or 4 (QR).
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from batches.custody.png import read_png, write_png
from batches.lots.gs1 import Elements
from batches.lots.identifiers import ScanKind, own_code, own_elements
from mes.errors import UnreadableInput

LONGEST_CONTENT = 300
_PIXELS_PER_MODULE = 4


class SymbolRefused(UnreadableInput):
    """A symbol cannot be drawn or read. Codes: ``not_drawable``, ``not_readable``."""


@dataclass(frozen=True)
class Symbol:
    """A drawn symbol: what a scanner sends when it reads it, and its modules from top left, True for dark, quiet zone included."""

    content: str
    rows: tuple[tuple[bool, ...], ...]

    @property
    def modules(self) -> int:
        """Modules along one side, quiet zone included; symbols are square."""
        return len(self.rows)

    def svg(self, title: str) -> str:
        """The symbol as one SVG without style or script; its size is set by the page. ``title`` is read aloud in its place.

        Dark on white in any theme: an inverted symbol is not read by every scanner.
        """
        path = "".join(f"M{x} {y}h{length}v1h-{length}z" for y, row in enumerate(self.rows) for x, length in _runs(row))
        side = self.modules
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="symbol" viewBox="0 0 {side} {side}" role="img" aria-label="{escape(title)}" '
            f'shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{side}v{side}h-{side}z"/><path fill="#000" d="{path}"/></svg>'
        )

    def png(self, scale: int = _PIXELS_PER_MODULE) -> bytes:
        """The symbol as a grey PNG of ``scale`` pixels per module. Raises ``ValueError`` when that is not 1 to 50."""
        if not 1 <= scale <= 50:
            raise ValueError("1 to 50 pixels per module")
        pixels = b"".join(b"".join((b"\x00" if dark else b"\xff") * scale for dark in row) * scale for row in self.rows)
        return write_png(pixels, self.modules * scale, self.modules * scale)


def _runs(row: tuple[bool, ...]) -> list[tuple[int, int]]:
    """Start and length of the dark runs of a row: fewer shapes, and no hairlines between modules on paper."""
    found: list[tuple[int, int]] = []
    for x, dark in enumerate(row):
        if dark and found and sum(found[-1]) == x:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        elif dark:
            found.append((x, 1))
    return found


def data_matrix(content: Elements) -> Symbol:
    """A square GS1 Data Matrix of these elements. Raises ``SymbolRefused`` (``not_drawable``)."""
    import zxingcpp

    return _drawn(content.bracketed(), zxingcpp.BarcodeFormat.DataMatrix, "]d2" + content.raw(), {"gs1": True, "force_square": True})


def qr(content: str) -> Symbol:
    """A QR code of printable ASCII text. Raises ``SymbolRefused`` (``not_drawable``)."""
    import zxingcpp

    if not content.isascii() or not content.isprintable():
        raise SymbolRefused("not_drawable", "A code holds plain letters, digits and signs only. Take the others out.")
    return _drawn(content, zxingcpp.BarcodeFormat.QRCode, "]Q1" + content, {"ec_level": "M"})


def label_symbol(kind: ScanKind, value: str) -> Symbol:
    """The GS1 Data Matrix of one of our own labels. Raises ``IdentifierRefused`` and ``SymbolRefused``."""
    return data_matrix(own_elements(kind, value))


def label_qr(kind: ScanKind, value: str) -> Symbol:
    """The QR code of one of our own labels, for scanners without Data Matrix. Raises ``IdentifierRefused`` and ``SymbolRefused``."""
    return qr(own_code(kind, value))


def _drawn(content: str, form: object, expected: str, options: dict[str, object]) -> Symbol:
    import zxingcpp

    if not content or len(content) > LONGEST_CONTENT:
        raise SymbolRefused("not_drawable", f"A code holds 1 to {LONGEST_CONTENT} characters, not {len(content)}.")
    try:
        picture = memoryview(zxingcpp.create_barcode(content, form, **options).to_image(scale=1, add_quiet_zones=True))
    except ValueError:
        raise SymbolRefused("not_drawable", f"{content[:60]!r} cannot be drawn as this code. Check its content.") from None
    height, width = picture.shape
    pixels = picture.tobytes()
    symbol = Symbol(expected, tuple(tuple(value < 128 for value in pixels[y * width : (y + 1) * width]) for y in range(height)))
    if height != width or read_back(symbol.png()) != expected:
        raise SymbolRefused("not_drawable", f"{content[:60]!r} was drawn and does not read back. It is not printed; report this.")
    return symbol


def read_back(png: bytes) -> str:
    """What a scanner sends for the one symbol on a PNG of ours: symbology identifier, then the text with its group separators.

    Raises ``SymbolRefused`` (``not_readable``) when there is no symbol, more than one, or the file is no such PNG.
    """
    import zxingcpp

    try:
        pixels, width, height = read_png(png)
    except ValueError as error:
        raise SymbolRefused("not_readable", f"The picture cannot be read: {error}.") from None
    found = [each for each in zxingcpp.read_barcodes(memoryview(pixels).cast("B", shape=[height, width])) if each.valid]
    if len(found) != 1:
        raise SymbolRefused("not_readable", f"The picture holds {len(found)} codes; one is wanted.")
    return found[0].symbology_identifier + found[0].bytes.decode("ascii", "replace")
