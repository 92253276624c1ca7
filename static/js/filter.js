"use strict";
// Lists: a text box with data-filter="id of table" hides rows without that text; buttons with data-rows="state" of a board
// show only rows in that state. Without script every row is there.
(() => {
  const show = (table, keep) => table?.querySelectorAll("tbody tr").forEach(row => { row.hidden = !keep(row); });
  document.addEventListener("input", event => {
    const id = event.target.dataset?.filter;
    if (!id) return;
    const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    show(document.getElementById(id), row => { const text = row.textContent.toLowerCase(); return words.every(word => text.includes(word)); });
  });
  document.addEventListener("click", event => {
    const button = event.target.closest("[data-rows]");
    if (!button) return;
    const on = button.getAttribute("aria-pressed") !== "true";
    button.parentElement.querySelectorAll("[data-rows]").forEach(other => other.setAttribute("aria-pressed", String(on && other === button)));
    show(document.querySelector("table.board"), row => !on || (row.dataset.s || "") === button.dataset.rows);
  });
})();
