"use strict";
/* The CSV rows behind the page's numbers: window.thinsliceRows.row(table, number) -> {column: value}. */
(() => {
  const content = JSON.parse(document.getElementById("rows").textContent);
  const row = (table, number) => {
    const columns = content.tables[table];
    if (!columns) return null;
    const entries = Object.entries(columns).map(([name, [values, places]]) =>
      [name, values[places[number - 1]]]);
    return Object.fromEntries(entries);
  };
  window.thinsliceRows = { row, records: content.records, folder: content.folder };
})();
