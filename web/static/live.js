// Keeps an open page up to date: when the server says that something changed, the page is fetched again and its marked
// regions are replaced. Never under somebody's hands: where the focus, a selection or typed text is, it asks first.
"use strict";
(() => {
  const bar = document.querySelector("[data-stream]");
  if (!bar || !window.EventSource) return;
  const news = bar.querySelector(".live-news"), words = bar.querySelector("[data-live-news]");
  const status = bar.querySelector("[data-live-status]"), button = news.querySelector("button");
  const address = bar.querySelector("[data-live-refresh]").href;
  let number = bar.dataset.number, source = null, fetching = false, again = false, over = false;

  const say = (name, count) =>
    bar.querySelector(`template[data-say="${name}"]`).content.textContent.trim().replace("#", count);
  const regions = (page) => new Map([...page.querySelectorAll("[data-live]")].map((one) => [one.dataset.live, one]));
  const rows = (page) => [...page.querySelectorAll("[data-live-key]")];
  const fields = (region) => [...region.querySelectorAll("input, select, textarea")].filter((one) => one.type !== "hidden");
  const typed = (field) => {
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (field.tagName === "SELECT") return field.selectedIndex !== Math.max(0, [...field.options].findIndex((one) => one.defaultSelected));
    return field.value !== field.defaultValue;
  };
  const busy = (region) => {
    const chosen = document.getSelection();
    return region.contains(document.activeElement) || fields(region).some(typed)
      || Boolean(chosen && !chosen.isCollapsed && chosen.containsNode(region, true));
  };
  // How a thing is found again in the region that takes its place.
  const mark = (one) => {
    const row = one.closest("[data-live-key]");
    const place = row ? `[data-live-key="${CSS.escape(row.dataset.liveKey)}"] ` : "";
    if (one.id) return `#${CSS.escape(one.id)}`;
    if (one.name) return `${place}[name="${CSS.escape(one.name)}"]${one.type === "radio" || one.tagName === "BUTTON" ? `[value="${CSS.escape(one.value)}"]` : ""}`;
    if (one.matches("a[href]")) return `${place}a[href="${CSS.escape(one.getAttribute("href"))}"]`;
    return "";
  };
  const nameOf = (details) => details.id || details.querySelector("summary")?.textContent.trim() || "";

  const swap = (region, fresh) => {
    const focus = region.contains(document.activeElement) ? mark(document.activeElement) : "";
    const open = new Set([...region.querySelectorAll("details[open]")].map(nameOf));
    const kept = fields(region).filter(typed).map((one) => [mark(one), one]);
    const next = document.importNode(fresh, true);
    for (const one of next.querySelectorAll("details")) if (open.has(nameOf(one))) one.open = true;
    region.replaceWith(next);
    for (const [place, old] of kept) {
      const one = place && next.querySelector(place);
      if (!one) continue;
      if (old.type === "checkbox" || old.type === "radio") one.checked = old.checked;
      else one.value = old.value;
    }
    if (focus) (next.querySelector(focus) || bar).focus({ preventScroll: true });
  };
  // What stands at the top of the window stays there, when rows come in above it.
  const anchored = (work) => {
    const top = rows(document).find((one) => one.getBoundingClientRect().top >= 0);
    const before = top && window.scrollY > 0 ? top.getBoundingClientRect().top : null;
    work();
    if (before === null) return;
    const after = rows(document).find((one) => one.dataset.liveKey === top.dataset.liveKey);
    if (after) window.scrollBy(0, after.getBoundingClientRect().top - before);
  };

  const apply = (page, force) => {
    const here = regions(document), there = regions(page), known = new Set(rows(document).map((one) => one.dataset.liveKey));
    const fresh = rows(page).filter((one) => !known.has(one.dataset.liveKey));
    let changed = false, held = false;
    for (const one of fresh) one.classList.add("live-fresh");
    anchored(() => {
      for (const [name, region] of here) {
        const other = there.get(name);
        if (!other || other.innerHTML === region.innerHTML) continue;
        const small = name === "stand";
        if (!force && !small && busy(region)) held = true;
        else swap(region, other);
        changed = changed || !small;
      }
    });
    const count = fresh.length;
    const told = count === 1 ? say("one", 1) : count ? say("many", count) : "";
    words.textContent = held ? told || say("changed") : "";
    news.hidden = !held;
    if (changed && (told || held || bar.dataset.tell === "all")) status.textContent = told || say(held ? "changed" : "done");
  };

  const end = () => {
    over = true;
    source?.close();
    words.textContent = status.textContent = say("over");
    news.hidden = false;
    button.hidden = true;
  };
  const refresh = async (force) => {
    if (fetching) { again = true; return; }
    fetching = true;
    try {
      const answer = await fetch(address, { headers: { "X-Live": "1" }, redirect: "manual", cache: "no-store" });
      if (answer.type === "opaqueredirect") return end();
      if (answer.ok) apply(new DOMParser().parseFromString(await answer.text(), "text/html"), force);
    } catch {
      // No connection: the line opens again by itself, and tells the number then.
      number = "";
    } finally {
      fetching = false;
      if (again && !over) { again = false; refresh(false); }
    }
  };

  const open = () => {
    if (over || source || document.hidden) return;
    source = new EventSource(bar.dataset.stream);
    source.addEventListener("stand", (event) => {
      if (event.data === number) return;
      number = event.data;
      refresh(false);
    });
    source.addEventListener("einde", end);
    source.onerror = () => { if (source?.readyState === EventSource.CLOSED) end(); };
  };
  const close = () => { source?.close(); source = null; };

  button.addEventListener("click", async () => {
    await refresh(true);
    if (document.activeElement === document.body || news.hidden) bar.focus({ preventScroll: true });
  });
  // A page that nobody looks at asks for nothing; a browser keeps few lines open to one host.
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", open);
  open();
})();
