"use strict";
// Lists and tables that sort and filter, and one sound at a time. Texts are only ever set as text.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const listOf = (name) => all("[data-list]").find((list) => list.dataset.list === name);

  // The value an entry is sorted by: a number where there is one, else text; "" where there is none.
  const read = (text) => {
    const plain = (text ?? "").trim();
    const number = Number(plain);
    return plain !== "" && !Number.isNaN(number) ? number : plain.toLowerCase();
  };

  const compare = (a, b) => {
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b), "en", { numeric: true });
  };

  // Sort the entries of a list, those without a value last either way; equal ones keep their order.
  const sort = (list, key, downwards) => {
    const keyed = [...list.children].map((entry) => [key(entry), entry]);
    const empty = (value) => value === "" || value === "–";
    keyed.sort(([a], [b]) => {
      if (empty(a) || empty(b)) return empty(a) - empty(b);
      return downwards ? compare(b, a) : compare(a, b);
    });
    list.append(...keyed.map(([, entry]) => entry));
  };

  const sortTable = (heading) => {
    const row = heading.parentElement;
    const column = [...row.children].indexOf(heading);
    const body = heading.closest("table").tBodies[0];
    const before = heading.getAttribute("aria-sort");
    const first = heading.classList.contains("number") ? "descending" : "ascending";
    const other = first === "descending" ? "ascending" : "descending";
    const order = before === first ? other : first;
    for (const cell of row.children) cell.setAttribute("aria-sort", "none");
    heading.setAttribute("aria-sort", order);
    const key = (entry) => read(entry.cells[column].dataset.value ?? entry.cells[column].textContent);
    sort(body, key, order === "descending");
  };

  const filter = (name) => {
    const list = listOf(name);
    const field = document.querySelector(`[data-filters="${CSS.escape(name)}"]`);
    const choice = document.querySelector(`[data-labels="${CSS.escape(name)}"]`);
    const words = (field ? field.value : "").toLowerCase().split(/\s+/).filter(Boolean);
    const label = choice ? choice.value : "";
    let shown = 0;
    for (const entry of list.children) {
      const text = entry.textContent.toLowerCase();
      const fits = words.every((word) => text.includes(word)) && (!label || entry.dataset.label === label);
      entry.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    const output = document.querySelector(`[data-count="${CSS.escape(name)}"]`);
    if (output) {
      const total = list.children.length;
      const count = shown === total ? `${total}` : `${shown} of ${total}`;
      output.textContent = `${count} ${output.dataset.what}`;
    }
  };

  for (const button of all("th[aria-sort] button")) {
    button.addEventListener("click", () => sortTable(button.closest("th")));
  }
  for (const field of all("[data-filters]")) field.addEventListener("input", () => filter(field.dataset.filters));
  for (const choice of all("[data-labels]")) choice.addEventListener("change", () => filter(choice.dataset.labels));
  for (const choice of all("[data-sorts]")) {
    choice.addEventListener("change", () => {
      const key = choice.value.replace(/^-/, "");
      sort(listOf(choice.dataset.sorts), (entry) => read(entry.dataset[key]), choice.value.startsWith("-"));
    });
  }
  // A button that plays the sound of an element further down the page.
  for (const button of all("[data-plays]")) {
    button.addEventListener("click", () => {
      const sound = document.getElementById(button.dataset.plays);
      if (sound.paused) {
        sound.currentTime = 0;
        sound.play().catch(() => {}); // stopped before it began
      } else {
        sound.pause();
      }
    });
  }
  document.addEventListener("play", (event) => {
    for (const sound of all("audio")) if (sound !== event.target) sound.pause();
  }, true);
})();
