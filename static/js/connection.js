"use strict";
// Without a connection nothing can be recorded: fields lock, the typed text stays on the screen unrecorded, the page says so.
// Nothing is queued on the device. A page asks data-ping (on <body>) every 10 s; a failed request counts at once.
(() => {
  const root = document.documentElement, ping = document.body.dataset.ping;
  let since = null, asking = false;
  const inputs = () => document.querySelectorAll("main .input, dialog .input, main input[type=file]");

  function lose() {
    if (since !== null) return;
    since = performance.now();
    root.dataset.connection = "lost";
    inputs().forEach(input => {
      if (input.tagName === "SELECT" || input.type === "file") { if (!input.disabled) { input.disabled = true; input.dataset.lockedBy = "connection"; } }
      else if (!input.readOnly) { input.readOnly = true; input.dataset.lockedBy = "connection"; }
      const param = input.closest("[data-param]");
      if (param && input.dataset.sent !== undefined && input.dataset.sent !== input.value) window.fieldUnrecorded?.(param);
    });
    say();
  }
  function regain() {
    if (since === null) return;
    since = null;
    delete root.dataset.connection;
    document.querySelectorAll("[data-locked-by=connection]").forEach(input => {
      input.disabled = false;
      input.readOnly = false;
      delete input.dataset.lockedBy;
    });
    // The person leaves the field again to record it: nothing is sent behind their back.
    document.querySelector("[data-unrecorded] .input")?.focus();
  }
  function say() {
    if (since === null) return;
    const seconds = Math.round((performance.now() - since) / 1000);
    document.querySelectorAll("[data-gone]").forEach(place => { place.textContent = `No connection, ${seconds} s`; });
  }
  async function ask() {
    if (asking || !ping) return;
    asking = true;
    try {
      const answer = await fetch(ping, { cache: "no-store", signal: AbortSignal.timeout(5000) });
      if (answer.ok) regain(); else lose();
    } catch { lose(); } finally { asking = false; }
  }
  addEventListener("offline", lose);
  addEventListener("online", () => ping ? ask() : regain());
  document.addEventListener("htmx:error", event => {
    const ctx = event.detail?.ctx;
    if (!ctx?.response) ask().then(() => { if (!ping) lose(); }); // no answer at all, not an answer that says no
  });
  document.addEventListener("submit", event => {
    if (since === null || event.target.closest("[role=search]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    document.querySelector(".gonenote")?.scrollIntoView({ block: "nearest" });
  }, true);
  setInterval(() => { say(); }, 1000);
  if (ping) setInterval(ask, 10000);
  if (navigator.onLine === false) lose();
})();
