"""Pages on people: coming in and going, one's own secrets, the register."""
