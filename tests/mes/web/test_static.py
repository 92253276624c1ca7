"""The rules of the look that a reviewer would forget: colours, classes, inline code, vendored files."""

import hashlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CSS = sorted((ROOT / "static/css").glob("*.css"))
JS = sorted((ROOT / "static/js").glob("*.js"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.html")) + sorted(p for app in ("mes", "batches", "quality") for p in (ROOT / app).rglob("templates/**/*.html"))
COLOUR = re.compile(
    r"#[0-9a-fA-F]{3,8}\b|\b(?:rgb|rgba|hsl|hsla|oklch|lab|lch|hwb)\(|(?<![\w-])(?:white|black|red|green|blue|orange|yellow|gr[ae]y|purple|transparent)(?![\w-])"
)
TAG = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.S)


def plain(css: Path) -> str:
    return re.sub(r"/\*.*?\*/", "", css.read_text(encoding="utf-8"), flags=re.S)


@pytest.mark.parametrize("css", [css for css in CSS if css.name != "tokens.css"], ids=lambda css: css.name)
def test_colours_live_in_tokens_only(css):
    found = COLOUR.findall(plain(css))
    assert not found, f"{css.name} names a colour itself: {found}. Add a token to tokens.css that says its job."


def test_every_class_used_is_one_the_style_sheets_know():
    known = {name for css in CSS for name in re.findall(r"\.([A-Za-z][\w-]*)", re.sub(r"url\([^)]*\)", "", plain(css)))}
    unknown = {}
    for template in TEMPLATES:
        text = TAG.sub(lambda tag: " " if tag.group().startswith("{%") else "\x00", template.read_text(encoding="utf-8"))
        for value in re.findall(r'\bclass="([^"]*)"', text):
            for name in value.split():
                if "\x00" not in name and name not in known:
                    unknown.setdefault(name, template.relative_to(ROOT).as_posix())
    assert not unknown, f"classes no style sheet defines: {unknown}. Use a component of docs/components.md; a feature adds no CSS."


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.relative_to(ROOT).as_posix())
def test_nothing_inline_in_a_template(template):
    text = template.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle\s*=", TAG.sub("", text)), "style= is blocked by the policy: use a class or an SVG attribute"
    assert not re.search(r"<script(?![^>]*\ssrc=)", text), "inline script is blocked by the policy: put it into static/js"
    assert not re.search(r"\s(?:on[a-z]+|hx-on[\w:-]*)\s*=|=[\"']js:", TAG.sub("", text)), "inline handlers are blocked by the policy"
    if not template.name.endswith((".pdf.html", "base_pdf.html")):  # paper never meets the policy: a browser does not draw it
        assert "<style" not in text


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.relative_to(ROOT).as_posix())
def test_a_one_line_comment_stays_on_one_line(template):
    for line in template.read_text(encoding="utf-8").splitlines():
        assert line.count("{#") == line.count("#}"), "Django prints a {# #} comment that spans lines: keep it on one line"


@pytest.mark.parametrize(
    "partial", sorted((ROOT / "templates/_components").glob("*.html")) + sorted((ROOT / "templates/_shells").glob("*.html")), ids=lambda partial: partial.name
)
def test_every_partial_says_what_it_takes_and_is_in_the_docs(partial):
    assert "{# " in partial.read_text(encoding="utf-8")[:400], "say at the top what it takes"
    docs = (ROOT / "docs/components.md").read_text(encoding="utf-8")
    assert re.search(rf"(?<![\w-]){re.escape(partial.name.removesuffix('.html').removesuffix('.pdf'))}(?![\w-])", docs)


def test_scripts_need_no_eval_and_no_network_of_others():
    for script in JS:
        text = script.read_text(encoding="utf-8")
        assert '"use strict"' in text and "eval(" not in text and "https://" not in text and "localhost" not in text


def test_vendored_files_are_the_ones_that_were_vendored():
    rows = re.findall(r"^\| `([^`]+)` \|.*`([0-9a-f]{64})` \|$", (ROOT / "static/vendor/VERSIONS.md").read_text(encoding="utf-8"), re.M)
    assert len(rows) >= 4
    for name, digest in rows:
        assert hashlib.sha256((ROOT / "static/vendor" / name).read_bytes()).hexdigest() == digest, name
    listed = {Path(name).name for name, _ in rows}
    for file in (ROOT / "static/vendor").iterdir():
        assert file.name in listed or file.name.endswith("-LICENSE.txt") or file.name == "VERSIONS.md", f"{file.name} is not listed in VERSIONS.md"


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return sum(share * (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4) for share, c in zip((0.2126, 0.7152, 0.0722), channels, strict=True))


PAIRS = [(ink, paper, 4.5) for ink in ("ink", "ink-2") for paper in ("canvas", "surface", "raised", "field")]
PAIRS += [("action", paper, 4.5) for paper in ("canvas", "surface", "raised", "action-tint")] + [("on-action", "action", 4.5)]
PAIRS += [(f"on-{hue}", f"{hue}-fill", 4.5) for hue in ("alarm", "warn", "hold")] + [(hue, f"{hue}-tint", 4.5) for hue in ("alarm", "warn", "hold")]
PAIRS += [
    ("alarm", "surface", 4.5),
    ("warn", "surface", 4.5),
    ("hold", "surface", 4.5),
    ("line-strong", "surface", 3),
    ("line-strong", "field", 3),
    ("ink", "alarm-tint", 4.5),
    ("ink", "warn-tint", 4.5),
]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "paper", "least"), PAIRS, ids=lambda part: str(part))
def test_text_and_borders_can_be_read_in_both_themes(ink, paper, least, theme):
    tokens = dict(re.findall(r"--([\w-]+):light-dark\((#[0-9a-f]{6},#[0-9a-f]{6})\)", (ROOT / "static/css/tokens.css").read_text(encoding="utf-8")))
    one, two = (luminance(tokens[name].split(",")[theme]) for name in (ink, paper))
    assert (max(one, two) + 0.05) / (min(one, two) + 0.05) >= least
