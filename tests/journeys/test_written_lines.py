"""Every line of docs/api.md, tried in its order in one shell against a real server."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "api.md"
FENCE = re.compile(r"^```sh(?: refused (?P<code>\w+))?\n(?P<lines>.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "--- block"


def blocks() -> list[tuple[str, str]]:
    """(lines, code of the expected refusal or "") of every block of the document."""
    return [(found["lines"], found["code"] or "") for found in FENCE.finditer(DOCUMENT.read_text(encoding="utf-8"))]


@pytest.fixture
def told(site, mb_lot, certified_lot) -> dict[str, str]:
    """What the document takes as given: address, secrets, lots, a device."""
    from quality.demo.ordering import Order

    cast = site.cast
    token, equipment = site.device("cell_counter", "cell_concentration", "cells/mL")
    order = Order("ARI-0001-A", "1.0", "", "Documented", "X999926000912").body()
    another = Order("ARI-0001-A", "1.0", "", "Another", "X999926000912").body()
    return {
        "BASE": site.base, "ORDER": json.dumps(order), "ORDER_OF_ANOTHER": json.dumps(another), "SCHEDULER_PASSWORD": cast["scheduler"].password,
        "SCHEDULER_PIN": cast["scheduler"].pin, "SCHEDULER2_PIN": cast["scheduler2"].pin, "ANALYST_PASSWORD": cast["analyst"].password,
        "QP_PASSWORD": cast["qp"].password, "TESTED": mb_lot.number, "CERTIFIED": certified_lot.number, "DEVICE_TOKEN": token, "EQUIPMENT": equipment,
    }  # fmt: skip


@pytest.mark.req("API-04", case="positive")
@pytest.mark.req("SIG-16", case="negative")
def test_every_line_of_the_document_does_what_it_says(told, tmp_path):
    assert shutil.which("curl"), "curl is missing; the tests' set-up installs it"
    found = blocks()
    assert len(found) >= 15
    script = "set -eu -o pipefail\n" + "".join(f"echo '{MARK}'\n{lines}\necho\n" for lines, _ in found)
    ran = subprocess.run(["bash", "-c", script], cwd=tmp_path, env={**os.environ, **told}, capture_output=True, text=True, timeout=120)
    answers = ran.stdout.split(f"{MARK}\n")[1:]
    assert ran.returncode == 0, f"{ran.stdout[-2000:]}\n{ran.stderr}"
    assert len(answers) == len(found)
    for (lines, code), answer in zip(found, answers, strict=True):
        codes = re.findall(r'"code":"(\w+)","field"', answer)
        assert codes == ([code] if code else []), f"{lines}\nanswered\n{answer}"
    assert "True" in answers[-6] + answers[-5] and answers[-3].strip() == "True" and "every link fits" in ran.stdout


def test_the_document_names_every_address_it_needs_and_none_that_is_not_there(site):
    paths = set(site.cast["qp"].get("/api/v1/schema/?format=json")["paths"])
    known = [re.sub(r"\{[^}]+\}", "[^/]+", path) for path in paths]
    for used in set(re.findall(r'(?:read_as|post_as|device) (?:\w+ )?"?([a-z$][^" ]*)"?', "".join(lines for lines, _ in blocks()))):
        path = "/api/v1/" + re.sub(r"\$\w+", "x", used)
        assert any(re.fullmatch(each, path) for each in known), f"{path} is in docs/api.md and not in the schema"
