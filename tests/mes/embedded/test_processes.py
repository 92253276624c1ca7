"""Children of one command: watched, stopped clean, never left behind."""

import os
import signal
import subprocess
import sys
import time

import pytest

from mes.embedded import pids
from mes.embedded.processes import Child, Supervisor, free_port
from mes.embedded.stopped import Stopped
from tests.database import ROOT

POLITE = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("ended politely", flush=True), sys.exit(0)))
print("serving", flush=True)
time.sleep(60)
"""
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('serving', flush=True); time.sleep(60)"


def child(name: str, code: str, logs) -> Child:
    return Child(name, [sys.executable, "-c", code], lambda: "serving" in (logs / f"{name}.log").read_text())


def test_children_are_stopped_the_last_started_first_and_politely(tmp_path):
    children = [child("one", POLITE, tmp_path), child("two", POLITE, tmp_path)]
    with Supervisor(children, tmp_path) as supervisor:
        supervisor.start(20)
        assert all(one.process.poll() is None for one in children)
    assert [one.process.returncode for one in children] == [0, 0]
    assert "ended politely" in (tmp_path / "one.log").read_text()


def test_a_child_that_does_not_listen_is_ended_by_force(tmp_path, monkeypatch):
    monkeypatch.setattr("mes.embedded.processes.STOP_SECONDS", 0.5)
    with Supervisor([child("deaf", DEAF, tmp_path)], tmp_path) as supervisor:
        supervisor.start(20)
    assert supervisor.child("deaf").process.returncode == -signal.SIGKILL


def test_a_child_that_never_serves_is_told_with_its_last_lines(tmp_path):
    broken = child("broken", "print('the port is taken'); raise SystemExit(3)", tmp_path)
    with pytest.raises(Stopped, match="the port is taken"), Supervisor([broken], tmp_path) as supervisor:
        supervisor.start(20)


def test_a_child_that_ends_while_serving_is_told(tmp_path):
    short = child("short", "print('serving', flush=True); import time; time.sleep(1); raise SystemExit(4)", tmp_path)
    with pytest.raises(Stopped, match="short process ended with 4"), Supervisor([short], tmp_path) as supervisor:
        supervisor.start(20)
        supervisor.watch()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent was killed")
def test_children_end_when_their_parent_is_killed(tmp_path):
    code = (
        "import sys; from pathlib import Path; from mes.embedded.processes import Child, Supervisor\n"
        f"child = Child('one', [sys.executable, '-c', {POLITE!r}])\n"
        "with Supervisor([child], Path(sys.argv[1])) as s:\n"
        "    s.start(20); print(child.process.pid, flush=True); s.watch()\n"
    )
    words = [sys.executable, "-c", code, str(tmp_path)]
    parent = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    grandchild = int(parent.stdout.readline())
    since = pids.started(grandchild)
    parent.kill()
    parent.communicate()
    until = time.monotonic() + 20
    while pids.started(grandchild) == since and time.monotonic() < until:
        time.sleep(0.05)
    assert pids.started(grandchild) != since


def test_asked_to_end_the_command_stops_its_children(tmp_path):
    code = (
        "import sys; from pathlib import Path; from mes.embedded.processes import Child, Supervisor\n"
        f"child = Child('one', [sys.executable, '-c', {POLITE!r}],"
        " lambda: 'serving' in (Path(sys.argv[1]) / 'one.log').read_text())\n"
        "with Supervisor([child], Path(sys.argv[1])) as s:\n"
        "    s.start(20); print('up', flush=True); s.watch()\n"
    )
    words = [sys.executable, "-c", code, str(tmp_path)]
    parent = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout.readline() == "up\n"
    parent.terminate()
    parent.communicate(timeout=20)
    assert parent.returncode == 128 + signal.SIGTERM
    assert "ended politely" in (tmp_path / "one.log").read_text()


def test_an_interrupt_stops_a_command_that_a_script_started_in_the_background(tmp_path):
    code = (
        "import sys; from pathlib import Path; from mes.embedded.processes import Child, Supervisor\n"
        f"child = Child('one', [sys.executable, '-c', {POLITE!r}],"
        " lambda: 'serving' in (Path(sys.argv[1]) / 'one.log').read_text())\n"
        "with Supervisor([child], Path(sys.argv[1])) as s:\n"
        "    s.start(20); print('up', flush=True); s.watch()\n"
    )
    (tmp_path / "code.py").write_text(code)
    script = f"PYTHONPATH={ROOT} {sys.executable} {tmp_path}/code.py {tmp_path} & echo $!; wait $!; echo ended with $?"
    shell = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True)
    try:
        pid = int(shell.stdout.readline())
        assert shell.stdout.readline() == "up\n"
        os.kill(pid, signal.SIGINT)
        said, _ = shell.communicate(timeout=20)
        assert said in ("ended with 1\n", f"ended with {128 + signal.SIGINT}\n") and "ended politely" in (tmp_path / "one.log").read_text()
    finally:
        if shell.poll() is None:
            os.killpg(shell.pid, signal.SIGKILL)


def test_a_taken_port_is_passed_over():
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port("127.0.0.1", port) > port


def test_handlers_of_signals_are_put_back(tmp_path):
    def own(_number, _frame) -> None:
        """A handler no supervisor has: a site of the journeys may be running in this process."""

    before = signal.signal(signal.SIGTERM, own)
    try:
        with Supervisor([], tmp_path):
            assert signal.getsignal(signal.SIGTERM) is not own
        assert signal.getsignal(signal.SIGTERM) is own
    finally:
        signal.signal(signal.SIGTERM, before)
