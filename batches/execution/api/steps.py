"""The steps of a lot over the API: read, open, record, scan, attach. The same services and codes as on the page."""

from __future__ import annotations

from batches.execution import queries, services
from batches.execution.api.shapes import (
    ChoiceIn,
    ConfirmIn,
    EquipmentIn,
    FileIn,
    MaterialIn,
    OpenIn,
    StepLine,
    StepOut,
    StopIn,
    ValuesIn,
    ValuesOut,
    step_line,
    step_out,
    value_out,
)
from batches.execution.rules import check_may_read_step
from batches.execution.work import At
from batches.permissions import Permission
from mes.api.views import ServiceView, UploadView
from mes.errors import UnreadableInput


class StepsView(ServiceView):
    """The steps of a lot."""

    permission = Permission.READ_LOTS
    answers = {"GET": StepLine(many=True)}

    def get(self, request, number: str):
        """Every run of the lot's steps, in order."""
        lot = queries.lot_by_number(number)
        recipe = queries.recipe_of(lot)
        return self.reply([step_line(run, recipe.step(run.step_key)) for run in queries.runs_of(lot)])


class StepView(ServiceView):
    """One step of a lot."""

    permissions = {"GET": Permission.READ_LOTS}
    answers = {"GET": StepOut}

    def get(self, request, number: str, key: str):
        """What the step asks for, what is recorded, and what is missing."""
        run = queries.run_by_key(number, key)
        check_may_read_step(self.actor, run, queries.step_of(run))
        return self.reply(step_out(run))


class StepAct(ServiceView):
    """Base of what is done in a step: one service call, then the step as it stands."""

    permissions = {"POST": Permission.RECORD_VALUES}
    answers = {"POST": StepOut}

    def step_reply(self, number: str, key: str):
        with self.reading():
            return self.reply(step_out(queries.run_by_key(number, key)))

    def kept(self, result) -> None:
        """Raises what a kept attempt or a wrong scan stands for."""
        refusal = queries.refusal_of(result)
        if refusal is not None:
            raise refusal


class OpenView(StepAct):
    """Open a step."""

    asks = {"POST": OpenIn}

    def post(self, request, number: str, key: str):
        """Open the step on the identifier of its container. A wrong scan is kept and answered as a problem."""
        given = self.read()
        self.kept(services.open_step(by=self.actor, step_run_id=At(number, key), seen=given["seen"], scanned=given["scanned"]))
        return self.step_reply(number, key)


class ValuesView(StepAct):
    """Record values."""

    asks = {"POST": ValuesIn}
    answers = {"POST": ValuesOut}

    def post(self, request, number: str, key: str):
        """Record one or several values in one deed. A single one that is no value is answered as a problem, with its code; it is kept as an attempt."""
        given = self.read()["values"]
        typed = [
            services.Typed(
                each["parameter"], each["value"], str(each["seen"]) if each.get("seen") else None, each.get("claimed_at"), each.get("reason", ""),
                each.get("again"), each.get("unit") or None,
            )
            for each in given
        ]  # fmt: skip
        results = services.record_values(by=self.actor, step_run_id=At(number, key), values=typed)
        if len(results) == 1:
            self.kept(results[0])
        with self.reading():
            step = step_out(queries.run_by_key(number, key))
            read = {entry.pk: entry for entry in step["entries"]}  # with who recorded each: asked for once, however many were sent
            return self.reply({"values": [value_out(read.get(each.pk, each)) for each in results], "step": step})


class MaterialView(StepAct):
    """Take material."""

    asks = {"POST": MaterialIn}

    def post(self, request, number: str, key: str):
        """So much of the scanned material lot goes into the step."""
        self.kept(services.consume(by=self.actor, step_run_id=At(number, key), **self.read()))
        return self.step_reply(number, key)


class EquipmentView(StepAct):
    """Use equipment."""

    asks = {"POST": EquipmentIn}

    def post(self, request, number: str, key: str):
        """The scanned equipment is used in the step."""
        self.kept(services.use_equipment(by=self.actor, step_run_id=At(number, key), **self.read()))
        return self.step_reply(number, key)


class FileView(UploadView, StepAct):
    """Attach a raw file."""

    asks = {"POST": FileIn}

    def post(self, request, number: str, key: str, code: str):
        """Attach a file (multipart, field `file`); its SHA-256 becomes part of what is signed."""
        file = request.FILES.get("file")
        if file is None:
            raise UnreadableInput("file_missing", "No file was sent. Send it as multipart/form-data in the field file.", field="file")
        services.attach(
            by=self.actor, step_run_id=At(number, key), code=code, file_name=file.name,
            media_type=file.content_type or "application/octet-stream", content=file.read(),
        )  # fmt: skip
        return self.step_reply(number, key)


class ConfirmView(StepAct):
    """Confirm a reading."""

    asks = {"POST": ConfirmIn}

    def post(self, request, number: str, key: str, reading_id):
        """The caller, a named person, confirms that the reading is the value of this step."""
        given, at = self.read(), At(number, key)
        self.kept(services.confirm_reading(by=self.actor, reading_id=reading_id, step_run_id=at, parameter=given["parameter"], saw=given.get("seen")))
        return self.step_reply(number, key)


class ChooseView(StepAct):
    """Choose about an excursion."""

    asks = {"POST": ChoiceIn}

    def post(self, request, number: str, key: str, excursion_id):
        """Correct, keep and go on, or keep and stop."""
        services.choose(by=self.actor, excursion_id=excursion_id, **self.read())
        return self.step_reply(number, key)


class StopView(StepAct):
    """Stop a step."""

    asks = {"POST": StopIn}

    def post(self, request, number: str, key: str):
        """Nothing more is recorded until a supervisor or quality decides."""
        services.stop_step(by=self.actor, step_run_id=At(number, key), **self.read())
        return self.step_reply(number, key)
