"use strict";
// Running limits. The server sent start, deadline, alert and its own time; here they are only counted, on a clock that
// does not jump when the tablet's own time is set.
(() => {
  const span = (ms, inDays) => {
    const s = Math.floor(Math.abs(ms) / 1000), m = Math.floor(s / 60), h = Math.floor(s / 3600), d = Math.floor(s / 86400), two = n => String(n).padStart(2, "0");
    return inDays || h >= 72 ? `${d} d ${two(h % 24)} h` : m < 1 ? `${s} s` : h < 1 ? `${m} min` : `${h} h ${two(m % 60)}`;
  };
  const seen = new WeakMap();
  function tick() {
    document.querySelectorAll("[data-clock]").forEach(clock => {
      const at = key => clock.dataset[key] ? Date.parse(clock.dataset[key]) : null;
      const sent = at("now"), kept = seen.get(clock);
      if (!kept || kept.sent !== sent) seen.set(clock, { sent, mono: performance.now() });
      const now = sent + performance.now() - seen.get(clock).mono, start = at("start"), end = at("deadline"), mode = clock.dataset.clock;
      const used = end ? Math.min(100, Math.max(0, (now - start) / (end - start) * 100)) : 0;
      const words = mode === "left" && end ? (now > end ? `${span(now - end)} over` : `${span(end - now)} left`) : span(now - start, mode === "elapsed" && end - start >= 72 * 3600e3);
      const place = clock.querySelector("[data-words]");
      if (place.textContent !== words) place.textContent = words;
      if (!end) return;
      const state = mode === "hold" ? "hold" : now > end ? "alarm" : now >= (at("alert") ?? start + (end - start) * 0.8) ? "warn" : "";
      if (clock.dataset.s !== state) clock.dataset.s = state;
      const bar = clock.querySelector(".meter .fill");
      if (bar) { bar.setAttribute("width", used.toFixed(2) + "%"); clock.querySelector(".meter svg").setAttribute("x", used.toFixed(2) + "%"); }
    });
    document.querySelectorAll("button[data-now]").forEach(since);
    document.querySelectorAll("[data-stale-after]").forEach(board => {
      const born = board.dataset.bornAt || (board.dataset.bornAt = String(performance.now()));
      document.documentElement.toggleAttribute("data-stale", performance.now() - Number(born) > Number(board.dataset.staleAfter) * 1000);
    });
  }
  // "Now" puts the site's time into a date-time field: what the server sent, and what has passed since. Leaving the field records it.
  const since = button => {
    const kept = seen.get(button);
    if (!kept || kept.sent !== button.dataset.now) seen.set(button, { sent: button.dataset.now, mono: performance.now() });
    return performance.now() - seen.get(button).mono;
  };
  document.addEventListener("click", event => {
    const button = event.target.closest?.("button[data-now]"), input = button?.parentElement.querySelector("input");
    if (!input) return;
    input.focus(); // first: what the server has is noted as the field is entered, and is told from what stands there when it is left
    input.value = new Date(Date.parse(button.dataset.now + "Z") + since(button)).toISOString().slice(0, 16);
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
  tick();
  setInterval(tick, 1000);
})();
