"""A small sound recipe, and one bad recipe for each thing that must be refused, made from it by one change."""

from dataclasses import dataclass

SOUND = """\
code: TRIAL-A
name: Trial product, short process
product: trial
version: "1.0"
demo: true
regulatory_use: clinical
based_on:
  - {id: S1, title: A source for the trial}
specification: TRIAL-REL
dose:
  kind: per_kg
  unit: CAR+ cells/kg
  cohorts:
    - {code: low, target: 1e5}
    - {code: high, target: 1e6}
  cohort_parameter: dose_cohort
  weight_parameter: weight_kg
  tolerance_pct: 20
  basis: Cohort times weight
  evidence: illustrative
shelf_life: {starts: A2.3.fill_end, span: 48 h, storage: 2 to 8 degC, evidence: illustrative}
certificate: {total_car_cells: total_car, dose_per_kg: dose_per_kg, volume: fill_volume, bags: bags}
materials:
  - {code: medium, name: Medium, unit: mL, role: raw, quantity: 500}
equipment_classes:
  - {code: prodigy, name: Device}
containers:
  - {code: chamber, title: Chamber, kind: culture_chamber, label: true, created_by: A0.1}
  - {code: bag, title: Dose bag, kind: final_bag, label: true, created_by: A2.3}
stages:
  - code: A0
    title: Order
    purpose: Open the lot.
    steps:
      - key: A0.1
        title: Order
        instruction: Enter the order.
        kind: order
        day: -1
        performed_by: scheduler
        second_person: verify
        parameters:
          - {key: dose_cohort, name: Cohort, type: choice, options: [low, high]}
          - {key: weight_kg, name: Weight, type: decimal, unit: kg, limits: {plausible: {min: 2, max: 300}}, evidence: illustrative}
          - {key: planned_dose, name: Planned dose, type: calculated, unit: CAR+ cells, expression: weight_kg * dose_target}
  - code: A1
    title: Culture
    purpose: Grow the cells.
    steps:
      - key: A1.1
        title: Line clearance
        instruction: Look.
        kind: line_clearance
        day: 0
        repeat: {from_day: 0, to_day: 2}
        performed_by: operator
        second_person: witness
        parameters:
          - {key: cleared, name: Nothing of another lot, type: boolean, accept: ["yes"], evidence: illustrative}
      - key: A1.2
        title: Feed
        instruction: Feed and count.
        day: 0
        repeat: {from_day: 0, to_day: 2}
        performed_by: operator
        touches_material: chamber
        equipment: [prodigy]
        materials:
          - {material: medium, quantity: 0.1, unit: L}
        parameters:
          - {key: fed_volume, name: Volume fed, type: decimal, unit: mL}
          - key: cells
            name: Viable cells
            type: decimal
            unit: cells/mL
            source: either
            channel: cell_concentration
            limits:
              plausible: {min: 0, max: 1e9}
              action: {min: 1e4, evidence: V, evidence_source: S1}
            limit_class: CPP
            evidence: illustrative
          - {key: culture_cells, name: Cells in culture, type: calculated, unit: cells, expression: fed_volume * cells}
  - code: A2
    title: Harvest
    purpose: Fill the dose.
    steps:
      - key: A2.1
        title: Harvest
        instruction: Harvest.
        kind: sampling
        day: 2
        performed_by: operator
        touches_material: chamber
        parameters:
          - {key: harvest_end, name: Harvest ended, type: datetime}
          - {key: harvest_volume, name: Volume, type: decimal, unit: mL}
          - {key: car_concentration, name: CAR+ cells, type: decimal, unit: CAR+ cells/mL}
          - {key: total_car, name: Total CAR+ cells, type: calculated, unit: CAR+ cells, expression: harvest_volume * car_concentration}
          - {key: dose_per_kg, name: Dose per kg, type: calculated, unit: CAR+ cells/kg, expression: total_car / weight_kg}
      - key: A2.2
        title: Go on?
        instruction: Decide.
        kind: decision
        day: 2
        performed_by: supervisor
        decision:
          question: Fill this lot?
          options:
            - {code: fill, title: Fill, consequence: continue}
            - {code: stop, title: Stop, consequence: terminate}
      - key: A2.3
        title: Fill
        instruction: Fill.
        day: 2
        performed_by: operator
        touches_material: chamber
        parameters:
          - {key: fill_end, name: Fill ended, type: datetime}
          - {key: fill_volume, name: Volume filled, type: decimal, unit: mL}
          - {key: bags, name: Bags, type: integer, unit: bags}
  - code: A3
    title: Infusion
    purpose: Give the dose.
    after_release: true
    steps:
      - key: A3.1
        title: Infuse
        instruction: Infuse.
        day: 3
        performed_by: treatment_centre
        second_person: witness
        touches_material: bag
        parameters:
          - {key: infusion_end, name: Infusion ended, type: datetime}
time_limits:
  - code: harvest-fill
    title: Harvest to fill
    starts: A2.1.harvest_end
    ends: step:A2.3.signed
    max: 90 min
    class: CPP
    reaction: Deviation
    evidence: illustrative
samples:
  - {code: REL, title: Release, step: A2.1, day: 2, specimen: Product, tests: [viability], timing: before_infusion}
"""


@dataclass(frozen=True)
class BadRecipe:
    """A recipe text with one fault: the problem's code and field that must be told, and a part of the line it stands in."""

    text: str
    code: str
    field: str
    line_holds: str


def _bad(old: str, new: str, code: str, field: str, line_holds: str = "") -> BadRecipe:
    if SOUND.count(old) != 1:
        raise AssertionError(f"{old!r} stands {SOUND.count(old)} times in the sound recipe")
    return BadRecipe(SOUND.replace(old, new), code, field, line_holds or new.strip().splitlines()[0])


UNREADABLE = {
    "yaml syntax": _bad("based_on:\n", "based_on: [\n", "yaml_syntax", "", "S1"),
    "duplicate key": _bad("demo: true\n", "demo: true\ndemo: false\n", "duplicate_key", "demo", "demo: false"),
    "unquoted version": _bad('version: "1.0"', "version: 1.10", "version_unquoted", "version"),
    "unknown field": _bad("purpose: Grow the cells.", "purpos: Grow the cells.", "field_unknown", "stages[2].purpos"),
    "number as text": _bad("target: 1e5", 'target: "1e5"', "number_wanted", "dose.cohorts[1].target"),
    "text in a number": _bad("quantity: 500", "quantity: 500 mL", "number_wanted", "materials[1].quantity"),
    "thousands": _bad("quantity: 500", "quantity: 1_000", "number_wanted", "materials[1].quantity"),
    "hexadecimal": _bad("quantity: 500", "quantity: 0x1F4", "number_written_oddly", "materials[1].quantity"),
    "endless exponent": _bad("target: 1e6", "target: 1e999999", "number_too_large", "dose.cohorts[2].target"),
    "yes for true": _bad("demo: true", "demo: yes", "true_or_false_wanted", "demo"),
    "unknown kind": _bad("kind: decision", "kind: decisoin", "choice_unknown", "stages[3].steps[2].kind"),
    "unreadable span": _bad("max: 90 min", "max: 90 minutes", "span_unreadable", "time_limits[1].max"),
    "anchor": _bad("name: Device", "name: &device Device", "anchor", ""),
    "typed stage": _bad("title: Go on?", "stage: A2\n        title: Go on?", "field_unknown", "stages[3].steps[2].stage"),
    "empty text": _bad("title: Go on?", 'title: "  "', "text_empty", "stages[3].steps[2].title"),
}
"""Refused by ``parse_recipe``."""

UNSOUND = {
    "missing unit": _bad("name: Volume, type: decimal, unit: mL", "name: Volume, type: decimal", "unit_missing", "stages[3].steps[1].parameters[2]"),
    "unknown unit": _bad(
        "name: Volume, type: decimal, unit: mL", "name: Volume, type: decimal, unit: mll", "unknown_unit", "stages[3].steps[1].parameters[2].unit"
    ),
    "unknown name in an expression": _bad("total_car / weight_kg", "total_cars / weight_kg", "unknown_name", "stages[3].steps[1].parameters[5].expression"),
    "unit mismatch in an expression": _bad(
        "total_car / weight_kg", "total_car / harvest_volume", "unit_mismatch", "stages[3].steps[1].parameters[5].expression"
    ),
    "circle": _bad(
        "expression: harvest_volume * car_concentration", "expression: dose_per_kg * weight_kg", "circular", "stages[3].steps[1].parameters[4].expression"
    ),
    "unreadable expression": _bad("total_car / weight_kg", "total_car / / weight_kg", "unreadable", "stages[3].steps[1].parameters[5].expression"),
    "repeated value as one": _bad(
        "total_car / weight_kg", "total_car / weight_kg * (cells / cells)", "repeated_value", "stages[3].steps[1].parameters[5].expression"
    ),
    "used before it is recorded": _bad(
        "expression: weight_kg * dose_target",
        "expression: weight_kg * dose_target * (total_car / total_car)",
        "recorded_later",
        "stages[1].steps[1].parameters[3].expression",
    ),
    "parameter twice": _bad("key: fed_volume", "key: harvest_volume", "named_twice", "stages[3].steps[1].parameters[2].key", "key: harvest_volume"),
    "step twice": _bad("key: A2.2", "key: A2.1", "named_twice", "stages[3].steps[2].key", "key: A2.1"),
    "time limit without event": _bad("starts: A2.1.harvest_end", "starts: A2.1.harvest_ended", "reference_unknown", "time_limits[1].starts"),
    "time limit on a volume": _bad("starts: A2.1.harvest_end", "starts: A2.1.harvest_volume", "event_without_time", "time_limits[1].starts"),
    "time limit backwards": _bad("starts: A2.1.harvest_end", "starts: A3.1.infusion_end", "event_before_start", "time_limits[1].ends", "ends: step:A2.3"),
    "time limit on a repeated step": _bad("starts: A2.1.harvest_end", "starts: step:A1.2.signed", "event_repeated", "time_limits[1].starts"),
    "unknown material": _bad("material: medium", "material: medum", "reference_unknown", "stages[2].steps[2].materials[1].material"),
    "material in another unit": _bad("quantity: 0.1, unit: L", "quantity: 0.1, unit: kg", "wrong_unit", "stages[2].steps[2].materials[1].unit"),
    "unknown equipment": _bad("equipment: [prodigy]", "equipment: [prodigi]", "reference_unknown", "stages[2].steps[2].equipment[1]"),
    "unknown container": _bad("touches_material: bag", "touches_material: bags", "reference_unknown", "stages[4].steps[1].touches_material"),
    "container before it is made": _bad(
        "kind: culture_chamber, label: true, created_by: A0.1",
        "kind: culture_chamber, label: true, created_by: A2.2",
        "container_not_yet_made",
        "stages[2].steps[2].touches_material",
        "touches_material: chamber",
    ),
    "unknown second role": _bad(
        "performed_by: supervisor\n", "performed_by: supervisor\n        checked_by: [qp]\n", "role_unknown", "stages[3].steps[2].checked_by", "checked_by"
    ),
    "unknown role": _bad("performed_by: supervisor", "performed_by: supervisr", "role_unknown", "stages[3].steps[2].performed_by"),
    "unknown sampling step": _bad("step: A2.1, day: 2", "step: A2.9, day: 2", "reference_unknown", "samples[1].step"),
    "sample on another day": _bad("step: A2.1, day: 2", "step: A2.1, day: 1", "day_unlike_step", "samples[1].day"),
    "repeat backwards": _bad(
        "day: 0\n        repeat: {from_day: 0, to_day: 2}\n        performed_by: operator\n        touches",
        "day: 2\n        repeat: {from_day: 2, to_day: 0}\n        performed_by: operator\n        touches",
        "repeat_reversed",
        "stages[2].steps[2].repeat",
        "from_day: 2",
    ),
    "line clearance alone": _bad(
        "kind: line_clearance\n        day: 0\n        repeat: {from_day: 0, to_day: 2}\n        performed_by: operator\n        second_person: witness",
        "kind: line_clearance\n        day: 0\n        repeat: {from_day: 0, to_day: 2}\n        performed_by: operator",
        "line_clearance_alone",
        "stages[2].steps[1]",
        "key: A1.1",
    ),
    "no line clearance": _bad("kind: line_clearance\n", "kind: record\n", "line_clearance_missing", "stages[2].steps[2]", "key: A1.2"),
    "decision without way on": _bad("consequence: continue", "consequence: hold", "decision_without_way_on", "stages[3].steps[2].decision", "question"),
    "decision that asks nothing": _bad(
        "kind: sampling\n        day: 2", "kind: decision\n        day: 2", "decision_missing", "stages[3].steps[1]", "key: A2.1"
    ),
    "limit reversed": _bad(
        "plausible: {min: 0, max: 1e9}", "plausible: {min: 1e9, max: 0}", "limit_reversed", "stages[2].steps[2].parameters[2].limits.plausible"
    ),
    "limit never reached": _bad(
        "plausible: {min: 0, max: 1e9}", "plausible: {min: 1e5, max: 1e9}", "limit_not_plausible", "stages[2].steps[2].parameters[2].limits.action", "action:"
    ),
    "limit without evidence": _bad(
        "max: 300}}, evidence: illustrative}", "max: 300}}}", "evidence_missing", "stages[1].steps[1].parameters[2]", "key: weight_kg"
    ),
    "unknown source": _bad("evidence_source: S1", "evidence_source: S9", "source_unknown", "stages[2].steps[2].parameters[2].limits.action.evidence_source"),
    "cohorts unlike the choice": _bad("options: [low, high]", "options: [low, medium]", "cohorts_differ", "dose.cohort_parameter", "cohort_parameter"),
    "answer that cannot be given": _bad('accept: ["yes"]', 'accept: ["ja"]', "answer_unknown", "stages[2].steps[1].parameters[1].accept[1]"),
    "channel missing": _bad("            channel: cell_concentration\n", "", "channel_missing", "stages[2].steps[2].parameters[2].source", "source: either"),
    "slot nowhere": _bad("equipment_classes:\n", "slot: booked_on\nequipment_classes:\n", "reference_unknown", "slot"),
    "slot is no date": _bad("equipment_classes:\n", "slot: bags\nequipment_classes:\n", "wrong_kind", "slot"),
    "certificate prints nothing": _bad("volume: fill_volume", "volume: filled", "reference_unknown", "certificate.volume"),
    "wrong example": _bad(
        "expression: total_car / weight_kg",
        "expression: total_car / weight_kg, examples: [{values: {total_car: 7e7, weight_kg: 70}, result: 2e6}]",
        "example_differs",
        "stages[3].steps[1].parameters[5].examples[1].result",
        "examples",
    ),
    "stage after release in the middle": _bad(
        "purpose: Grow the cells.", "purpose: Grow the cells.\n    after_release: true", "stage_order", "stages[3]", "code: A2"
    ),
}
"""Read, and then refused by ``check_recipe``."""
