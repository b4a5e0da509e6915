"use strict";
/* A button beside every line for a terminal, which copies it. */
(() => {
  const button = (text) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "copy-button";
    made.textContent = "Copy";
    made.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text);
        made.textContent = "Copied";
      } catch {
        made.textContent = "Press Ctrl+C";
        getSelection().selectAllChildren(made.previousElementSibling);
      }
      setTimeout(() => { made.textContent = "Copy"; }, 1500);
    });
    return made;
  };
  window.thinsliceCopy = button;
  for (const line of document.querySelectorAll("code.copy")) line.after(button(line.textContent));
})();
