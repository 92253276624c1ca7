"""Label symbols are drawn, decoded again, and mean what was put in."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batches.custody.barcodes import Symbol, SymbolRefused, data_matrix, label_qr, label_symbol, qr, read_back
from batches.custody.png import read_png, write_png
from batches.lots.gs1 import elements
from batches.lots.identifiers import IdentifierRefused, ScanKind, new_container, parse_scan

CONTAINER = new_container("BCN1", bytes(range(16)))


@pytest.mark.req("COI-03", case="positive")
@pytest.mark.parametrize(("draw", "identifier"), [(label_symbol, "]d2"), (label_qr, "]Q1")])
def test_a_label_is_read_back_as_its_container(draw, identifier):
    symbol = draw(ScanKind.CONTAINER, CONTAINER)

    sent = read_back(symbol.png())
    assert sent.startswith(identifier)
    assert sent == symbol.content
    read = parse_scan(sent)
    assert (read.kind, read.value) == (ScanKind.CONTAINER, CONTAINER)


def test_a_supplier_label_keeps_its_separators():
    content = elements(("01", "09506000134352"), ("10", "ABC"), ("21", "12"), ("17", "261130"))

    assert read_back(data_matrix(content).png()) == "]d2010950600013435210ABC\x1d2112\x1d17261130"


@settings(max_examples=25, deadline=None)
@given(st.from_regex(r"[A-Z0-9][A-Z0-9._/-]{0,40}", fullmatch=True), st.sampled_from([1, 2, 3, 8]))
def test_every_lot_number_survives_the_label(lot, scale):
    for symbol in (label_symbol(ScanKind.LOT, lot), label_qr(ScanKind.LOT, lot)):
        assert parse_scan(read_back(symbol.png(max(scale, 2)))).value == lot


def test_a_turned_picture_reads_the_same():
    rows = label_symbol(ScanKind.LOT, "ARI0001/01").rows
    turned = Symbol("", tuple(zip(*rows[::-1], strict=True)))

    assert parse_scan(read_back(turned.png())).value == "ARI0001/01"


@pytest.mark.req("COI-03", case="negative")
def test_a_spoilt_symbol_is_not_read_as_anything():
    symbol = label_symbol(ScanKind.LOT, "ARI0001/01")
    half = Symbol("", tuple(row if y < symbol.modules // 2 else (False,) * symbol.modules for y, row in enumerate(symbol.rows)))

    with pytest.raises(SymbolRefused) as refused:
        read_back(half.png())
    assert refused.value.code == "not_readable"


def test_a_symbol_has_its_quiet_zone_and_is_square():
    for symbol, quiet in ((label_symbol(ScanKind.LOT, "A1"), 1), (label_qr(ScanKind.LOT, "A1"), 4)):
        assert all(len(row) == symbol.modules for row in symbol.rows)
        assert not any(any(row) for row in symbol.rows[:quiet])
        assert not any(row[quiet - 1] for row in symbol.rows)
        assert any(symbol.rows[quiet])


def test_the_svg_draws_each_dark_module_once_and_holds_neither_style_nor_script():
    symbol = label_symbol(ScanKind.LOT, "A1")

    svg = symbol.svg('Lot <A1> "quoted"')
    drawn = {(int(x) + i, int(y)) for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-", svg) for i in range(int(length))}
    assert drawn == {(x, y) for y, row in enumerate(symbol.rows) for x, dark in enumerate(row) if dark}
    assert "style" not in svg and "<script" not in svg
    assert "Lot &lt;A1&gt; &quot;quoted&quot;" in svg


def test_equal_content_gives_equal_bytes():
    assert label_symbol(ScanKind.LOT, "A1").png() == label_symbol(ScanKind.LOT, "A1").png()


def test_what_cannot_be_drawn_is_refused():
    for refused_content in ("", "x" * 301, "naïve", "a\nb"):
        with pytest.raises(SymbolRefused) as refused:
            qr(refused_content)
        assert refused.value.code == "not_drawable"
    with pytest.raises(IdentifierRefused):
        label_symbol(ScanKind.LOT, "a b")
    with pytest.raises(ValueError, match="pixels per module"):
        qr("A").png(0)


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", write_png(b"\xff" * 100, 10, 10)])
def test_a_picture_without_a_code_is_refused(data):
    with pytest.raises(SymbolRefused) as refused:
        read_back(data)
    assert refused.value.code == "not_readable"


@given(st.integers(1, 20), st.integers(1, 20), st.randoms())
def test_pictures_come_back_as_written(width, height, random):
    pixels = random.randbytes(width * height)

    assert read_png(write_png(pixels, width, height)) == (pixels, width, height)


def test_a_broken_picture_is_noticed():
    data = bytearray(write_png(b"\x00\xff" * 8, 4, 4))
    data[-20] ^= 1
    with pytest.raises(ValueError, match="broken"):
        read_png(bytes(data))
    with pytest.raises(ValueError, match="not 3 x 3"):
        write_png(b"\x00", 3, 3)
