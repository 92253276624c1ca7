"use strict";
// Light or dark: the system's choice unless the person made one here. Runs before the page is drawn.
(() => {
  const root = document.documentElement, fixed = "theme" in root.dataset;
  const kept = (() => { try { return localStorage.getItem("theme"); } catch { return null; } })();
  if (!fixed && (kept === "light" || kept === "dark")) root.dataset.theme = kept;
  document.addEventListener("click", event => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme:dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* private window: the choice lasts for this page */ }
  });
})();
