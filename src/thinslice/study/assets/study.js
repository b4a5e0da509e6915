/* The page: who looks, one pair after the other, and the end. */
(() => {
  const text = (id) => document.getElementById(id).textContent;
  const headText = text("head");
  const head = JSON.parse(headText);
  const page = sha256([text("style"), text("code"), headText].join("\n"));
  const answers = new Answers(sha256(headText), page, head.pairs.length);
  const main = document.getElementById("main");
  const UNSEEN_MS = 300; // nobody judges a pair sooner: a second press meant the pair before
  const view = { zoom: 1, x: 0.5, y: 0.5 };
  const state = { at: 0, ready: false, images: [], since: 0, window: "", size: null };

  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const button = (words, action, id = "") =>
    make("button", { type: "button", textContent: words, onclick: action, id });
  const show = (...children) => main.replaceChildren(...children);

  const taken = new Set();
  const letters = Object.fromEntries(Object.keys(head.windows).map((name) => {
    const letter = [...name].find((each) => !taken.has(each));
    taken.add(letter);
    return [letter, name];
  }));
  const windowsOf = (pair) => (pair.window ? { all: pair.window } : head.windows);

  /* ---- who looks */
  const begin = () => {
    const name = make("input", { id: "annotator", required: true, autocomplete: "off", maxLength: 60 });
    const choices = head.groups.map((each) => make("option", { textContent: each, value: each }));
    const group = make("select", { id: "group", required: true },
      make("option", { textContent: "choose", value: "" }), ...choices);
    const other = make("p", { id: "other", role: "alert" });
    const form = make("form", { className: "start" },
      make("h1", { textContent: head.title }),
      make("p", { textContent: `${head.pairs.length} pairs of images. ${head.question}` }),
      make("label", {}, "Your name or number ", name),
      make("label", {}, "You are ", group),
      make("button", { id: "begin", textContent: "Begin, or go on where you stopped" }),
      other,
      make("p", { className: "quiet", textContent: "Keys: ← and → choose, ↑ and ↓ go back and on, + − 0 "
        + "or the wheel zoom, dragging moves; letters choose a window." }),
      make("p", { className: "quiet", textContent: "Nothing leaves this computer: at the end you "
        + "save a small file and send it to whoever gave you this page." }));
    form.onsubmit = (event) => {
      event.preventDefault();
      const annotator = name.value.trim().replace(/\s+/g, " ");
      if (!annotator) return;
      const before = answers.groupOf(annotator);
      if (before && before !== group.value) {
        other.textContent = `${annotator} began as ${before}: choose that, or give another name.`;
        return;
      }
      answers.start(annotator, group.value);
      go(answers.open(0));
    };
    show(form);
    name.focus();
  };

  /* ---- a pair */
  const frame = (side, words) => make("figure", {},
    make("canvas", { id: side, role: "img", ariaLabel: words }), make("figcaption", { textContent: words }));
  const names = (n) => (n === 3 ? ["left", "middle", "right"] : ["left", "right"]);
  const imageOf = (side) => state.images[{ left: 0, right: 1, middle: 2 }[side]];

  const layOut = () => {
    const pair = head.pairs[state.at];
    const keys = Object.entries(letters).map(([letter, name]) => [name, letter]);
    const windows = Object.keys(windowsOf(pair)).map((name) => button(
      `${name}${pair.window ? "" : ` (${Object.fromEntries(keys)[name]})`}`,
      () => setWindow(name), `window-${name}`));
    const words = { left: "left", middle: "original", right: "right" };
    const given = answers.answers[state.at];
    show(
      make("header", {},
        make("span", { id: "progress", textContent: `${state.at + 1} of ${answers.n}` }),
        make("progress", { max: answers.n, value: answers.n - answers.missing, ariaLabel: "answered" }),
        make("span", { className: "group" }, ...windows),
        make("span", { className: "group" }, button("−", () => zoom(1 / 1.25), "out"),
          button("fit (0)", fit, "fit"), button("+", () => zoom(1.25), "in")),
        make("span", { className: "group" }, button("Save answers", () => answers.save(), "save"))),
      make("section", { className: "images", id: "images" },
        ...names(pair.shape[0]).map((side) => frame(side, words[side]))),
      make("footer", {},
        make("p", { textContent: head.question }),
        button("← left", () => choose("left"), "choose-left"),
        button("right →", () => choose("right"), "choose-right"),
        button("back (↑)", () => go(state.at - 1), "back"),
        button("next (↓)", () => (given ? go(state.at + 1) : null), "next"),
        make("span", { className: "quiet", textContent: given ? `You chose ${given[0]}.` : "" }),
        make("span", { className: "quiet", textContent: answers.kept ? ""
          : "This browser keeps nothing: save your answers before you close the page." })));
    document.getElementById("back").disabled = state.at === 0;
    document.getElementById("next").disabled = !given;
  };

  const go = async (k) => {
    if (k === -1 || k >= answers.n) return end();
    const visit = {}; // while one pair is read, another may be asked for: the latest counts
    Object.assign(state, { at: k, ready: false, images: [], shown: {}, visit });
    document.body.dataset.ready = "";
    const pair = head.pairs[k];
    layOut();
    let images;
    try {
      images = await readBlock(pair, text(`pair${k}`));
    } catch (error) {
      return state.visit === visit && show(make("h1", { textContent: `Pair ${k + 1} of this page cannot be shown` }),
        make("p", { id: "damaged", textContent: `${error.message}. Ask for a new copy of the page.` }));
    }
    if (state.visit !== visit) return undefined;
    state.images = images;
    fit();
    setWindow(pair.first);
    Object.assign(state, { ready: true, since: performance.now() });
    document.body.dataset.ready = String(k);
    return undefined;
  };

  const paint = () => {
    const pair = head.pairs[state.at];
    for (const side of names(pair.shape[0])) {
      const canvas = document.getElementById(side);
      if (canvas && state.shown[side]) state.size = draw(canvas, state.shown[side], pair.mm, view);
    }
  };
  const setWindow = (name) => {
    const limits = windowsOf(head.pairs[state.at])[name];
    if (!limits || !state.images.length) return;
    state.window = name;
    for (const side of names(state.images.length)) state.shown[side] = inWindow(imageOf(side), limits);
    for (const each of document.querySelectorAll("[id^=window-]")) {
      each.setAttribute("aria-pressed", String(each.id === `window-${name}`));
    }
    paint();
  };
  const zoom = (factor) => {
    view.zoom = Math.min(16, Math.max(1, view.zoom * factor));
    if (view.zoom === 1) Object.assign(view, { x: 0.5, y: 0.5 });
    paint();
  };
  const fit = () => { Object.assign(view, { zoom: 1, x: 0.5, y: 0.5 }); paint(); };
  const move = (dx, dy) => {
    if (!state.size || view.zoom === 1) return;
    view.x = Math.min(1, Math.max(0, view.x - dx / state.size.width));
    view.y = Math.min(1, Math.max(0, view.y - dy / state.size.height));
    paint();
  };
  const choose = (side) => {
    if (!state.ready || performance.now() - state.since < UNSEEN_MS) return;
    answers.set(state.at, side, performance.now() - state.since);
    go(state.at + 1 < answers.n ? state.at + 1 : answers.open(0));
  };

  /* ---- the end */
  const end = () => {
    document.body.dataset.ready = "end";
    Object.assign(state, { ready: false, visit: null });
    const { missing } = answers;
    const words = missing ? `${missing} of ${answers.n} pairs have no answer yet.`
      : `All ${answers.n} pairs are answered. Save the file and send it to whoever gave you this page.`;
    show(make("section", { className: "start" }, make("h1", { textContent: missing ? "Not yet" : "Thank you" }),
      make("p", { id: "left-over", textContent: words }),
      button("Save answers", () => answers.save(), "save"),
      button(missing ? "Go on" : "Look again", () => go(Math.max(0, answers.open(0))), "again")));
  };

  const KEYS = {
    ArrowLeft: () => choose("left"),
    ArrowRight: () => choose("right"),
    ArrowUp: () => state.at > 0 && go(state.at - 1),
    ArrowDown: () => answers.answers[state.at] && go(state.at + 1),
    "+": () => zoom(1.25),
    "=": () => zoom(1.25),
    "-": () => zoom(1 / 1.25),
    0: fit,
  };
  document.addEventListener("keydown", (event) => {
    const busy = event.repeat || event.ctrlKey || event.metaKey || event.altKey;
    if (busy || !state.ready || !document.getElementById("images")) return;
    const named = letters[event.key.toLowerCase()];
    const action = KEYS[event.key] || (named && (() => setWindow(named)));
    if (!action) return;
    event.preventDefault();
    action();
  });
  document.addEventListener("wheel", (event) => {
    if (!event.target.closest("#images")) return;
    event.preventDefault();
    zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15);
  }, { passive: false });
  document.addEventListener("pointermove", (event) => {
    if (event.buttons === 1 && event.target.closest("#images")) move(event.movementX, event.movementY);
  });
  window.addEventListener("resize", paint);
  if (typeof DecompressionStream === "undefined") {
    show(make("p", { id: "damaged", textContent: "This browser is too old for this page: any of 2023 or later will do." }));
  } else {
    begin();
  }
})();
