"""The shape of what is typed on the pages on labels and hand-overs."""

from django import forms

from batches.custody.models import HandOver
from batches.lots.forms import line


class UseForm(forms.Form):
    scanned_label = line("New label", "Scan the label that was printed.", longest=300, scan=True)
    scanned_container = line(
        "What is on the container now", "Scan the donation number, or the label of the container it was filled from.", longest=300, scan=True
    )


class HandOverForm(forms.Form):
    scanned = line("Container", "Scan its label, or type its identifier in full; the check code is no proof.", longest=300, scan=True)
    from_place = line("From")
    to_place = line("To")
    carrier = line("Courier", required=False)
    seal = line("Seal", required=False, longest=60)
    logger = line("Temperature logger", required=False, longest=60)
    temperature_min = line("Lowest temperature", "In °C, as the thermometer or the logger shows it.", required=False, longest=20)
    temperature_max = line("Highest temperature", required=False, longest=20)
    remark = line("Remark", required=False, longest=2000)

    def __init__(self, *args, limits: str = "", left: HandOver | None = None, **kwargs):
        """`limits`: the temperatures that are allowed, in words; `left`: how the container was handed over before."""
        super().__init__(*args, **kwargs)
        low, high = self.fields["temperature_min"], self.fields["temperature_max"]
        low.help_text, high.help_text = f"{low.help_text} {limits}".strip(), limits
        for name, words in (("seal", "Read the seal itself."), ("logger", "Read the logger itself.")):
            if left is not None and getattr(left, name):
                self.fields[name].help_text = f"It was handed over with {getattr(left, name)}. {words}"
