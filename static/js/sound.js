"use strict";
// What became of a scan, to hear and to feel: taken (one short), wrong (two long), not understood (five quick). The rhythm differs, not
// only the pitch. Made by the browser itself, so that no file is fetched. data-sound-toggle silences it; the station keeps that choice.
(() => {
  const TONES = { // each [start, length, pitch]: seconds, seconds, hertz
    taken: [[0, .09, 1320]],
    wrong: [[0, .28, 196], [.38, .28, 196]],
    unknown: [0, .1, .2, .3, .4].map(start => [start, .05, 660]),
  };
  const SHAKES = { taken: [40], wrong: [280, 100, 280], unknown: [50, 50, 50, 50, 50, 50, 50, 50, 50] };
  const root = document.documentElement;
  const kept = (store, key) => { try { return store()?.getItem(key) ?? null; } catch { return null; } };
  const keep = (store, key, value) => { try { value === null ? store().removeItem(key) : store().setItem(key, value); } catch { /* a private window: this page only */ } };
  const station = () => localStorage, tab = () => sessionStorage;
  let context = null;

  function play(tones) {
    context ??= new AudioContext();
    if (context.state === "suspended") context.resume().catch(() => {});
    for (const [start, length, pitch] of tones) {
      const from = context.currentTime + start, tone = context.createOscillator(), volume = context.createGain();
      tone.frequency.value = pitch;
      tone.type = pitch < 400 ? "square" : "sine";
      volume.gain.setValueAtTime(0, from);
      volume.gain.linearRampToValueAtTime(.25, from + .008);
      volume.gain.setValueAtTime(.25, from + length - .012);
      volume.gain.linearRampToValueAtTime(0, from + length);
      tone.connect(volume).connect(context.destination);
      tone.start(from);
      tone.stop(from + length);
    }
  }
  function say(what) {
    if (!TONES[what]) return;
    root.dataset.heard = what;
    try {
      navigator.vibrate?.(SHAKES[what]);
      if (root.dataset.sound !== "off") play(TONES[what]);
    } catch { /* a station without a loudspeaker: the page says it too */ }
  }
  const meant = code => !code ? "taken" : /unknown|missing|unreadable|not_found/.test(code) ? "unknown" : "wrong";

  function show(on) {
    root.dataset.sound = on ? "on" : "off";
    document.querySelectorAll("[data-sound-toggle]").forEach(button => button.setAttribute("aria-pressed", String(on)));
  }
  show(kept(station, "sound") !== "off");
  document.addEventListener("click", event => {
    if (!event.target.closest("[data-sound-toggle]")) return;
    const on = root.dataset.sound === "off";
    keep(station, "sound", on ? "on" : "off");
    show(on);
    if (on) say("taken");
  });

  document.addEventListener("scan-heard", event => say(event.detail));
  // A scan that an island answers is told at once; one that leads to another page is told there.
  document.addEventListener("htmx:after:request", event => {
    const ctx = event.detail?.ctx;
    if (ctx?.response && ctx.sourceElement?.matches?.("form[data-scan-form]")) say(meant(ctx.response.headers.get("X-Refusal")));
  });
  document.addEventListener("scan-sent", () => keep(tab, "scan", "sent"));
  if (kept(tab, "scan")) {
    keep(tab, "scan", null);
    say(meant(document.querySelector("[data-code]")?.dataset.code));
  }
})();
