"use strict";
// The keypad on the page writes into the number field last touched. Where it is shown, the system keyboard stays away.
(() => {
  let last = null;
  const usable = input => input && input.isConnected && !input.readOnly && !input.disabled;
  const near = pad => pad.closest("dialog,form.pinpad,section.dlg") || document;
  const quiet = () => document.querySelectorAll("[data-keypad]").forEach(pad =>
    near(pad).querySelectorAll("input[data-number]").forEach(input => { input.inputMode = "none"; }));
  quiet();
  document.addEventListener("htmx:after:settle", quiet);
  document.addEventListener("focusin", event => { if (event.target.matches?.("input[data-number]")) last = event.target; });
  // The field keeps the focus, so that pressing a key is not leaving the field.
  document.addEventListener("pointerdown", event => { if (event.target.closest("[data-key]")) event.preventDefault(); });
  document.addEventListener("click", event => {
    const key = event.target.closest("[data-key]");
    if (!key) return;
    const scope = near(key.closest("[data-keypad]"));
    const input = usable(last) && scope.contains(last) ? last : [...scope.querySelectorAll("input[data-number]")].find(usable);
    if (!input) return;
    if (document.activeElement !== input) input.focus();
    const sign = key.dataset.key;
    if (sign === "back") input.value = input.value.slice(0, -1);
    else if (sign === "-") input.value = input.value.startsWith("-") ? input.value.slice(1) : "-" + input.value;
    else if ((sign === "." || sign === ",") && /[.,e]/i.test(input.value)) return;
    else if (sign === "e" && !/^[^e]*\d$/i.test(input.value)) return;
    else input.value += sign;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
})();
