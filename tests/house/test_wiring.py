"""What is named by text exists: permissions, events, tasks; and what exists is used."""

import ast
import importlib
import warnings
from enum import StrEnum

from celery.exceptions import CDeprecationWarning

from mes.celery import PERIODIC, QUEUES, app
from mes.reactions import TASKS_AFTER
from tests.house.source import APPS, ROOT, calls, dotted, modules, of_kind, report

#: What hands out permissions or prints them, and so does not count as asking.
HANDS_OUT = ("permissions", "roles")


def enums(file: str, name: str) -> dict[str, type[StrEnum]]:
    """The StrEnum of each app: permissions.py -> Permission, events.py -> Event."""
    return {one: getattr(importlib.import_module(f"{one}.{file}"), name) for one in APPS if (ROOT / one / f"{file}.py").exists()}


def test_every_permission_is_asked_for():
    asked = set()
    for module in modules():
        if module.kind in HANDS_OUT or "demo" in module.path.parts:
            continue
        asked |= {dotted(n).split(".")[-1] for n in ast.walk(module.tree) if isinstance(n, ast.Attribute)}
    idle = {f"{one}.Permission.{p.name}" for one, enum in enums("permissions", "Permission").items() for p in enum if p.name not in asked}
    assert not idle, report(idle, "Ask for it in a rule, a page or an API view, or take it out.")


def test_permissions_and_events_begin_with_their_app_and_are_unique():
    values = []
    for file, name in (("permissions", "Permission"), ("events", "Event")):
        for one, enum in enums(file, name).items():
            values += [member.value for member in enum]
            odd = {member.value for member in enum if not member.value.startswith(f"{one}.") or member.value != f"{one}.{member.name.lower()}"}
            assert not odd, report(odd, f"Write the value of each {name} as <app>.<name in small letters>.")
    assert len(values) == len(set(values))


def test_no_permission_is_asked_by_its_text():
    """A typing error in a text refuses or allows silently; the enum does not."""
    known = {p.value for enum in enums("permissions", "Permission").values() for p in enum}
    found = {}
    for module in modules():
        if module.kind == "permissions":
            continue
        for name, node in calls(module.tree):
            if name.split(".")[-1] in {"check_may", "may", "check_person_may", "role_for"}:
                for argument in [*node.args, *(k.value for k in node.keywords)]:
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and argument.value in known:
                        found[module.where(node)] = argument.value
    assert not found, report(found, "Use the Permission enum.")


def registered() -> set[str]:
    for one in APPS:
        if (ROOT / one / "tasks.py").exists():
            importlib.import_module(f"{one}.tasks")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(?s).*'queue' task attribute", category=CDeprecationWarning)
        app.finalize()
    return {name for name in app.tasks if not name.startswith("celery.")}


def test_every_reaction_names_an_event_and_a_task_that_exist():
    events = {event.value for enum in enums("events", "Event").values() for event in enum}
    unknown = set(TASKS_AFTER) - events
    assert not unknown, report(unknown, "mes/reactions.py: there is no such event.")
    missing = {task: event for event, tasks in TASKS_AFTER.items() for task in tasks if task not in registered()}
    assert not missing, report(missing, "mes/reactions.py: there is no such task. Write it into tasks.py of its app.")


def test_everything_periodic_names_a_task_and_a_queue_that_exist():
    missing = {name: line.task for name, line in PERIODIC.items() if line.task not in registered()}
    assert not missing, report(missing, "mes/celery.py: there is no such task.")
    queues = {name: line.queue for name, line in PERIODIC.items() if line.queue not in QUEUES}
    assert not queues, report(queues, "mes/celery.py: no worker reads that queue.")


def test_every_task_is_sent_by_somebody():
    sent = {line.task for line in PERIODIC.values()} | {task for tasks in TASKS_AFTER.values() for task in tasks}
    for module in modules():
        for name, node in calls(module.tree):
            if name.split(".")[-1] in {"send", "send_task"} and node.args and isinstance(node.args[0], ast.Constant):
                sent.add(node.args[0].value)
            if name.split(".")[-1] in {"delay", "apply_async"}:
                sent.add(".".join([module.path.relative_to(ROOT).parts[0], name.split(".")[-2]]))
    idle = registered() - sent
    assert not idle, report(idle, "Send it: mes/reactions.py, the table in mes/celery.py, or a service's reaction.")


def test_task_arguments_are_ids_only():
    """Messages lie in Redis: no value of a record, nothing of a patient goes there."""
    found = {}
    for module in of_kind("tasks"):
        for function in module.functions():
            for argument in [*function.args.args, *function.args.kwonlyargs]:
                kind = ast.unparse(argument.annotation) if argument.annotation else ""
                is_task = any("task" in ast.unparse(d) for d in function.decorator_list)
                if is_task and argument.arg not in {"self", "site", "subject"} and kind not in {"uuid.UUID", "UUID", "int"}:
                    found[module.where(function)] = f"{function.name}({argument.arg})"
    assert not found, report(found, "A task takes the site's id and the subject's id, and reads the rest from the database.")


def test_django_signals_carry_no_gmp_work():
    """A receiver of a signal is an import nobody sees. The door tells events; receivers are registered by name."""
    allowed = {"mes/apps.py"}
    found = {
        module.where(node): name
        for module in modules()
        if str(module.path.relative_to(ROOT)) not in allowed
        for name, node in calls(module.tree)
        if name.split(".")[-1] == "connect" and name.split(".")[-2:-1] and name.split(".")[-2].startswith(("post_", "pre_", "user_", "request_"))
    }
    assert not found, report(found, "Use mes.records.door.receive(Event.X, receiver) in a wiring.py.")
