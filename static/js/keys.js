"use strict";
// Keys at a desk: / search, J K next and previous exception, 1 to 4 decision, Ctrl Enter record, T audit trail.
// Single letters are off inside fields and dialogs, and can be switched off (data-keys="off" on <body>, WCAG 2.1.4).
(() => {
  const $ = selector => document.querySelector(selector);
  document.addEventListener("keydown", event => {
    if (event.ctrlKey && event.key === "Enter") {
      const form = event.target.closest("form") || $("form.decide");
      if (form) { event.preventDefault(); form.requestSubmit(); }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || document.body.dataset.keys === "off") return;
    if (event.target.matches("input,textarea,select") || $("dialog[open]")) return;
    if (event.key === "/") { const box = $("[data-search]"); if (box) { event.preventDefault(); box.focus(); } return; }
    const key = event.key.toLowerCase();
    if (key === "j" || key === "k") {
      const rows = [...document.querySelectorAll("[data-exc]")], at = rows.findIndex(row => row.hasAttribute("aria-current"));
      rows[at + (key === "j" ? 1 : -1)]?.click();
    } else if (key === "t") $("[data-audit]")?.click();
    else if (/^[1-4]$/.test(key)) {
      const option = document.querySelectorAll(".decide .choice input")[Number(key) - 1];
      if (option) { option.checked = true; option.focus(); }
    }
  });
  // Result tables: Enter goes down, Escape restores the recorded value.
  document.addEventListener("keydown", event => {
    const input = event.target;
    if (!input.matches?.(".tests .input")) return;
    if (event.key === "Escape") { input.value = input.defaultValue; return; }
    if (event.key !== "Enter" || event.defaultPrevented) return;
    const all = [...document.querySelectorAll(".tests .input")];
    event.preventDefault();
    (all[all.indexOf(input) + 1] || input).focus();
  });
})();
