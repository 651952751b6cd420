// The way out for who may be watched. The page is empty at once, then another page takes its place in the history.
// Without this script the button is a form that does the same, a little slower.
"use strict";
(() => {
  const WAY_OUT = "/weg", TIMES = 3, WITHIN = 2000;
  const typed = "input:not([type=hidden], [type=radio], [type=checkbox]), textarea, select";
  const wipe = () => {
    for (const field of document.querySelectorAll(typed)) { field.value = ""; field.defaultValue = ""; }
    for (const field of document.querySelectorAll(":checked")) field.checked = false;
  };
  const blank = () => { wipe(); document.title = "\u200b"; document.body.replaceChildren(); };
  const leave = () => { blank(); location.replace(WAY_OUT); };

  document.querySelector("form[data-leave]")?.addEventListener("submit", (event) => { event.preventDefault(); leave(); });
  let pressed = [];
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.repeat) return;
    pressed = [...pressed.filter((at) => event.timeStamp - at < WITHIN), event.timeStamp];
    if (pressed.length >= TIMES) leave();
  });

  // An answer to a form stays in the history with what was sent. As a plain page it comes back empty.
  const plain = document.documentElement.lang === "en" ? "?l=en" : "";
  history.replaceState(null, "", location.pathname + plain);
  window.addEventListener("pagehide", wipe);
  window.addEventListener("pageshow", (event) => { if (event.persisted) { blank(); location.reload(); } });

  // A phone without a connection keeps its text: nothing is sent into nowhere.
  const offline = document.getElementById("geen-verbinding");
  document.querySelector("form[data-sent]")?.addEventListener("submit", (event) => {
    if (!offline || navigator.onLine) return;
    event.preventDefault();
    offline.hidden = false;
    offline.focus();
  });
})();
