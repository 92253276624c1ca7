"""manage.py draw_asvs: prints docs/validation/asvs.yaml as docs/validation/asvs.md."""

from collections import Counter
from pathlib import Path

from django.conf import settings
from django.core.management import BaseCommand
from ruamel.yaml import YAML

FOLDER = Path(settings.ROOT) / "docs" / "validation"
SOURCE, PAGE = FOLDER / "asvs.yaml", FOLDER / "asvs.md"
STATES = ("met", "not applicable", "customer", "not met")

HEAD = """# OWASP ASVS 5.0, number by number

Level 2 of every chapter of the OWASP Application Security Verification Standard 5.0.0
([OWASP/ASVS](https://github.com/OWASP/ASVS), CC BY-SA 4.0), level 3 of authentication (V6), sessions (V7) and logging (V16). Read the standard beside it: here are its numbers, a few words of our own, what we found, and where it is shown.
It was gone through by those who wrote the product, is no certificate, and claims nothing. Printed by `python3 manage.py draw_asvs` from `asvs.yaml`; a test
compares, knows every number, and fails when a file or test named here is gone.

* *met*: the file or test beside it shows it. Where only a file is named, nobody but its reader has checked.
* *not applicable*: the product has nothing of the kind.
* *customer*: whoever runs it has to do it; the product lets them.
* *not met*: it does not, and says why.

What the standard wants written down stands in [hardening.md](hardening.md).
"""


def chapters() -> dict[str, dict[str, dict]]:
    """Each chapter's lines by number, as the file has them."""
    return YAML(typ="safe").load(SOURCE.read_text(encoding="utf-8"))


def page() -> str:
    """The whole page."""
    every = chapters()
    parts = [HEAD, _counted(every), *(_chapter(title, lines) for title, lines in every.items())]
    return "\n".join(parts)


def _counted(every: dict[str, dict[str, dict]]) -> str:
    rows = ["| Chapter | " + " | ".join(STATES) + " |", "|---|" + "---|" * len(STATES)]
    total: Counter = Counter()
    for title, lines in every.items():
        found = Counter(line["state"] for line in lines.values())
        total += found
        rows.append(f"| {title} | " + " | ".join(str(found[state] or "") for state in STATES) + " |")
    rows.append("| all | " + " | ".join(str(total[state]) for state in STATES) + " |")
    return "\n".join(rows) + "\n"


def _chapter(title: str, lines: dict[str, dict]) -> str:
    rows = [f"## {title}\n", "| Number | Level | What | State | Where, or why |", "|---|---|---|---|---|"]
    for number, line in lines.items():
        where = [_link(each) for each in line.get("shown", [])]
        rows.append(f"| {number} | {line['level']} | {line['about']} | {line['state']} | {'<br>'.join([*where, *filter(None, [line.get('why')])])} |")
    return "\n".join(rows) + "\n"


def _link(shown: str) -> str:
    path, _, test = shown.partition("::")
    return f"[{test.removeprefix('test_').replace('_', ' ') or path}](../../{path})"


class Command(BaseCommand):
    help = "Prints what was found by OWASP ASVS into docs/validation/asvs.md."
    requires_system_checks = ()

    def handle(self, *args, **options):
        PAGE.write_text(page(), encoding="utf-8")
        self.stdout.write(f"{PAGE}: {sum(len(lines) for lines in chapters().values())} numbers")
