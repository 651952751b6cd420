// A call while it is typed: kept every few seconds, rows without a reload, who is known, and keys. When the session ends
// the text stays in the page; it is sent after signing in elsewhere. Nothing typed is put in the browser's storage.
// Without this script every form has its own buttons.
"use strict";
(() => {
  const form = document.querySelector("form[data-call]"), status = document.getElementById("bewaarstand");
  if (!form || !status) return;
  const PAUSE = 1500, LONGEST = 5000, RETRY = 8000, ROW = { p: "rol", a: "straat" };
  let timer = 0, since = 0, saving = null, dirty = false, paused = "paused" in form.dataset, leaving = false, outside = false;

  const word = (name) => document.querySelector(`#woorden [data-word="${name}"]`).textContent;
  const tell = (text, wrong) => {
    if (status.textContent !== text) status.textContent = text;
    status.classList.toggle("wrong", Boolean(wrong));
  };
  const body = (more) => {
    const sent = new URLSearchParams(new FormData(form));
    for (const [name, value] of Object.entries(more || {})) sent.set(name, value);
    return sent;
  };
  const post = (path, more) => fetch(form.dataset.call + path, {
    method: "POST", body: body(more), redirect: "manual", headers: { Accept: "application/json, text/html" },
  });
  const later = (pause) => { window.clearTimeout(timer); timer = window.setTimeout(save, pause); };

  // ── the session ended ──
  const signedOut = () => {
    if (outside) return;
    outside = true;
    tell(`${word("out")} `, true);
    const link = document.createElement("a");
    link.href = "/inloggen";
    link.target = "_blank";
    link.rel = "noopener";
    link.textContent = word("enter");
    status.append(link, `. ${word("then")}`);
  };
  const renewed = async () => {
    const answer = await fetch(`${form.dataset.call}/sleutel`, { redirect: "manual", headers: { Accept: "application/json" } });
    if (answer.status === 404) {
      paused = true;
      tell(word("other"), true);
    }
    if (!answer.ok) return false;
    form.elements.formulier.value = (await answer.json()).formulier;
    outside = false;
    return true;
  };

  // ── saving ──
  const send = async () => {
    dirty = false;
    since = 0;
    try {
      let answer = await post("/bewaren");
      if ((answer.type === "opaqueredirect" || answer.status === 403) && await renewed()) answer = await post("/bewaren");
      if (answer.type === "opaqueredirect" || answer.status === 403) {
        dirty = true;
        if (!paused) { signedOut(); later(RETRY); }
        return;
      }
      const found = (answer.headers.get("content-type") || "").includes("json") ? await answer.json() : {};
      if (answer.ok) {
        form.elements.versie.value = found.version;
        return tell(found.message, false);
      }
      if (answer.status === 409) {
        paused = true;
        return tell(`${word("stale")} ${found.message} ${word("compare")}`, true);
      }
      dirty = true;
      tell(word("wrong"), true);
    } catch {
      dirty = true;
      tell(word("line"), true);
      later(RETRY);
    }
  };
  const save = () => {
    window.clearTimeout(timer);
    if (paused || leaving || !dirty) return saving;
    if (saving) { later(PAUSE); return saving; }
    saving = send().finally(() => { saving = null; });
    return saving;
  };
  const changed = () => {
    dirty = true;
    since ||= Date.now();
    later(Math.max(0, Math.min(PAUSE, since + LONGEST - Date.now())));
  };
  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
  document.addEventListener("visibilitychange", () => { save(); });
  window.addEventListener("focus", () => { if (outside) save(); });
  window.addEventListener("beforeunload", (event) => { if (dirty && !leaving) event.preventDefault(); });
  // A form sent while a save is under way would be stale by our own doing: it waits for that save.
  form.addEventListener("submit", (event) => {
    if (outside) { event.preventDefault(); dirty = true; save(); return; }
    window.clearTimeout(timer);
    leaving = true;
    if (!saving) return;
    event.preventDefault();
    saving.then(() => form.requestSubmit(event.submitter));
  });
  window.addEventListener("pageshow", (event) => { if (event.persisted) window.location.reload(); });

  // ── rows ──
  const rows = (letter) => [...form.querySelectorAll(`fieldset[data-row^="${letter}"]`)];
  const field = (row, name) => form.elements.namedItem(`${row}.${name}`);
  const value = (row, name) => (field(row, name)?.value || "").trim();
  const relabel = () => {
    const places = rows("a").map((one) => one.dataset.row);
    for (const person of rows("p")) {
      const chosen = field(person.dataset.row, "adres"), before = chosen.value;
      while (chosen.options.length > 1) chosen.remove(1);
      for (const place of places) {
        const street = ["straat", "huisnummer", "toevoeging"].map((name) => value(place, name)).filter(Boolean).join(" ");
        const where = [street, value(place, "woonplaats")].filter(Boolean).join(", ");
        const others = rows("p").map((one) => one.dataset.row)
          .filter((one) => one !== person.dataset.row && field(one, "adres").value === place.slice(1))
          .map((one) => ["voornamen", "voorvoegsel", "achternaam"].map((name) => value(one, name)).filter(Boolean).join(" "))
          .filter(Boolean);
        const text = `${word("address")} ${place.slice(1)}${where ? `: ${where}` : ""}${others.length ? `, ${word("same")} ${others.join(", ")}` : ""}`;
        chosen.add(new Option(text, place.slice(1), false, before === place.slice(1)));
      }
    }
  };
  const add = (letter) => {
    const numbers = rows(letter).map((one) => Number(one.dataset.row.slice(1)));
    const row = `${letter}${Math.max(0, ...numbers) + 1}`, made = document.getElementById(`nieuw-${letter}`).content.cloneNode(true);
    for (const one of made.querySelectorAll("*")) {
      for (const { name, value: text } of [...one.attributes]) {
        if (text.includes(`${letter}0`)) one.setAttribute(name, text.replaceAll(`${letter}0`, row));
      }
    }
    for (const one of made.querySelectorAll("[data-number]")) one.textContent = row.slice(1);
    for (const one of made.querySelectorAll(".hidden")) one.textContent = one.textContent.replace(/ 0$/, ` ${row.slice(1)}`);
    document.getElementById(letter === "p" ? "personen" : "adressen").append(made);
    relabel();
    changed();
    document.getElementById(`${row}.${ROW[letter]}`).focus();
  };
  form.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button || paused) return;
    if (button.dataset.add) {
      event.preventDefault();
      add(button.dataset.add);
    } else if ("remove" in button.dataset) {
      event.preventDefault();
      const gone = button.closest("fieldset[data-row]"), beside = gone.nextElementSibling || gone.previousElementSibling;
      gone.remove();
      relabel();
      changed();
      (beside?.querySelector("input, select") || form.querySelector("[data-add]")).focus();
    } else if ("look" in button.dataset) {
      event.preventDefault();
      for (const one of rows("p")) look(one, true);
    }
  });
  form.addEventListener("change", (event) => { if (event.target.closest("fieldset[data-row]")) relabel(); });

  // ── known here? When somebody leaves a person of whom something changed ──
  const asked = new Map();
  const said = (row) => [...row.querySelectorAll("input, select")].filter((one) => one.type !== "radio" || one.checked)
    .map((one) => one.value).join("|") + value(`a${value(row.dataset.row, "adres")}`, "postcode");
  const look = async (row, always) => {
    const place = document.getElementById(`bekend-${row.dataset.row}`), now = said(row);
    if (!place || paused || outside || (!always && asked.get(row) === now)) return;
    asked.set(row, now);
    try {
      const answer = await post("/bekend", { persoon: row.dataset.row.slice(1) });
      if (answer.ok && asked.get(row) === now) place.innerHTML = await answer.text();
      else if (answer.type === "opaqueredirect") { dirty = true; save(); }
    } catch { asked.delete(row); }
  };
  for (const row of rows("p")) asked.set(row, said(row));
  form.addEventListener("focusout", (event) => {
    const row = event.target.closest('fieldset[data-row^="p"]');
    if (!row || row.contains(event.relatedTarget)) return;
    if (["achternaam", "bsn", "telefoon"].some((name) => value(row.dataset.row, name))) look(row, false);
  });

  // ── keys: only with Alt and Shift together, which no reading program uses; they can be turned off ──
  const box = document.getElementById("sneltoetsen"), store = "veilig.sneltoetsen";
  if (box) {
    box.checked = localStorage.getItem(store) !== "uit";
    box.closest("[hidden]").hidden = false;
    box.addEventListener("change", () => localStorage.setItem(store, box.checked ? "aan" : "uit"));
  }
  const act = { KeyP: () => add("p"), KeyA: () => add("a"), KeyB: () => { dirty = true; save(); },
    KeyK: () => { for (const one of rows("p")) look(one, true); } };
  document.addEventListener("keydown", (event) => {
    if (!box?.checked || event.repeat || !event.altKey || !event.shiftKey || event.ctrlKey || event.metaKey) return;
    const part = /^Digit([1-9])$/.exec(event.code);
    const heading = part && form.querySelectorAll("section > h2")[Number(part[1]) - 1];
    if (!heading && !act[event.code]) return;
    event.preventDefault();
    if (heading) heading.focus(); else act[event.code]();
  });

  document.getElementById("fouten")?.focus();
})();
