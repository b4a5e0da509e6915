/* What an annotator answered: kept in the browser after every answer, and saved as a small file. */
const canonical = (value) => {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
};

class Answers {
  constructor(study, page, n) {
    Object.assign(this, { study, page, n, annotator: "", group: "", answers: [], kept: true });
  }

  place(annotator) {
    return `thinslice study ${this.study} ${annotator.toLowerCase()}`;
  }

  /* The group under which this browser kept answers of an annotator; "" for none. */
  groupOf(annotator) {
    try {
      return JSON.parse(localStorage.getItem(this.place(annotator)))?.group ?? "";
    } catch {
      return "";
    }
  }

  /* Start as an annotator, with what this browser kept of an earlier visit. */
  start(annotator, group) {
    Object.assign(this, { annotator, group, answers: Array(this.n).fill(null) });
    try {
      const earlier = JSON.parse(localStorage.getItem(this.place(annotator)));
      if (earlier && earlier.answers.length === this.n) this.answers = earlier.answers;
      this.keep();
    } catch {
      this.kept = false;
    }
  }

  keep() {
    try {
      const { annotator, group, answers } = this;
      localStorage.setItem(this.place(annotator), JSON.stringify({ annotator, group, answers }));
    } catch {
      this.kept = false;
    }
  }

  set(k, side, ms) {
    this.answers[k] = [side, Math.round(ms)];
    this.keep();
  }

  get missing() {
    return this.answers.filter((answer) => !answer).length;
  }

  /* The first pair without an answer, from k on and then from the beginning; -1 for none. */
  open(k) {
    const later = this.answers.findIndex((answer, at) => at >= k && !answer);
    return later >= 0 ? later : this.answers.findIndex((answer) => !answer);
  }

  text() {
    const { study, page, annotator, group, answers } = this;
    const content = { format: "thinslice study answers 1", study, page, annotator, group, answers };
    content.sha256 = sha256(canonical(content));
    return `${JSON.stringify(content)}\n`;
  }

  save() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([this.text()], { type: "application/json" }));
    const word = this.annotator.replace(/[^\p{L}\p{N}]+/gu, "-");
    link.download = `answers-${word}-${this.study.slice(0, 8)}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }
}
