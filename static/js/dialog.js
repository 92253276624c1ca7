"use strict";
// Native dialogs: those marked data-open open as modal when they arrive, with the page or by a swap.
(() => {
  const open = root => root.querySelectorAll("dialog[data-open]:not([open])").forEach(dialog => dialog.showModal());
  const settle = root => {
    open(root);
    const told = root.querySelector("[data-focus]");
    if (told) told.focus();
  };
  settle(document);
  document.addEventListener("htmx:after:settle", () => settle(document));
  new MutationObserver(() => open(document)).observe(document.getElementById("dialog") || document.body, { childList: true, subtree: true });
  document.addEventListener("click", event => {
    const opener = event.target.closest("[data-dialog]");
    if (opener) { document.getElementById(opener.dataset.dialog)?.showModal(); event.preventDefault(); }
    const closer = event.target.closest("[data-close]");
    const dialog = closer?.closest("dialog");
    if (dialog && !dialog.hasAttribute("data-sending")) { dialog.close(); event.preventDefault(); }
    if (event.target.closest("[data-print]")) window.print();
    menus().forEach(menu => { if (!menu.contains(event.target)) menu.open = false; });
  });
  // A menu (details[data-menu]) closes like one: by a press elsewhere, by Escape, by leaving it with Tab.
  const menus = () => document.querySelectorAll("details[data-menu][open]");
  document.addEventListener("keydown", event => {
    if (event.key === "Escape") menus().forEach(menu => { menu.open = false; menu.querySelector("summary").focus(); });
  });
  document.addEventListener("focusin", event => menus().forEach(menu => { if (!menu.contains(event.target)) menu.open = false; }));
  // While a signature is being sent, Escape does not close its dialog.
  document.addEventListener("submit", event => event.target.closest("dialog[data-sign]")?.setAttribute("data-sending", ""));
  const stays = dialog => dialog?.hasAttribute("data-sending") || dialog?.hasAttribute("data-locked");
  document.addEventListener("keydown", event => {
    if (event.key === "Escape" && stays(document.querySelector("dialog[open]"))) event.preventDefault();
  }, true);
  document.addEventListener("cancel", event => { if (stays(event.target)) event.preventDefault(); }, true);
  // A browser may close a dialog all the same when nobody touched the page since it opened.
  document.addEventListener("close", event => { if (stays(event.target) && event.target.isConnected) event.target.showModal(); }, true);
  for (const name of ["htmx:error", "htmx:after:request", "htmx:finally:request"])
    document.addEventListener(name, () => document.querySelectorAll("dialog[data-sending]").forEach(dialog => dialog.removeAttribute("data-sending")));
})();
