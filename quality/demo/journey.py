"""One lot from order to final certificate over HTTP, its papers and evidence kept, its certificate compared with the published values."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from pathlib import Path

from mes import clock as record_clock
from mes.verifier import evidence as verifier
from quality.demo import clock, comparing, people, preparing, story, values
from quality.demo.agenda import Agenda
from quality.demo.cast import Cast
from quality.demo.comparing import Compared
from quality.demo.lotwork import LotWork
from quality.demo.ordering import Order
from quality.demo.progress import Progress
from quality.demo.store import Store


@dataclass
class Outcome:
    """What a journey found: values beside the published ones, marks that are missing, breaks of the audit stream, and the files it left."""

    lot: str
    compared: list[Compared]
    unmarked: list[str]
    broken: list[str]
    files: list[Path] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return bool(self.compared) and all(each.equal for each in self.compared) and not self.unmarked and not self.broken

    def lines(self) -> list[str]:
        """The outcome in words, one line each."""
        shown = [f"{'equal' if each.equal else 'DIFFERS':<8}{each.what:<24}{each.published:<16}{each.certified}" for each in self.compared]
        shown += [f"DIFFERS {code}: made up, and the certificate does not say so" for code in self.unmarked]
        return shown + [f"BROKEN  {each}" for each in self.broken]


def work(cast: Cast, zone: str, *, product: str = "ari0001", data: str = "ARI0001/01", key: str = "journey", **more) -> LotWork:
    """The work on the lot of a journey."""
    recipe, version, cohort = story.RECIPE_OF[product]
    order = Order(recipe, version, cohort, f"Patient-{key}", more.pop("din", "X999926000901"))
    store = Store(cast["operator"])
    return LotWork(cast, store, order, values.load(product, data), record_clock.record_now, zone, key, **more)


def drive(work: LotWork) -> None:
    """Work through one lot, moving the record clock to each moment it waits for."""
    agenda = Agenda(record_clock.record_now, clock.advance_to)
    agenda.add(work.data.name, work.course(), record_clock.record_now())
    agenda.run()


def run(base: str, into: Path, progress: Progress, *, data: str = "ARI0001/01") -> Outcome:
    """Prepare a site, drive one lot of ARI-0001, keep what it leaves in a folder. Raises Refused, TooSlow."""
    cast = story.open_cast(base)
    preparing.prepare(cast, progress, record_clock.record_now, products=("ari0001",))
    progress.begin(data)
    lot = work(cast, people.zone(), data=data, tell=lambda text: progress.step(text, at=0))
    drive(lot)
    progress.done(f"{data} is certified as {lot.number}, with {cast.calls} requests by {len(cast.people)} people")
    return keep(cast, lot, into)


def keep(cast: Cast, lot: LotWork, into: Path) -> Outcome:
    """Save certificates, batch record and evidence of a lot, and compare them with what is published."""
    into.mkdir(parents=True, exist_ok=True)
    files = []
    for certificate in lot.judging.certificates(2):
        path = f"{lot.judging.lot}certificates/{certificate['number']}/pdf/"
        files.append(lot.judging.keep(cast["qp"], path, into / f"{certificate['number']}-{certificate['stage']}.pdf"))
    files.append(lot.judging.batch_record(cast["qp"], into / f"batch-record-{lot.number}.pdf"))
    evidence = cast["qp"].get(f"{lot.judging.lot}evidence/")
    files.append(into / f"evidence-{lot.number}.json")
    files[-1].write_text(json.dumps(evidence, indent=1))
    files.append(into / f"evidence-{lot.number}.zip")
    files[-1].write_bytes(cast["qp"].post_bytes(f"{lot.judging.lot}evidence-file/").content)
    signed = comparing.certificate_in(evidence)
    broken = [*comparing.check_stream(evidence), *(str(each) for each in verifier.verify(str(files[-1])).findings.kept)]
    found = Outcome(lot.number, comparing.compare(signed, lot.data), comparing.unmarked(signed, lot.data), broken, files)
    files.append(into / "comparison.txt")
    moment = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    head = f"{lot.data.name}, made as {lot.number}; compared {moment}\n{'':<8}{'value':<24}{'published':<16}certificate\n"
    files[-1].write_text(head + "\n".join(found.lines()) + "\n")
    return found
