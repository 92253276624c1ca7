"""Every deed goes through the one door, has its rule and asks it, and never commits by itself."""

import ast
import inspect
from enum import StrEnum

import pytest

from mes.records import door
from tests.house.source import ROOT, Module, calls, decorators, dotted, load_all, modules, of_kind, report

#: Public functions of services files that are no deeds, each with its reason.
NO_DEED = {
    "mes.people.services.access.begin_try": "counts tries of secrets in a working row; the lock is a deed",
    "mes.people.services.access.end_try": "the same",
    "mes.people.services.access.end_try_unless_locked": "the same",
    "mes.people.services.access.reset_failures": "the same",
    "mes.people.services.access.count_try": "the same, around the check of a second factor",
    "mes.people.services.access.begin_sign_in": "counts tries of a name and an address in a working row",
    "mes.people.services.access.end_sign_in": "the same",
    "mes.people.services.access.is_flood_of_tokens": "counts tokens that opened nothing, by address, in a working row",
    "mes.people.services.access.count_in_vain": "counts wrong tries to sign, by session's person and address, in a working row",
    "mes.people.services.access.begin_in_vain": "the same, before a hash is checked",
    "mes.people.services.access.vain_keys": "the keys of that row",
    "mes.people.services.access.held_up": "asks that row",
    "mes.people.services.access.check_not_held_up": "the same, and refuses",
    "mes.passkeys.services.count_up": "keeps a passkey's counter in a working row; each that counted stands in its signature",
    "batches.lots.services.identity.prove_identity": "asks and signs inside the deed it stands in; the signature is a deed of its own",
    "batches.execution.services.recording.raise_transport": "a receiver's: the excursion belongs to the deed of the hand-over that it stands in",
}
#: Services that ask the rule of another one, with why.
RULE_ELSEWHERE: dict[str, tuple[str, str]] = {
    "batches.execution.services.entries.record_values": ("check_can_record_value", "asked for each value"),
    "batches.equipment.services.free_all_of": ("check_can_free", "asked for each equipment"),
}
#: Files that open or end a transaction, each with what for. Nothing else may.
TRANSACTIONS = {
    "mes/records/door.py": "the door itself",
    "mes/records/context.py": "reading",
    "mes/people/services/access.py": "the counter of wrong secrets, a working row of its own",
    "batches/subjects/services.py": "a patient's key is burnt only once the deed is committed",
}
TRANSACTION_CALLS = {
    "transaction.atomic", "transaction.commit", "transaction.rollback", "transaction.set_autocommit", "transaction.savepoint",
    "transaction.savepoint_commit", "transaction.on_commit", "connection.commit", "connection.rollback",
    "connection.set_autocommit", "atomic", "on_commit",
}  # fmt: skip
#: What only services do, in kinds of files that never write.
WRITES = {"save", "insert", "bulk_create", "get_or_create", "update_or_create"}
NEVER_WRITE = ("views", "api", "forms", "rules", "queries", "models", "states", "urls")


def services() -> dict[str, object]:
    load_all("services")
    return {name: function for name, function in sorted(door.SERVICES.items()) if not name.startswith("tests.")}


def parsed(name: str) -> tuple[Module, ast.FunctionDef]:
    """The file and the function of a service."""
    module_name, _, function_name = name.rpartition(".")
    module = next(module for module in modules() if module.name == module_name)
    return module, next(f for f in module.functions() if f.name == function_name)


def helpers() -> dict[str, str]:
    """Public functions of services files that are no services, by dotted name: what only their own folder may call."""
    return {
        f"{module.name}.{function.name}": module.where(function)
        for module in of_kind("services")
        for function in module.functions()
        if not function.name.startswith("_") and "service" not in decorators(function)
    }


def test_whoever_calls_a_services_folder_from_outside_calls_a_service():
    inside = {name: where for name, where in helpers().items() if name not in NO_DEED}
    by_folder = {(name.split(".services")[0], name.rpartition(".")[2]): name for name in inside}
    found = {}
    for module in modules():
        for name, node in calls(module.tree):
            words = name.split(".")
            if len(words) >= 2 and words[-2] == "services" and module.kind != "services":
                called = by_folder.get((module.folder, words[-1]))
                if called:
                    found[module.where(node)] = f"{name}() is no service"
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom) and ".services" in f".{node.module}":
                folder = node.module.split(".services")[0]
                for alias in node.names:
                    called = by_folder.get((folder, alias.name))
                    if called and (module.folder != folder or module.kind != "services"):
                        found[module.where(node)] = f"{called}() is no service"
    assert not found, report(
        found, "Wrap it with @service(Event.X), move it to the kind it is (queries, rules), or list it in NO_DEED with a reason."
    )


def test_services_stand_in_services_files_only():
    found = {
        module.where(function): f"{function.name}()"
        for module in modules()
        if module.kind != "services" and module.name != "mes.records.door"
        for function in ast.walk(module.tree)
        if isinstance(function, ast.FunctionDef) and "service" in decorators(function)
    }
    assert not found, report(found, "Move it to services.py of its folder, or to a file of services/.")


def test_every_listed_exception_exists():
    names = {f"{module.name}.{function.name}" for module in of_kind("services") for function in module.functions()}
    gone = (set(NO_DEED) | set(RULE_ELSEWHERE)) - names
    assert not gone, report(gone, "Take these out of the lists in tests/house/test_services.py.")


def test_every_service_takes_named_arguments_tells_an_event_and_says_what_it_does():
    found = {}
    for name, function in services().items():
        parameters = inspect.signature(function).parameters.values()
        if any(p.kind is not p.KEYWORD_ONLY for p in parameters):
            found[name] = "takes arguments by place"
        if not isinstance(function.event, StrEnum) or not type(function.event).__module__.endswith(".events"):
            found[name] = f"its event {function.event!r} is none of the app's events.py"
        elif type(function.event).__module__.split(".")[0] != name.split(".")[0]:
            found[name] = f"tells an event of {type(function.event).__module__}"
        if not inspect.getdoc(function):
            found[name] = "has no docstring"
    assert not found, report(found, "A service takes keyword-only arguments, tells an Event of its own app, and says what it does.")


def reached(module: Module, function: ast.FunctionDef) -> set[str]:
    """Names called in a function and in the private functions of its file that it calls."""
    own = {f.name: f for f in module.functions()}
    seen, waiting, names = set(), [function], set()
    while waiting:
        current = waiting.pop()
        for name, _ in calls(current):
            names.add(name)
            if name in own and name not in seen:
                seen.add(name)
                waiting.append(own[name])
    return names


def test_every_service_asks_the_rule_of_its_own_name():
    found = {}
    for name in services():
        module, function = parsed(name)
        rule = RULE_ELSEWHERE.get(name, (f"check_can_{function.name}", ""))[0]
        if rule not in {called.split(".")[-1] for called in reached(module, function)}:
            found[module.where(function)] = f"{function.name}() never calls {rule}()"
    assert not found, report(found, "Write check_can_<service>(*, by, …) into rules.py of the folder, and call it before the first write.")


def test_every_rule_stands_in_the_rules_of_the_folder_of_its_service():
    rules = {(module.folder, f.name): (module, f) for module in of_kind("rules") for f in module.functions()}
    found = {}
    for name in services():
        module, function = parsed(name)
        if name not in RULE_ELSEWHERE and (module.folder, f"check_can_{function.name}") not in rules:
            found[module.where(function)] = f"no check_can_{function.name}() in {module.folder.replace('.', '/')}/rules"
    assert not found, report(found, "A service and its rule live in one folder.")
    names = {(parsed(name)[0].folder, name.rpartition(".")[2]) for name in services()}
    for (folder, rule), (module, function) in rules.items():
        if rule.startswith("check_can_") and (folder, rule.removeprefix("check_can_")) not in names:
            called = any(c.split(".")[-1] == rule for other in modules() if other.kind != "rules" for c, _ in calls(other.tree))
            if not called:
                found[module.where(function)] = f"{rule}() belongs to no service and nobody calls it"
        if rule.startswith("check_can_") and function.args.args:
            found[module.where(function)] = f"{rule}() takes arguments by place"
    assert not found, report(found, "Name a rule check_can_<service>, let it take keyword-only arguments, and take out what nobody asks.")


def test_rules_and_reads_write_nothing():
    found = {
        module.where(node): f"{name}()"
        for module in modules()
        if module.kind in NEVER_WRITE and module.name not in ("mes.records.models", "mes.audit.models")
        for name, node in calls(module.tree)
        if name.split(".")[-1] in WRITES
        and (name.split(".")[-1] != "insert" or ".objects." in name)  # lists insert too
        and not name.startswith(("super", "."))
    }
    assert not found, report(found, "Only services write. Move this into a service.")


@pytest.mark.req("AUD-01", case="negative")
def test_nothing_but_the_door_opens_or_ends_a_transaction():
    """Why this proves it for every service: all of them run in the door's one transaction, whose last act is the trail.

    tests/mes/records/test_door.py shows that nothing is left when that last act fails; here, that no service can have
    written anything outside of that transaction.
    """
    found = {
        module.where(node): f"{name}()"
        for module in modules()
        if not exempt(module)
        for name, node in calls(module.tree)
        if name in TRANSACTION_CALLS or name.endswith((".set_autocommit", ".savepoint_commit"))
    }
    assert not found, report(found, "A service runs in the door's transaction. Reading happens in site_context().")


def exempt(module: Module) -> bool:
    path = str(module.path.relative_to(ROOT))
    return path in TRANSACTIONS or path.startswith(("mes/embedded/", "mes/verifier/"))


@pytest.mark.req("AUD-01", case="negative")
def test_every_service_is_wrapped_by_the_same_door():
    """With the test before it and those of the door: for every service, when the trail cannot be written, nothing is."""
    every = services()
    assert len(every) > 20
    wrapper = services()["mes.people.services.access.record_sign_in"].__code__
    other = {name for name, function in every.items() if function.__code__ is not wrapper}
    assert not other, report(other, "Wrap it with mes.records.door.service and with nothing around that.")


def test_every_event_is_told_and_every_told_event_exists():
    load_all("events")
    written = {}
    for module in of_kind("events"):
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef) and node.name == "Event":
                for line in node.body:
                    if isinstance(line, ast.Assign):
                        written[module.name.split(".")[0], line.targets[0].id] = module.where(line)
    told = set()
    for module in modules():
        if module.kind == "events":
            continue
        for node in ast.walk(module.tree):
            name = dotted(node) if isinstance(node, ast.Attribute) else ""
            words = name.split(".")
            if len(words) >= 2 and words[-2] in ("Event", "MesEvent", "BatchesEvent", "LotEvent", "QualityEvent"):
                told.add(words[-1])
    silent = {where: f"{app}.{name}" for (app, name), where in written.items() if name not in told}
    assert not silent, report(silent, "Tell it in a service, or take it out.")
