"""The shape of what is typed on the pages on labels."""

from django import forms

from batches.lots.forms import line


class UseForm(forms.Form):
    scanned_label = line("New label", "Scan the label that was printed.", longest=300, scan=True)
    scanned_container = line(
        "What is on the container now", "Scan the donation number, or the label of the container it was filled from.", longest=300, scan=True
    )
