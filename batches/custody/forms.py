"""The shape of what is typed on the pages on labels and hand-overs."""

from django import forms

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
    temperature_min = line("Lowest temperature", "With its unit, such as 2.4 °C.", required=False, longest=20)
    temperature_max = line("Highest temperature", "With its unit.", required=False, longest=20)
    remark = line("Remark", required=False, longest=2000)
