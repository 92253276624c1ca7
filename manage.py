#!/usr/bin/env python3
"""The one door to Cartulary: python3 manage.py demo | test | journey | migrate | ...

Needs only Python 3.11. The first call makes .venv beside this file and installs the packages named in
requirements/ (with their digests), then this file starts itself again inside. CARTULARY_VENV puts the
environment elsewhere; CARTULARY_NO_INSTALL=1 uses this Python as it is, as a container image does.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = Path(os.environ.get("CARTULARY_VENV") or ROOT / ".venv").absolute()
PYTHON = VENV / "bin" / "python"


def stop(sentence):
    print(f"manage.py: {sentence}", file=sys.stderr)
    raise SystemExit(2)


def run(*words):
    result = subprocess.run([str(word) for word in words])
    if result.returncode:
        stop(f"This step ended with {result.returncode}: {' '.join(map(str, words))}")


def has_pip(python):
    return subprocess.run([str(python), "-m", "pip", "--version"], capture_output=True).returncode == 0


def make_venv():
    if PYTHON.exists():
        return
    print(f"Making the environment {VENV} ...", flush=True)
    made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True).returncode == 0
    if not made:
        # Debian without python3-venv has no ensurepip: make it bare, the system's pip installs into it.
        run(sys.executable, "-m", "venv", "--clear", "--without-pip", VENV)


def pip_words():
    """The pip that can install into the environment, getting the system's one first where there is none."""
    if has_pip(PYTHON):
        return [PYTHON, "-m", "pip"]
    line = "apt-get update && apt-get install -y --no-install-recommends python3-pip"
    if not has_pip(sys.executable) and os.geteuid() == 0 and Path("/usr/bin/apt-get").exists():
        print("Installing python3-pip ...", flush=True)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
        subprocess.run(["sh", "-c", line], env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, **quiet)
    if not has_pip(sys.executable):
        stop(f"pip is missing. On Debian or Ubuntu run: sudo sh -c '{line}'")
    return [sys.executable, "-m", "pip", "--python", PYTHON]


def install(lock):
    """Installs the locked set, unless the mark in the environment shows this very set is there."""
    import fcntl
    import hashlib

    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    mark = VENV / f".installed-{lock.stem}"

    def installed():
        return mark.exists() and mark.read_text() == digest

    if installed():
        return
    with open(VENV / ".installing", "w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)  # two first calls at once must not install over each other
        if installed():
            return
        print(f"Installing requirements/{lock.name} (once; a minute or two) ...", flush=True)
        options = ["-q", "--disable-pip-version-check", "--no-input", "--require-hashes", "-r", lock]
        run(*pip_words(), "install", *options)
        mark.write_text(digest)
        whole = set(lock.read_text().splitlines())
        for other in lock.parent.glob("*.txt"):  # the test set contains the run set: no second call of pip
            if set(other.read_text().splitlines()) <= whole:
                (VENV / f".installed-{other.stem}").write_text(hashlib.sha256(other.read_bytes()).hexdigest())


def enter_environment(command):
    if os.environ.get("CARTULARY_NO_INSTALL") == "1":
        return
    import fcntl

    VENV.parent.mkdir(parents=True, exist_ok=True)
    with open(VENV.parent / f"{VENV.name}.lock", "w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        make_venv()
    install(ROOT / "requirements" / ("test.txt" if command == "test" else "run.txt"))
    if Path(sys.prefix).resolve() != VENV.resolve():
        os.execv(str(PYTHON), [str(PYTHON), str(ROOT / "manage.py"), *sys.argv[1:]])  # noqa: S606 - itself


def main():
    if sys.version_info < (3, 11):  # noqa: UP036 - before anything is installed, any Python may call this
        stop(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.")
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    enter_environment(command)
    from mes.embedded.command import run_command

    raise SystemExit(run_command(sys.argv))


if __name__ == "__main__":
    main()
