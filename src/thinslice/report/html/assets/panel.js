"use strict";
/* A click on a number or on a figure's mark opens its row, and what is behind it, at the side. */
(() => {
  const rows = window.thinsliceRows;
  let panel = null;
  let opener = null;

  const element = (name, words = "", kind = "") => {
    const made = document.createElement(name);
    made.textContent = words;
    if (kind) made.className = kind;
    return made;
  };
  const facts = (entries) => {
    const list = element("dl");
    for (const [name, value] of entries) {
      if (value === null || value === undefined || value === "") continue;
      const shown = typeof value === "object" ? settings(value) : String(value);
      if (shown) list.append(element("dt", name), element("dd", shown));
    }
    return list;
  };
  const settings = (given) =>
    Object.entries(given).map(([name, value]) => `${name} ${JSON.stringify(value)}`).join(", ");
  const command = (line) => {
    const made = element("p");
    made.append(element("code", line), window.thinsliceCopy(line));
    return made;
  };

  const behind = (id) => {
    const record = rows.records[id];
    if (!record) return [element("p", `record ${id}`)];
    const { degradation } = record;
    return [
      facts([
        ["method", record.method],
        ["module", record.module],
        ["settings", record.settings],
        ["seed", record.seed],
        ["thick slices", degradation?.name],
        ["their settings", degradation?.settings],
        ["scored", record.made],
        ["host", record.host],
        ["commit", record.commit],
        ["record", `${id}, ${record.record}`],
        ["restored by", record.restored],
        ["weights by", record.weights],
      ]),
    ];
  };

  const fill = (table, number) => {
    const row = rows.row(table, number);
    const file = `${rows.folder}tables/${table}.csv`;
    const close = element("button", "Close", "close");
    close.type = "button";
    close.addEventListener("click", shut);
    panel.replaceChildren(close, element("h2", `${table}.csv, row ${number}`));
    if (!row) return close;
    const ids = String(row.records ?? row.record ?? "").split(/\s+/).filter(Boolean);
    const raw = element("details");
    raw.append(element("summary", "As JSON"), element("pre", JSON.stringify(row, null, 1)));
    panel.append(
      command(`thinslice audit ${file} --row ${number}`),
      element("h3", "The row"),
      facts(Object.entries(row).filter(([name]) => name !== "records" && name !== "record")),
      element("h3", ids.length > 1 ? `The ${ids.length} cells behind it` : "Behind it"),
      ...ids.flatMap(behind),
      raw,
    );
    return close;
  };

  const shut = () => {
    panel.hidden = true;
    opener?.focus?.();
  };
  const open = (from) => {
    if (!panel) {
      panel = element("aside", "", "panel");
      panel.setAttribute("role", "dialog");
      panel.setAttribute("aria-label", "Where this number comes from");
      document.body.append(panel);
    }
    opener = from;
    const close = fill(from.dataset.table, Number(from.dataset.row));
    panel.hidden = false;
    panel.scrollTop = 0;
    close.focus();
  };

  document.addEventListener("click", (event) => {
    const from = event.target.closest("a.num, .mark");
    if (!from || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(from);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && panel && !panel.hidden) shut();
  });
})();
