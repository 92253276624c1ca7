"use strict";
// A file to be chosen: the browser's own button gives way to ours, and the name of the chosen file stands beside it.
(() => {
  const dress = () => document.querySelectorAll("[data-file]:not([data-on])").forEach(box => {
    const input = box.querySelector("input[type=file]"), name = box.querySelector("[data-file-name]");
    box.dataset.on = "";
    const tell = () => { name.textContent = [...input.files].map(file => file.name).join(", ") || name.dataset.fileName; };
    input.addEventListener("change", tell);
    tell();
  });
  dress();
  document.addEventListener("htmx:after:settle", dress);
})();
