"""Sample data of the component gallery. Every person, patient, lot and number here is made up; nothing is read or written."""

from mes.web.gallery.parts import SHELLS, gallery
from mes.web.gallery.results import certificate
from mes.web.gallery.sample import SAID

__all__ = ["SAID", "SHELLS", "certificate", "gallery"]
