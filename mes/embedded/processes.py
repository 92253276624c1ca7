"""Web server, worker and beat as children of one command: started together, watched, stopped clean."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mes.embedded.stopped import Stopped

BIN = Path(sys.executable).parent
ROOT = Path(__file__).resolve().parent.parent.parent
QUEUES = "urgent,default,paper"
STOP_SECONDS = 20  # a worker may end the task it holds; what it cannot end is found by a sweep
PR_SET_PDEATHSIG = 1


@dataclass
class Child:
    """One process, its words, and how to see that it serves."""

    name: str
    words: Sequence[str]
    ready: Callable[[], bool] = lambda: True
    env: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen | None = None


def web(host: str, port: int, *, workers: int = 2, threads: int = 4) -> Child:
    """gunicorn; serves when /readyz answers 200."""
    words = [
        BIN / "gunicorn", "mes.wsgi:application", "--bind", f"{host}:{port}", "--worker-class", "gthread",
        "--workers", workers, "--threads", threads, "--graceful-timeout", 15, "--no-control-socket",
    ]  # fmt: skip
    return Child("web", [str(word) for word in words], lambda: answers(f"http://{host}:{port}/readyz"))


def worker(*, concurrency: int = 2, name: str = "worker", queues: str = QUEUES) -> Child:
    """A Celery worker of its own node name; serves when it answers a ping."""
    node = f"{name}-{os.getpid()}@{socket.gethostname()}"
    words = [
        BIN / "celery", "-A", "mes.celery", "worker", "-Q", queues, "-c", concurrency, "-n", node,
        "-l", "INFO", "--without-gossip", "--without-mingle", "--without-heartbeat",
    ]  # fmt: skip

    def ready() -> bool:
        from mes.celery import app

        return bool(app.control.ping(destination=[node], timeout=1.0))

    return Child(name, [str(word) for word in words], ready)


def beat() -> Child:
    """Celery's clock: sends what mes/celery.py lists as periodic."""
    return Child("beat", [str(BIN / "celery"), "-A", "mes.celery", "beat", "-l", "INFO", "--pidfile="])


def answers(url: str) -> bool:
    """Whether an address answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own loopback address
            return answer.status == 200
    except (OSError, urllib.error.URLError):
        return False


def free_port(host: str, wanted: int) -> int:
    """The wanted port, or the next free one after it."""
    for port in range(wanted, wanted + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise Stopped(f"No port from {wanted} to {wanted + 99} is free on {host}.")


class Supervisor:
    """Starts children in order, watches them, stops them in the opposite order.

    Used as a context: leaving it, also by Ctrl-C, SIGINT or SIGTERM, stops every child. Each child leads a session of its
    own, so that the terminal's Ctrl-C reaches this process alone and Celery's pool is not killed under its parent.
    """

    def __init__(self, children: Sequence[Child], logs: Path):
        self.children = list(children)
        self.logs = logs
        self.handlers: dict[int, object] = {}

    def __enter__(self) -> "Supervisor":
        self.logs.mkdir(parents=True, exist_ok=True)
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup stays in force
                self.handlers[number] = signal.signal(number, leave)
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # so a shell without job control starts what a script ends with "&"
            self.handlers[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()
        for number, handler in self.handlers.items():
            signal.signal(number, handler)

    def start(self, seconds: float = 60) -> None:
        """Starts every child and waits until each serves. Raises Stopped, with its last lines, when one does not."""
        for child in self.children:
            self.launch(child)
        for child in self.children:
            self.wait(child, seconds)

    def launch(self, child: Child) -> None:
        with open(self.log(child), "ab") as log:
            child.process = subprocess.Popen(
                list(child.words), cwd=ROOT, env={**os.environ, **child.env}, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True, preexec_fn=end_with_parent(os.getpid()),
            )  # fmt: skip

    def wait(self, child: Child, seconds: float = 60) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if child.process is None or child.process.poll() is not None:
                break
            if child.ready():
                return
            time.sleep(0.1)
        raise Stopped(f"The {child.name} process does not serve. Its last lines:\n{self.tail(child)}")

    def watch(self) -> None:
        """Waits until interrupted. Raises Stopped when a child ends by itself."""
        while True:
            for child in self.children:
                if child.process is not None and child.process.poll() is not None:
                    raise Stopped(f"The {child.name} process ended with {child.process.returncode}. Its last lines:\n{self.tail(child)}")
            time.sleep(0.5)

    def stop(self) -> None:
        """Asks every child to end, the last started first, and ends by force what is still there after a while."""
        running = [child for child in reversed(self.children) if child.process and child.process.poll() is None]
        for child in running:
            child.process.terminate()
        until = time.monotonic() + STOP_SECONDS
        for child in running:
            try:
                child.process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(child.process.pid, signal.SIGKILL)
                child.process.wait()

    def kill(self, name: str) -> None:
        """SIGKILL to a child and all its own, as a crash would; for tests and rehearsals."""
        child = self.child(name)
        os.killpg(child.process.pid, signal.SIGKILL)
        child.process.wait()

    def child(self, name: str) -> Child:
        return next(child for child in self.children if child.name == name)

    def log(self, child: Child) -> Path:
        return self.logs / f"{child.name}.log"

    def tail(self, child: Child, lines: int = 15) -> str:
        return "\n".join(self.log(child).read_text(errors="replace").splitlines()[-lines:])


def leave(number: int, _frame: object) -> None:
    """Ends this process as if asked politely, so that every context is left."""
    raise SystemExit(128 + number)


def end_with_parent(parent: int) -> Callable[[], None] | None:
    """On Linux: the kernel asks a child to end when its parent was killed, so that none is left serving."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)

    def ask() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # the parent ended before the kernel was asked
            os._exit(1)

    return ask
