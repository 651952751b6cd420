// One letter is one answer, as long as no field has the focus and the box is ticked (WCAG 2.1.4).
// A key that is held down counts once, and a page takes one answer.
"use strict";
(() => {
  const box = document.getElementById("sneltoetsen"), store = "veilig.sneltoetsen";
  if (!box) return;
  box.checked = localStorage.getItem(store) !== "uit";
  box.closest("[hidden]").hidden = false;
  box.addEventListener("change", () => localStorage.setItem(store, box.checked ? "aan" : "uit"));
  let gone = false;
  document.addEventListener("keydown", (event) => {
    if (!box.checked || gone || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.closest("input:not([type=checkbox]), select, textarea, [contenteditable]")) return;
    const target = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (!target) return;
    event.preventDefault();
    gone = true;
    target.click();
  });
})();
