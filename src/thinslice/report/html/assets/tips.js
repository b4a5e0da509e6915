"use strict";
/* What a figure's mark stands for, on hover; what a word means, also when it is reached by keys. */
(() => {
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;
  document.body.append(tip);

  const number = (value, unit) => {
    if (typeof value !== "number") return value ?? "–";
    return `${value.toPrecision(4)}${unit && unit !== "1" ? ` ${unit}` : ""}`;
  };
  const words = (mark) => {
    const row = window.thinsliceRows.row(mark.dataset.table, Number(mark.dataset.row));
    if (!row) return "";
    const place = row.tested_on ?? [row.dataset, row.degradation].filter(Boolean).join(", ");
    const who = [row.method, row.fitted_on && `fitted on ${row.fitted_on}`, row.split, row.relation];
    const lines = [who.filter(Boolean).join(", "), row.sim ? `${place} (${row.sim})` : place];
    if (row.patient !== undefined) lines.push(`${row.patient}: ${number(row.value, row.unit)}`);
    const ends = typeof row.low === "number" ? ` [${number(row.low)}, ${number(row.high)}]` : "";
    lines.push(`mean ${number(row.mean, row.unit)}${ends}, n = ${row.n}`);
    lines.push(`${mark.dataset.table}.csv, row ${mark.dataset.row}`);
    return lines.join("\n");
  };
  const show = (text, x, y) => {
    tip.textContent = text;
    tip.hidden = !text;
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(4, Math.min(x + 12, innerWidth - width - 8))}px`;
    tip.style.top = `${y + height + 24 > innerHeight ? y - height - 8 : y + 14}px`;
  };
  const hide = () => { tip.hidden = true; };

  for (const mark of document.querySelectorAll(".mark")) {
    mark.querySelector("title")?.remove(); // the same in fewer words
    mark.addEventListener("pointermove", (e) => show(words(mark), e.clientX, e.clientY));
    mark.addEventListener("pointerleave", hide);
  }
  document.addEventListener("focusin", (event) => {
    const term = event.target.closest(".term");
    if (!term?.matches(":focus-visible")) return hide();
    const box = term.getBoundingClientRect();
    return show(term.title, box.left, box.bottom - 8);
  });
  addEventListener("scroll", hide, { passive: true });
})();
