"use strict";
// The tablet locks after data-lock-after seconds without a touch (on <body>): data-lock-url is told, the answer is a dialog
// over the page. What was typed stays under it; clocks run on; unlocking is a badge and a PIN on the server.
(() => {
  const { lockUrl, lockAfter } = document.body.dataset;
  if (!lockUrl) return;
  let touched = performance.now(), told = touched, locked = false;
  const token = () => document.querySelector("input[name=csrfmiddlewaretoken]")?.value || "";
  const post = url => fetch(url, { method: "POST", headers: { "X-CSRFToken": token(), "HX-Request": "true" } });
  // Somebody types for minutes without sending: the server is told at most once a minute that a person is here.
  function touch() {
    touched = performance.now();
    if (!locked && touched - told > 60000) { told = touched; post(lockUrl + "touch/").catch(() => {}); }
  }
  for (const name of ["pointerdown", "keydown"]) document.addEventListener(name, touch, true);
  async function lock() {
    locked = true;
    try {
      const answer = await post(lockUrl);
      if (!answer.ok) throw new Error(String(answer.status));
      document.getElementById("dialog").innerHTML = await answer.text();
      window.htmx?.process(document.getElementById("dialog"));
    } catch { locked = false; touched = performance.now(); }
  }
  setInterval(() => {
    if (locked && !document.querySelector("dialog[data-locked]")) { locked = false; touched = performance.now(); }
    if (!locked && performance.now() - touched > Number(lockAfter) * 1000) lock();
  }, 1000);
})();
