"use strict";
// Passkeys: asks the device what the server wants to know, and hands the answer to the form that is sent. Nothing is decided here.
(() => {
  const bytes = text => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), sign => sign.charCodeAt(0));
  const text = buffer => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const handles = list => (list || []).map(each => ({ ...each, id: bytes(each.id) }));
  const sentences = {
    NotAllowedError: "Nothing came from the device: it was stopped, or took too long. Try again.",
    InvalidStateError: "This device holds a passkey of yours already. Use another device.",
    SecurityError: "Passkeys do not work at this address. Open this page at ",
  };
  const say = (form, sentence) => {
    const place = form.querySelector("[data-passkey-said]");
    place.textContent = sentence;
    place.hidden = !sentence;
  };
  const words = (error, origin) => {
    const said = sentences[error.name] || "The device did not answer as it should. Try again.";
    return error.name === "SecurityError" ? `${said}${origin}.` : said;
  };
  const able = form => {
    if (window.PublicKeyCredential && navigator.credentials) return true;
    say(form, "This browser has no passkeys, or this page was not opened safely. Use a one-time code.");
    return false;
  };

  async function make(form) {
    const asked = JSON.parse(form.dataset.passkeyMake);
    const made = await navigator.credentials.create({ publicKey: {
      ...asked, challenge: bytes(asked.challenge), user: { ...asked.user, id: bytes(asked.user.id) }, excludeCredentials: handles(asked.excludeCredentials),
    } });
    const { clientDataJSON, attestationObject } = made.response;
    const transports = made.response.getTransports ? made.response.getTransports() : [];
    return { id: made.id, rawId: text(made.rawId), type: made.type,
      response: { clientDataJSON: text(clientDataJSON), attestationObject: text(attestationObject), transports } };
  }

  async function ask(form) {
    const body = new URLSearchParams(new FormData(form));
    body.delete("code");
    body.delete("passkey");
    body.set("ask_passkey", "yes");
    const answer = await fetch(form.getAttribute("action"), { method: "POST", body, headers: { Accept: "application/json" }, redirect: "manual" });
    if (!(answer.headers.get("Content-Type") || "").startsWith("application/json")) return { detail: "This page was covered, or it is too old. Open it again." };
    return answer.json();
  }

  async function prove(asked) {
    const got = await navigator.credentials.get({ publicKey: { ...asked, challenge: bytes(asked.challenge), allowCredentials: handles(asked.allowCredentials) } });
    const { clientDataJSON, authenticatorData, signature } = got.response;
    return { id: got.id, rawId: text(got.rawId), type: got.type,
      response: { clientDataJSON: text(clientDataJSON), authenticatorData: text(authenticatorData), signature: text(signature) } };
  }

  document.addEventListener("submit", async event => {
    const form = event.target.closest("form[data-passkey-make]");
    const made = form?.querySelector("[name=made]");
    if (!form || made.value) return;
    event.preventDefault();
    say(form, "");
    const missing = [...form.querySelectorAll("input[required]:not([type=hidden])")].find(input => !input.value.trim());
    if (missing) { say(form, "Fill in all of it first; then the device is asked."); missing.focus(); return; }
    if (!able(form)) return;
    try {
      made.value = JSON.stringify(await make(form));
      form.requestSubmit();
    } catch (error) {
      say(form, words(error, form.dataset.passkeyOrigin));
    }
  });

  document.addEventListener("click", async event => {
    const button = event.target.closest("[data-passkey-sign]");
    const form = button?.form;
    if (!form) return;
    say(form, "");
    if (!able(form)) return;
    button.disabled = true;
    try {
      const asked = await ask(form);
      if (!asked.publicKey) { say(form, asked.detail || "Nothing was signed. Try again."); return; }
      form.querySelector("[name=passkey]").value = JSON.stringify(await prove(asked.publicKey));
      form.requestSubmit();
    } catch (error) {
      say(form, words(error, button.dataset.passkeySign));
    } finally {
      button.disabled = false;
    }
  });
})();
