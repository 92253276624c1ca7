"""What a deployment installs (requirements/run.txt) is enough to run: nothing leans on a package that only the tests bring."""

import os
import re
import subprocess
import sys
from importlib.metadata import packages_distributions

from tests.house.source import ROOT, report

NAME = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==", re.MULTILINE)
#: Run in a process of its own: modules of packages outside the run set do not exist there, then everything of ours is imported.
SCRIPT = """
import importlib, pkgutil, sys
refused = set(sys.argv[1].split(","))
class OnlyTheRunSet:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ModuleNotFoundError(f"No module named {name!r} in the run set", name=name)
sys.meta_path.insert(0, OnlyTheRunSet())
import django
django.setup()
import kombu.transport.redis, gunicorn.app.wsgiapp, celery.apps.beat, celery.apps.worker
for root in ("mes", "batches", "quality"):
    for found in pkgutil.walk_packages([root], f"{root}."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
"""


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def names(file: str) -> set[str]:
    return {plain(name) for name in NAME.findall((ROOT / "requirements" / file).read_text())}


def test_the_tests_install_what_a_deployment_does_and_more():
    assert names("run.txt") < names("test.txt")


def test_everything_of_ours_is_imported_with_the_run_set_alone():
    only_tests = names("test.txt") - names("run.txt")
    refused = {module for module, owners in packages_distributions().items() if {plain(each) for each in owners} <= only_tests}
    assert "pytest" in refused
    words = [sys.executable, "-W", "ignore", "-c", SCRIPT, ",".join(sorted(refused))]
    done = subprocess.run(words, cwd=ROOT, env={**os.environ, "DJANGO_SETTINGS_MODULE": "mes.settings"}, capture_output=True, text=True)
    said = done.stderr.strip().splitlines()[-1:]
    assert done.returncode == 0, report(said, "Name the package (or its extra) in pyproject.toml and lock it in requirements/run.txt.")
