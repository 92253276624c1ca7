"""Whether a raw file is what its name says. It is kept and given back, never opened here. OWASP ASVS 5.0, V5.2.2."""

from __future__ import annotations

from mes.errors import UnreadableInput

BEGINNINGS = {
    "pdf": (b"%PDF-",), "png": (b"\x89PNG\r\n\x1a\n",), "jpg": (b"\xff\xd8\xff",), "jpeg": (b"\xff\xd8\xff",), "gif": (b"GIF8",),
    "tif": (b"II*\x00", b"MM\x00*"), "tiff": (b"II*\x00", b"MM\x00*"), "fcs": (b"FCS",), "zip": (b"PK",), "xlsx": (b"PK",), "docx": (b"PK",),
    "ods": (b"PK",), "odt": (b"PK",),
}  # fmt: skip
TEXTS = {"csv", "tsv", "txt", "json", "xml", "log"}
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
PROGRAMS = (b"MZ", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"#!")


def check_is_what_it_is_called(file_name: str, content: bytes) -> None:
    """Raises UnreadableInput("file_content") for a known kind of file that does not begin like one, and for a program under any name.

    Instruments have formats of their own: a name that says nothing known is taken.
    """
    kind = file_name.rpartition(".")[2].lower()
    right = True
    if kind in BEGINNINGS:
        right = content.startswith(BEGINNINGS[kind])
    elif kind in TEXTS:
        right = content.startswith(UTF_16) or b"\x00" not in content
    if not right or content.startswith(PROGRAMS):
        raise UnreadableInput("file_content", "The content of this file is not what its name says. Export it again and attach that.", field="file")
