"""Pages of the floor."""

from batches.execution.views.corrections import CorrectionsPage, CorrectPage, CorrectQuantityPage
from batches.execution.views.floor import BoardPage, StationPage, WaitingPanel
from batches.execution.views.signing import DecidePage, LeaveOutPage, PerformPage, ResumePage, SecondPage, TypedPage
from batches.execution.views.step import (
    AttachPage,
    ChoosePage,
    ConfirmReadingPage,
    FilePage,
    LatePage,
    ScanPage,
    StepPage,
    StopPage,
    ValuePage,
)

__all__ = [
    "AttachPage", "BoardPage", "ChoosePage", "ConfirmReadingPage", "CorrectPage", "CorrectQuantityPage", "CorrectionsPage",
    "DecidePage", "FilePage", "LatePage", "LeaveOutPage",
    "PerformPage", "ResumePage", "ScanPage", "SecondPage", "StationPage", "StepPage", "StopPage", "TypedPage", "ValuePage", "WaitingPanel",
]  # fmt: skip
