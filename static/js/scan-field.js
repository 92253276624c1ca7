"use strict";
// A scan fills the field that waits for one: the field with the focus, else the first that is empty. A field of several lines gets
// another line. Where no field waits, the scan goes on as scan.js says.
document.addEventListener("scan", event => {
  const waiting = [...document.querySelectorAll("[data-takes-scan]")].filter(one => !one.disabled && !one.readOnly);
  const focused = waiting.find(one => one === document.activeElement);
  const field = focused || waiting.find(one => !one.value) || waiting.find(one => one.tagName === "TEXTAREA");
  if (!field) return;
  event.preventDefault();
  field.value = field.tagName === "TEXTAREA" && field.value ? field.value.trimEnd() + "\n" + event.detail : event.detail;
  field.dataset.scanned = field.value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  (waiting.find(one => !one.value) || field).focus();
});
