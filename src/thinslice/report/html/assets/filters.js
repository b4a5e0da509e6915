"use strict";
/* Above every long table: a choice for each column that has several values, a search, an export. */
(() => {
  const text = (cell) => cell.textContent.trim();
  const labelled = (words, control) => {
    const label = document.createElement("label");
    label.append(words, control);
    return label;
  };
  const choice = (head, k, rows) => {
    const values = [...new Set(rows.map((row) => text(row.cells[k])))];
    const select = document.createElement("select");
    select.add(new Option("all", ""));
    for (const each of values) select.add(new Option(each || "(none)", each || " "));
    select.dataset.column = k;
    return labelled(text(head), select);
  };
  const quoted = (words) => (/[",\n]/.test(words) ? `"${words.replaceAll('"', '""')}"` : words);
  const csv = (table) => {
    const rows = [table.tHead.rows[0], ...table.tBodies[0].rows].filter((row) => !row.hidden);
    return rows.map((row) => [...row.cells].map((c) => quoted(text(c))).join(",")).join("\n") + "\n";
  };
  const save = (table) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([csv(table)], { type: "text/csv" }));
    link.download = `${table.dataset.table}-shown.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  for (const table of document.querySelectorAll("table.long")) {
    const rows = [...table.tBodies[0].rows];
    const heads = [...table.tHead.rows[0].cells];
    const tools = document.createElement("div");
    tools.className = "tools";
    tools.setAttribute("role", "search");
    tools.setAttribute("aria-label", `Choose rows of ${table.dataset.table}`);
    heads.forEach((head, k) => {
      if (!("filter" in head.dataset)) return;
      if (new Set(rows.map((row) => text(row.cells[k]))).size > 1) tools.append(choice(head, k, rows));
    });
    const search = document.createElement("input");
    search.type = "search";
    tools.append(labelled("search", search));
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Save shown rows as CSV";
    button.addEventListener("click", () => save(table));
    const count = document.createElement("output");
    tools.append(button, count);
    const whole = rows.map((row) => row.textContent.toLowerCase());
    const apply = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      const chosen = [...tools.querySelectorAll("select")].filter((each) => each.value);
      let shown = 0;
      rows.forEach((row, k) => {
        const fits = words.every((word) => whole[k].includes(word)) && chosen.every((each) =>
          text(row.cells[each.dataset.column]) === each.value.trim());
        row.hidden = !fits;
        shown += fits;
      });
      count.textContent = `${shown} of ${rows.length} rows`;
    };
    tools.addEventListener("input", apply);
    table.parentElement.before(tools);
    apply();
  }
})();
