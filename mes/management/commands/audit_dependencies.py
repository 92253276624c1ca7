"""manage.py audit_dependencies: asks whether a locked package is known to be vulnerable, or was taken back by its publisher.

OWASP ASVS 5.0, 15.1 and 15.2: components with known vulnerabilities are found and answered within a time the operator sets. Advisories are
asked of OSV (https://osv.dev) in one question; what was taken back ("yanked", PEP 592) is read from the package index (PEP 691). A service
that does not answer is named and never taken for a good answer: with --strict the command then fails.
"""

import datetime as dt
import json
import re
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from ruamel.yaml import YAML

LOCK = Path(settings.ROOT) / "requirements" / "test.txt"
ACCEPTED = Path(settings.ROOT) / "requirements" / "accepted_advisories.yaml"
ADVISORIES = "https://api.osv.dev/v1/querybatch"
INDEX = "https://pypi.org/simple"
#: Questions to the index at a time, and how long one may take.
AT_ONCE = 8
SECONDS = 15
#: Lines about what was not answered; the rest is counted.
SAID = 5
PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)


class NoAnswer(Exception):
    """A service was not reached, or said something that is no answer."""


def locked(text: str) -> dict[str, str]:
    """Versions by package name as a lock file pins them; raises CommandError when it pins nothing."""
    found = {name.lower().replace("_", "-").replace(".", "-"): version for name, version in PINNED.findall(text)}
    if not found:
        raise CommandError("The lock file pins no package.")
    return found


def ask(address: str, question: dict | None = None, accept: str = "application/json") -> dict:
    """What a service answers; raises NoAnswer."""
    body = None if question is None else json.dumps(question).encode()
    request = urllib.request.Request(address, data=body, headers={"Accept": accept, "Content-Type": "application/json"})  # noqa: S310 - the operator's address
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310 - the operator's address
            said = json.load(answer)
    except (OSError, ValueError) as error:
        raise NoAnswer(f"{address}: {error}") from error
    if not isinstance(said, dict):
        raise NoAnswer(f"{address}: the answer has another form")
    return said


def advisories(packages: dict[str, str], address: str) -> dict[str, list[str]]:
    """Identifiers of advisories that concern the locked versions, by package; raises NoAnswer."""
    names = list(packages)
    question = {"queries": [{"package": {"name": name, "ecosystem": "PyPI"}, "version": packages[name]} for name in names]}
    results = ask(address, question).get("results")
    if not isinstance(results, list) or len(results) != len(names):
        raise NoAnswer(f"{address}: not every package was answered")
    found = {name: [each["id"] for each in (result or {}).get("vulns", [])] for name, result in zip(names, results, strict=True)}
    return {name: ids for name, ids in found.items() if ids}


def taken_back(name: str, version: str, index: str) -> str:
    """Why a version was taken back by its publisher, "" when it was not; raises NoAnswer."""
    said = ask(f"{index}/{name}/", accept="application/vnd.pypi.simple.v1+json")
    # A build or a platform follows, or the ending of a source archive: 5.2.1 is not 5.2, and its files say nothing about those of 5.2.
    mark = re.compile(rf"-{re.escape(version)}(?:-|\.(?:tar\.\w+|tgz|zip)$)")
    files = [each for each in said.get("files", []) if mark.search(each["filename"])]
    if not files:
        return "no file of it is offered any more"
    reasons = [each["yanked"] for each in files if each.get("yanked")]
    if len(reasons) < len(files):
        return ""  # a file of it stands: a publisher also takes back single files
    return "taken back" + (f": {reasons[0]}" if isinstance(reasons[0], str) else "")


def accepted(text: str, today: dt.date) -> set[tuple[str, str]]:
    """Package and advisory that a person answered for, with a reason and until a day; raises CommandError on any other form."""
    found = set()
    for entry in YAML(typ="safe").load(text) or []:
        if not isinstance(entry, dict) or set(entry) != {"package", "advisory", "reason", "until"} or not isinstance(entry["until"], dt.date):
            raise CommandError("accepted_advisories.yaml: each entry has package, advisory, reason and until (a date), and nothing else.")
        if not str(entry["reason"] or "").strip():
            raise CommandError(f"accepted_advisories.yaml: {entry['advisory']} has no reason.")
        if entry["until"] >= today:
            found.add((entry["package"], entry["advisory"]))
    return found


class Command(BaseCommand):
    help = "Asks whether a locked package is known to be vulnerable or was taken back; exit code 1 names which."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("--lock", type=Path, default=LOCK)
        parser.add_argument("--accepted", type=Path, default=ACCEPTED)
        parser.add_argument("--advisories", default=ADVISORIES, help="a service that answers as OSV's querybatch does")
        parser.add_argument("--index", default=INDEX, help="a package index that answers in JSON (PEP 691)")
        parser.add_argument("--strict", action="store_true", help="fail also when a service does not answer")

    def handle(self, *args, **options):
        packages = locked(options["lock"].read_text(encoding="utf-8"))
        answered_for = accepted(options["accepted"].read_text(encoding="utf-8"), dt.datetime.now(dt.UTC).date()) if options["accepted"].exists() else set()
        silent: list[str] = []
        found = [
            *self._vulnerable(packages, options["advisories"], answered_for, silent),
            *self._taken_back(packages, options["index"].rstrip("/"), silent),
        ]
        for sentence in silent[:SAID]:
            self.stdout.write(f"NOT AUDITED: {sentence}")
        if len(silent) > SAID:
            self.stdout.write(f"NOT AUDITED: {len(silent) - SAID} more for the same reasons")
        if found:
            raise CommandError("\n".join(found), returncode=1)
        if silent and options["strict"]:
            raise CommandError("A service did not answer, so these packages are not audited.", returncode=1)
        self.stdout.write(f"{len(packages)} locked packages: " + ("nothing found where a service answered." if silent else "no advisory, none taken back."))

    def _vulnerable(self, packages, address, answered_for, silent):
        try:
            said = advisories(packages, address)
        except NoAnswer as error:
            silent.append(f"advisories ({error})")
            return
        for name, ids in said.items():
            for one in ids:
                if (name, one) in answered_for:
                    self.stdout.write(f"{name} {packages[name]}: {one}, answered for in accepted_advisories.yaml")
                else:
                    yield f"{name} {packages[name]} is known to be vulnerable: {one}. Lock a mended version, or answer for it in accepted_advisories.yaml."

    def _taken_back(self, packages, index, silent):
        with ThreadPoolExecutor(AT_ONCE) as pool:
            asked = {name: pool.submit(taken_back, name, version, index) for name, version in packages.items()}
            for name, answer in asked.items():
                try:
                    why = answer.result()
                except NoAnswer as error:
                    silent.append(f"whether {name} was taken back ({error})")
                    continue
                if why:
                    yield f"{name} {packages[name]} was withdrawn from the index: {why}."
