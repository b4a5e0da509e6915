"use strict";
/* The slice viewer: three planes of two volumes beside each other, in turn, or their difference. */
(() => {
  const { content, load, values } = window.thinsliceVolumes;
  const planes = window.thinslicePlanes;
  const WINDOWS = { lung: [-1350, 150], soft: [-160, 240], bone: [-550, 1450] };
  const MODES = { beside: "beside each other", blink: "blinking", difference: "difference map" };
  const MOST_HU = 300;
  const BLINK_MS = 700;

  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };
  const select = (title, entries, chosen, changed) => {
    const made = element("select");
    for (const [value, words] of entries) made.add(new Option(words, value, false, value === chosen));
    made.addEventListener("change", () => changed(made.value));
    return element("label", {}, title, made);
  };
  const slider = (title, min, max, step, value, changed) => {
    const made = element("input", { type: "range", min, max, step, value });
    made.value = value;
    made.addEventListener("input", () => changed(Number(made.value)));
    const words = element("span", { textContent: title });
    return { label: element("label", {}, words, made), words, input: made };
  };

  class Viewer {
    constructor(root) {
      this.root = root;
      this.cases = content[root.dataset.slices].cases;
      this.zoom = 1;
      this.pan = { x: 0, y: 0 };
      this.mode = "beside";
      this.blinked = false;
      this.take(0);
      this.build();
    }

    take(index) {
      this.case = this.cases[index];
      this.volumes = new Map(this.case.volumes.map((each) => [each.name, each]));
      const names = [...this.volumes.keys()];
      this.first = this.volumes.has("thin") ? "thin" : "thick";
      this.second = names.includes(this.root.dataset.best) ? this.root.dataset.best : names.at(-1);
      this.frame = this.volumes.get("thin") ?? this.volumes.get(names.at(-1));
      this.values = values(this.case.knots);
      const whole = [this.values[0], this.values[255]];
      this.windows = this.case.modality === "CT" ? WINDOWS : { all: whole };
      this.window = this.windows[this.case.window] ? this.case.window : Object.keys(this.windows)[0];
      this.at = Object.fromEntries(planes.names.map((name) =>
        [name, Math.floor(planes.size(this.frame, name).slices / 2)]));
    }

    build() {
      const names = [...this.volumes.keys()].map((name) => [name, name]);
      const shown = (change) => (value) => { change(value); this.draw(); };
      const unit = this.case.modality === "CT" ? " HU" : "";
      const windows = Object.entries(this.windows).map(([name, [low, high]]) =>
        [name, `${name}: ${low.toFixed(0)} to ${high.toFixed(0)}${unit}`]);
      const zoom = slider("zoom", 1, 8, 0.5, this.zoom, (value) => {
        this.zoom = value;
        this.draw();
      });
      const cases = this.cases.map((each, k) => [String(k), each.case]);
      this.tools = element("div", { className: "tools" },
        select("case", cases, String(this.cases.indexOf(this.case)), (value) => {
          this.take(Number(value));
          this.build();
        }),
        select("first", names, this.first, shown((value) => { this.first = value; })),
        select("second", names, this.second, shown((value) => { this.second = value; })),
        select("show", Object.entries(MODES), this.mode, (value) => {
          this.mode = value;
          this.start();
        }),
        select("window", windows, this.window, shown((value) => { this.window = value; })),
        zoom.label,
      );
      this.grid = element("div", { className: "planes" });
      this.rows = [this.row(), this.row()];
      this.sliders = planes.names.map((name) => this.slice(name));
      this.grid.append(element("span", { className: "corner" }), ...this.sliders.map((s) => s.label));
      for (const row of this.rows) this.grid.append(row.name, ...row.canvases);
      this.key = element("p", { className: "quiet" });
      this.root.replaceChildren(this.root.querySelector("p"), this.tools, this.grid, this.key);
      this.start();
    }

    row() {
      const canvases = planes.names.map((plane) => {
        const canvas = element("canvas");
        canvas.setAttribute("role", "img");
        this.draggable(canvas);
        return canvas;
      });
      return { name: element("div", { className: "name" }), canvases };
    }

    slice(plane) {
      const { slices } = planes.size(this.frame, plane);
      return slider(plane, 0, slices - 1, 1, this.at[plane], (value) => {
        this.at[plane] = value;
        this.draw();
      });
    }

    draggable(canvas) {
      let from = null;
      canvas.addEventListener("pointerdown", (event) => {
        from = event;
        canvas.setPointerCapture(event.pointerId);
      });
      canvas.addEventListener("pointermove", (event) => {
        if (!from) return;
        this.pan.x += (event.clientX - from.clientX) / canvas.clientWidth;
        this.pan.y += (event.clientY - from.clientY) / canvas.clientHeight;
        from = event;
        this.draw();
      });
      canvas.addEventListener("pointerup", () => { from = null; });
      canvas.addEventListener("dblclick", () => {
        this.pan = { x: 0, y: 0 };
        this.draw();
      });
    }

    start() {
      clearInterval(this.timer);
      this.blinked = false;
      if (this.mode === "blink") {
        this.timer = setInterval(() => { this.blinked = !this.blinked; this.draw(); }, BLINK_MS);
      }
      this.draw();
    }

    async draw() {
      const chosen = [this.first, this.second].map((name) => this.volumes.get(name));
      const [first, second] = await Promise.all(chosen.map(load));
      const blink = this.mode === "blink";
      const compared = this.mode === "difference";
      this.rows[1].name.hidden = blink;
      for (const canvas of this.rows[1].canvases) canvas.hidden = blink;
      this.paint(this.rows[0], blink && this.blinked ? second : first, null);
      if (!blink) this.paint(this.rows[1], second, compared ? first : null);
      planes.names.forEach((name, k) => {
        const { slices, step_mm: mm } = planes.size(this.frame, name);
        const at = this.at[name];
        this.sliders[k].words.textContent =
          `${name}: slice ${at + 1} of ${slices}, ${(at * mm).toFixed(1)} mm`;
      });
      this.legend(compared);
    }

    legend(compared) {
      const words = ["Drag to move, double-click to centre. L, R, A, P: sides of the patient. "];
      if (compared) {
        const unit = this.case.modality === "CT" ? "HU" : "";
        words.unshift(`${this.second} minus ${this.first}: ${-this.most()} ${unit}`,
          element("span", { className: "legend" }), `+${this.most()} ${unit}. `);
      }
      this.key.replaceChildren(...words);
    }

    most() {
      const range = this.values[255] - this.values[0];
      return this.case.modality === "CT" ? MOST_HU : Number((range / 5).toPrecision(2));
    }

    paint(row, volume, reference) {
      const name = reference ? `${volume.name} minus ${reference.name}` : volume.name;
      row.name.replaceChildren(element("b", { textContent: name }));
      planes.names.forEach((plane, k) => {
        const size = planes.size(this.frame, plane);
        const shades = planes.shades(volume, this.frame, plane, this.at[plane]);
        const image = reference
          ? planes.difference(planes.shades(reference, this.frame, plane, this.at[plane]), shades,
            this.values, this.most(), size.width, size.height)
          : planes.grey(shades, this.values, this.windows[this.window], size.width, size.height);
        this.put(row.canvases[k], image, size, plane);
        row.canvases[k].setAttribute("aria-label",
          `${name}, ${plane} plane, slice ${this.at[plane] + 1} of ${size.slices}`);
      });
    }

    put(canvas, image, size, plane) {
      const scale = devicePixelRatio || 1;
      canvas.width = Math.round((canvas.clientWidth || 320) * scale);
      canvas.height = Math.round((canvas.width * size.height_mm) / size.width_mm);
      const small = element("canvas", { width: size.width, height: size.height });
      small.getContext("2d").putImageData(image, 0, 0);
      const context = canvas.getContext("2d");
      context.imageSmoothingEnabled = false;
      const [width, height] = [canvas.width * this.zoom, canvas.height * this.zoom];
      const left = (canvas.width - width) / 2 + this.pan.x * canvas.width;
      const top = (canvas.height - height) / 2 + this.pan.y * canvas.height;
      context.drawImage(small, left, top, width, height);
      this.marks(context, canvas, size, plane, scale);
    }

    marks(context, canvas, size, plane, scale) {
      const per_mm = (canvas.width * this.zoom) / size.width_mm;
      const lengths = [200, 100, 50, 20, 10, 5, 2, 1];
      const mm = lengths.find((each) => each * per_mm <= canvas.width / 3) ?? 1;
      const write = (words, x, y, align) => {
        context.textAlign = align;
        context.strokeText(words, x, y);
        context.fillText(words, x, y);
      };
      context.font = `${12 * scale}px system-ui, sans-serif`;
      context.lineWidth = 3 * scale;
      context.strokeStyle = "#000";
      context.fillStyle = "#ffe08a";
      const [low, high] = this.case.letters[plane];
      write(low, 6 * scale, 16 * scale, "left");
      write(high, canvas.width - 6 * scale, 16 * scale, "right");
      const y = canvas.height - 10 * scale;
      context.fillRect(8 * scale, y, mm * per_mm, 2.5 * scale);
      write(`${mm} mm`, 8 * scale, y - 5 * scale, "left");
    }
  }

  for (const root of document.querySelectorAll(".viewer")) {
    const viewer = new Viewer(root);
    addEventListener("resize", () => viewer.draw());
  }
})();
