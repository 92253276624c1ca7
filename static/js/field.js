"use strict";
// The active field of a step: marked, mirrored large beside the keypad, judged as advice while typing (the server decides
// again when it is recorded). A value is sent once when it is left; what could not be sent stays and says so.
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const control = param => $(".input", param);
  const number = text => /^\s*[-+]?\d+([.,]\d+)?\s*$/.test(text) ? Number(text.replace(",", ".")) : NaN;

  function judge(gauge, text) {
    const at = key => gauge.dataset[key] === undefined ? null : Number(gauge.dataset[key]);
    const value = number(text), mark = $(".val", gauge);
    if (text.trim() === "" || Number.isNaN(value)) { gauge.dataset.s = "empty"; return ["", text.trim() === "" ? "" : "Not a number"]; }
    const low = at("low"), high = at("high"), alertLow = at("alertLow"), alertHigh = at("alertHigh"), from = at("from"), to = at("to");
    const digits = Math.max(...[text, gauge.dataset.low, gauge.dataset.high].map(t => (String(t ?? "").split(/[.,]/)[1] || "").length));
    mark.setAttribute("x", Math.max(1.5, Math.min(98.5, (value - from) / (to - from) * 100)).toFixed(2) + "%");
    const say = (state, words) => { gauge.dataset.s = state; return [state, words]; };
    if (low !== null && value < low) return say("alarm", `${(low - value).toFixed(digits)} below the lower limit`);
    if (high !== null && value > high) return say("alarm", `${(value - high).toFixed(digits)} above the upper limit`);
    if (alertLow !== null && value < alertLow) return say("warn", "Within limits, below the alert level");
    if (alertHigh !== null && value > alertHigh) return say("warn", "Within limits, above the alert level");
    return say("ok", "Within limits");
  }

  function mirror(param) {
    const entry = $("[data-entry]"), input = control(param);
    if (!entry || !input) return;
    $("[data-entry-name]", entry).textContent = param.dataset.label;
    const shown = (input.tagName === "SELECT" ? input.selectedOptions[0]?.textContent : input.value) || "–", large = $("[data-entry-value]", entry);
    large.textContent = input.type === "datetime-local" ? shown.replace("T", " ") : shown;
    large.toggleAttribute("data-long", shown.length > 12);
    $("[data-entry-unit]", entry).replaceChildren(...[...($(".unit", param)?.childNodes || [])].map(node => node.cloneNode(true)));
    const place = $("[data-entry-gauge]", entry), long = $("template[data-gauge]", param), words = $("[data-entry-words]", entry);
    if (place.dataset.of !== param.id) { place.dataset.of = param.id; place.replaceChildren(long ? long.content.cloneNode(true) : ""); }
    const gauge = $(".gauge", place);
    const [state, sentence] = gauge ? judge(gauge, input.value) : ["", ""];
    const shape = state && $(`template[data-shape-for=${state}]`, entry), told = document.createElement("span");
    told.textContent = sentence;
    words.dataset.s = state;
    words.replaceChildren(...(shape ? [shape.content.cloneNode(true)] : []), told);
  }

  function type(param) {
    const gauge = $(".field-form > .gauge", param);
    if (gauge) judge(gauge, control(param).value);
    mirror(param);
  }

  document.addEventListener("focusin", event => {
    const param = event.target.closest?.("[data-param]");
    if (!param) return;
    document.querySelectorAll("[data-param][data-active]").forEach(other => { if (other !== param) other.removeAttribute("data-active"); });
    param.setAttribute("data-active", "");
    const input = control(param);
    if (event.target === input && input.dataset.sent === undefined) input.dataset.sent = input.value;
    mirror(param);
  });
  document.addEventListener("input", event => {
    const param = event.target.closest?.("[data-param]");
    if (param && event.target === control(param)) type(param);
  });
  // One post a value: the browser's change event, a keypad entry and a leaving may all claim to be it.
  document.addEventListener("change", event => {
    const param = event.target.closest?.("[data-param]"), input = param && control(param);
    if (!input || event.target !== input) return;
    if (sent(input) === input.value && !param.hasAttribute("data-unrecorded")) { event.stopImmediatePropagation(); return; }
    if (document.documentElement.dataset.connection === "lost") { unrecorded(param); event.stopImmediatePropagation(); return; }
    sending(param, input);
  }, true);
  document.addEventListener("submit", event => {
    const param = event.target.closest?.("[data-param]"), input = param && control(param);
    if (!input || !event.target.matches(".field-form")) return;
    if (sent(input) === input.value && !param.hasAttribute("data-unrecorded")) { event.preventDefault(); event.stopImmediatePropagation(); }
    else sending(param, input);
  }, true);
  document.addEventListener("focusout", event => {
    const param = event.target.closest?.("[data-param]"), input = param && control(param);
    if (!input || event.target !== input || input.readOnly) return;
    if (sent(input) !== input.value || param.hasAttribute("data-unrecorded"))
      input.dispatchEvent(new Event("change", { bubbles: true }));
  });

  // What the server has: the last text sent, or the one the page came with.
  function sent(input) { return input.dataset.sent ?? input.defaultValue ?? null; }
  function sending(param, input) {
    input.dataset.sent = input.value;
    param.removeAttribute("data-unrecorded");
    const said = $(".unrec", param);
    if (said) said.hidden = true;
  }
  function unrecorded(param) {
    param.setAttribute("data-unrecorded", "");
    const said = $(".unrec", param);
    if (said) said.hidden = false;
    delete control(param).dataset.sent;
  }
  document.addEventListener("htmx:error", event => {
    const param = (event.detail?.ctx?.sourceElement || event.target).closest?.("[data-param]");
    if (param) unrecorded(param);
  });
  // The session was covered before this value reached the server: it stays, unrecorded, until the page is unlocked.
  document.addEventListener("htmx:response:error", event => {
    const ctx = event.detail?.ctx, param = ctx?.response?.status === 423 && ctx.sourceElement?.closest?.("[data-param]");
    if (param) unrecorded(param);
  });
  document.addEventListener("htmx:after:settle", () => {
    const active = $("[data-param][data-active]");
    if (active) mirror(active);
  });

  // The main act answers always: "Next" goes to the first empty value, a link to a field puts the cursor there.
  document.addEventListener("click", event => {
    const link = event.target.closest("a[href^='#']");
    const target = link && link.hash.length > 1 && document.getElementById(decodeURIComponent(link.hash.slice(1)));
    const focus = target && (target.matches("input,select,textarea,button,[tabindex]") ? target : $("input:not([type=hidden]),select,textarea", target));
    if (focus && !link.classList.contains("skip")) { event.preventDefault(); focus.focus(); focus.scrollIntoView({ block: "nearest" }); }
  });
  window.fieldUnrecorded = unrecorded;
})();
