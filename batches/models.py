"""The face that Django sees: every model of batches."""

from batches.custody.models import HandOver, Label
from batches.dossier.models import BatchRecordPaper
from batches.equipment.models import Equipment, EquipmentClass, EquipmentUse, Occupancy
from batches.execution.models import (
    Attachment,
    Entry,
    EntryAttempt,
    Excursion,
    ExcursionChoice,
    ScanEvent,
    StepDecision,
    StepRun,
)
from batches.lots.models import Container, Donation, Hold, Lot, LotDonation, LotSite, TherapyEvent
from batches.materials.models import Consumption, Material, MaterialLot
from batches.readings.models import Channel, Reading
from batches.recipes.models import MasterRecipe, RecipeVersion
from batches.subjects.models import BlindIndex, Patient, PatientIdentity

__all__ = [
    "Attachment", "BatchRecordPaper", "BlindIndex", "Channel", "Consumption", "Container", "Donation", "Entry", "EntryAttempt", "Equipment",
    "EquipmentClass", "EquipmentUse", "Excursion", "ExcursionChoice", "HandOver", "Hold", "Label", "Lot", "LotDonation", "LotSite", "MasterRecipe",
    "Material", "MaterialLot", "Occupancy", "Patient", "PatientIdentity", "Reading", "RecipeVersion", "ScanEvent", "StepDecision", "StepRun",
    "TherapyEvent",
]  # fmt: skip
