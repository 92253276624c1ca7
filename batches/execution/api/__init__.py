"""Execution over the API."""

from batches.execution.api.signing import (
    CorrectQuantitySign,
    CorrectSign,
    DecideSign,
    LeaveOutSign,
    PerformSign,
    ResumeSign,
    SecondSign,
    TypedSign,
)
from batches.execution.api.steps import (
    ChooseView,
    ConfirmView,
    EquipmentView,
    FileView,
    MaterialView,
    OpenView,
    StepsView,
    StepView,
    StopView,
    ValuesView,
)

__all__ = [
    "ChooseView", "ConfirmView", "CorrectQuantitySign", "CorrectSign", "DecideSign", "EquipmentView", "FileView", "LeaveOutSign", "MaterialView",
    "OpenView", "PerformSign", "ResumeSign", "SecondSign", "StepView", "StepsView", "StopView", "TypedSign", "ValuesView",
]  # fmt: skip
