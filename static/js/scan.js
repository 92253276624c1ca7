"use strict";
// A scanner in keyboard mode: a burst faster than a hand, ended by Enter, goes to the page and never into the field that
// happens to have the focus. 35 ms a character is measured with a synthetic burst; stations may set data-scan-gap on <body>.
(() => {
  const least = 4, pace = () => Number(document.body.dataset.scanGap) || 35;
  let code = "", began = 0, before = 0, held = null, taken = "", takenAt = -Infinity;
  const editable = element => element.matches?.("input:not([type=radio]):not([type=checkbox]):not([type=submit]):not([type=file]),textarea");

  function send(text, now) {
    if (text === taken && now - takenAt < 2000) return; // the same label twice within 2 s is once
    taken = text; takenAt = now;
    const accepted = document.dispatchEvent(new CustomEvent("scan", { detail: text, cancelable: true }));
    const heard = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));
    if (!accepted) { heard("scan-heard", "taken"); return; }
    const dialog = document.querySelector("dialog[open]");
    const badge = (dialog || document).querySelector("input[data-badge]");
    if (dialog && badge) { // in a signing dialog a badge says who; it never signs
      badge.value = text;
      dialog.querySelector("input[type=password]")?.focus();
      heard("scan-heard", "taken");
      return;
    }
    const form = (dialog || document).querySelector("form[data-scan-form]");
    if (!form?.hasAttribute("hx-post")) heard("scan-sent");
    if (!form) { location.assign((document.body.dataset.go || "/go/") + "?code=" + encodeURIComponent(text)); return; }
    const field = form.querySelector("[name=code]");
    field.value = field.dataset.scanned = text;
    const slot = [...document.querySelectorAll("[data-slot]")].find(one => one.dataset.slot === text);
    if (slot) slot.classList.add("flash");
    form.requestSubmit();
  }

  // The server takes as scanned only what is named here: fields that a scanner filled and no hand changed since.
  document.addEventListener("submit", event => {
    for (const mark of event.target.querySelectorAll("input[name=by_scanner]")) {
      const before = mark.defaultValue.split(" ");
      const scanned = one => one.dataset.scanned ? one.dataset.scanned === one.value : before.includes(one.name) && one.value === one.defaultValue;
      mark.value = [...event.target.elements].filter(one => one.name && one.value && scanned(one)).map(one => one.name).join(" ");
    }
  }, true);

  document.addEventListener("keydown", event => {
    const now = event.timeStamp, gap = pace();
    if (event.key === "Enter") {
      const burst = code.length >= least && now - before <= gap * 3 && before - began < (code.length - 1) * gap;
      const text = code;
      code = "";
      if (!burst) return;
      event.preventDefault();
      event.stopPropagation();
      if (held) {
        held.element.value = held.value;
        held.element.dispatchEvent(new Event("input", { bubbles: true }));
        held = null;
      }
      send(text, now);
      return;
    }
    if (event.key.length !== 1 || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!code || now - before > gap * 2) {
      code = ""; began = now;
      held = editable(event.target) ? { element: event.target, value: event.target.value } : null;
    }
    code += event.key;
    before = now;
  }, true);
})();
