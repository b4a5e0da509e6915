"use strict";
/* Every table sorts: a heading is a button; a third click gives the order that was printed. */
(() => {
  const value = (row, k) => {
    const cell = row.cells[k];
    const text = cell.dataset.v ?? cell.textContent.trim();
    const number = Number.parseFloat(text.replace("∞", "Infinity"));
    return { text, number, empty: text === "–" || text === "" };
  };
  const compare = (a, b) => {
    if (a.empty || b.empty) return 0;
    if (!Number.isNaN(a.number) && !Number.isNaN(b.number)) return a.number - b.number;
    return a.text.localeCompare(b.text, undefined, { numeric: true });
  };
  const sort = (table, k, way, printed) => {
    const rows = [...printed];
    if (way) {
      const sign = way === "ascending" ? 1 : -1;
      const keyed = rows.map((row) => ({ row, key: value(row, k) }));
      keyed.sort((a, b) => (a.key.empty - b.key.empty) || sign * compare(a.key, b.key));
      rows.splice(0, rows.length, ...keyed.map((each) => each.row));
    }
    table.tBodies[0].append(...rows);
  };
  const NEXT = { none: "ascending", ascending: "descending", descending: "none" };
  for (const table of document.querySelectorAll("main table")) {
    const heads = [...table.tHead.rows[0].cells];
    const printed = [...table.tBodies[0].rows];
    if (printed.length < 2) continue;
    heads.forEach((head, k) => {
      const term = head.querySelector("a.term");
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      if (term) button.title = term.title;
      head.replaceChildren(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        const way = NEXT[head.getAttribute("aria-sort")];
        for (const each of heads) each.setAttribute("aria-sort", "none");
        head.setAttribute("aria-sort", way);
        sort(table, k, way === "none" ? "" : way, printed);
      });
    });
  }
})();
