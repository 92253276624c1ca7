"""Files stay short and have names that say what is in them."""

import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LONGEST = 400
NAMELESS = {"utils", "util", "helpers", "helper", "common", "misc"}
SOURCES = {".py", ".js", ".css", ".html", ".sql", ".sh"}
TOP = {
    "manage.py", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md",
    "mes", "batches", "quality", "templates", "static", "tests", "docker", "docs", "requirements",
}  # fmt: skip


def files() -> list[Path]:
    """What belongs to the project: committed, or new and not ignored."""
    words = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [Path(name) for name in listed.split("\0") if name and (ROOT / name).is_file()]


def sources() -> list[Path]:
    """Files people write: neither vendored nor made by a tool."""
    return [
        path for path in files() if path.suffix in SOURCES and not {"vendor", "migrations", "tests"} & set(path.parts)
    ]


def test_no_source_file_is_over_400_lines():
    long = {str(path): lines(path) for path in sources() if lines(path) > LONGEST}
    assert not long, f"Cut these into a folder of the same name, one file per deed: {long}"


def lines(path: Path) -> int:
    return len((ROOT / path).read_text().splitlines())


def test_no_file_is_named_utils_helpers_common_or_misc():
    nameless = [str(path) for path in files() if NAMELESS & {path.stem.lower(), *map(str.lower, path.parts[:-1])}]
    assert not nameless, f"Name these after what is in them: {nameless}"


def test_the_top_folder_holds_what_the_plan_names_and_nothing_else():
    odd = {path.parts[0] for path in files()} - TOP
    odd = {name for name in odd if not name.startswith(".")}
    assert not odd, f"Find these a place in the plan of the house: {sorted(odd)}"


def test_the_locks_name_no_registry_and_hold_every_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    run, test = ((ROOT / "requirements" / f"{name}.txt").read_text() for name in ("run", "test"))
    for text in (run, test):
        assert "://" not in text, "Export the locks again without addresses (docs/operations)."
        for block in text.split("\n"):
            if block and not block.startswith(" "):
                assert block.endswith("\\"), f"{block} has no digest"
    assert set(run.splitlines()) <= set(test.splitlines()), "Export both locks from one resolution."
    for wanted, text in ((project["project"]["dependencies"], run), (project["dependency-groups"]["test"], test)):
        for dependency in wanted:
            name = dependency.split(";")[0].split("[")[0].split(">")[0].split("=")[0].strip().lower().replace(".", "-")
            assert f"\n{name}==" in f"\n{text}", f"{name} is not locked"
