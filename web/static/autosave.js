// Keeps the draft while somebody types: one save at a time, never over newer text of a colleague. Without this script
// the form has its own button.
"use strict";
(() => {
  const form = document.querySelector("form[data-autosave]"), status = document.getElementById("bewaarstand");
  if (!form || !status) return;
  const PAUSE = 1500;
  let timer = 0, saving = null, dirty = false, stopped = false;

  const tell = (text, wrong) => {
    status.textContent = text;
    status.classList.toggle("wrong", Boolean(wrong));
  };
  const skipped = (parts) => {
    for (const part of form.querySelectorAll("[data-part]")) {
      const skip = parts.includes(part.dataset.part);
      part.querySelector("[data-skip]").hidden = !skip;
      if (!skip) part.querySelector("details").open = true;
    }
  };
  const stop = (text) => { stopped = true; tell(text, true); };

  const send = async () => {
    dirty = false;
    try {
      const answer = await fetch(form.dataset.autosave, {
        method: "POST", body: new URLSearchParams(new FormData(form)), redirect: "manual", keepalive: true,
      });
      if (answer.type === "opaqueredirect") return stop("Niet bewaard: u bent uitgelogd. Kopieer uw tekst en log opnieuw in.");
      const found = (answer.headers.get("content-type") || "").includes("json") ? await answer.json() : {};
      if (answer.ok) {
        form.elements.revisie.value = found.revision;
        skipped(found.skipped);
        return tell(found.message, false);
      }
      if (answer.status === 409) return stop(`Niet bewaard. ${found.message} Kies 'Bewaren' om te vergelijken.`);
      dirty = true;
      tell(`Niet bewaard. ${found.message || "Kies 'Bewaren' om te zien waarom."}`, true);
    } catch {
      dirty = true;
      tell("Niet bewaard: geen verbinding. Uw tekst staat er nog; het wordt straks opnieuw geprobeerd.", true);
      timer = window.setTimeout(save, 10 * PAUSE);
    }
  };
  const save = () => {
    window.clearTimeout(timer);
    if (stopped || !dirty) return saving;
    if (!saving) saving = send().finally(() => { saving = null; });
    else timer = window.setTimeout(save, PAUSE);
    return saving;
  };

  form.addEventListener("input", () => {
    dirty = true;
    window.clearTimeout(timer);
    timer = window.setTimeout(save, PAUSE);
  });
  document.addEventListener("visibilitychange", () => { if (document.hidden) save(); });
  // A form sent while a save is under way would be stale by our own doing: it waits for that save.
  form.addEventListener("submit", (event) => {
    window.clearTimeout(timer);
    stopped = true;
    dirty = false;
    if (!saving) return;
    event.preventDefault();
    saving.then(() => form.requestSubmit(event.submitter));
  });
  window.addEventListener("beforeunload", (event) => { if (dirty) event.preventDefault(); });
})();
