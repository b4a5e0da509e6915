"use strict";
/* The menu's entry of what is being read; links into folded tables unfold them. */
(() => {
  const links = new Map();
  for (const link of document.querySelectorAll("nav a")) links.set(link.hash.slice(1), link);
  const mark = (id) => {
    for (const link of links.values()) link.removeAttribute("aria-current");
    links.get(id)?.setAttribute("aria-current", "true");
  };
  const parts = [...links.keys()].map((id) => document.getElementById(id)).filter(Boolean);
  const read = () => {
    const above = parts.filter((part) => part.getBoundingClientRect().top < innerHeight / 3);
    const last = above.at(-1);
    if (last) mark(last.id);
  };
  let waiting = false;
  addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; read(); });
  }, { passive: true });
  read();

  const unfold = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const folded = target?.closest("details:not([open])");
    if (folded) { folded.open = true; target.scrollIntoView(); }
  };
  addEventListener("hashchange", unfold);
  unfold();
})();
