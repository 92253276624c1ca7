"""The layers and the order of folders hold, and there is no circle (the contracts stand in pyproject.toml)."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).parent / "lint-imports"
    words = [str(program), "--no-logo", "--no-cache", "--config", "pyproject.toml"]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True)


def test_every_import_points_downwards():
    done = lint(ROOT)
    assert done.returncode == 0, (
        f"{done.stdout}\nMove what both need to the lower folder, send a task by name, or show a panel by URL."
    )


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("mes/keys.py", "import batches.apps"),
        ("batches/apps.py", "import quality.apps"),
        ("mes/audit/chain.py", "import mes.people.models"),
        ("mes/unlisted.py", ""),
    ],
)
def test_the_contracts_notice_an_import_that_points_upwards(tmp_path, file, line):
    copy_sources(tmp_path)
    path = tmp_path / file
    text = path.read_text() if path.exists() else ""
    path.write_text(f"{text}\n{line}\n")
    assert lint(tmp_path).returncode != 0


def copy_sources(folder: Path) -> None:
    """The Python files of the three apps, with their contracts, where a test may spoil them."""
    for app in ("mes", "batches", "quality"):
        for path in (ROOT / app).rglob("*.py"):
            copy = folder / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    (folder / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
