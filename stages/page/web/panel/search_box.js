// Finding points by name, class, text or tag. The matches are listed; the arrow keys walk through them.
import { count } from "../data/columns.js";
import { byId, element } from "../elements.js";

const LISTED = 50;
const REASON = 60; // characters

export class SearchBox {
  constructor(state, labels, navigator) {
    Object.assign(this, { state, labels, navigator, data: state.data, at: -1, found: [], texts: null });
    this.input = byId("search");
    this.list = byId("matches");
    this.input.addEventListener("input", () => state.change({ search: this.input.value }));
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("click", (event) => {
      const option = event.target.closest("[data-point]");
      if (option) this.go([...this.list.children].indexOf(option));
    });
    state.onChange(["labels", "columns"], () => {
      this.texts = null;
      if (state.search) this.look();
    });
    state.onChange(["search"], () => {
      if (this.input.value !== state.search) this.input.value = state.search;
      this.look();
    });
  }

  // Every word must be in the point's name, class, text columns or tags; `#12` is the point of row 12.
  look() {
    const { state, data } = this;
    const words = state.search.toLowerCase().split(/\s+/).filter(Boolean);
    const row = /^#(\d+)$/.exec(state.search.trim());
    let matched = null;
    if (row) this.found = Number(row[1]) < data.total ? [Number(row[1])] : [];
    else if (words.length) {
      this.texts ??= this.readTexts();
      matched = new Uint8Array(data.total);
      for (let i = 0; i < data.total; i++) matched[i] = words.every((word) => this.texts[i].includes(word)) ? 1 : 0;
      this.found = [];
      for (let i = 0; i < data.total; i++) if (matched[i] && state.isShown(i)) this.found.push(i);
      if (!this.found.length && !matched.includes(1)) matched = null;
    } else this.found = [];
    this.at = -1;
    const said = this.found.length ? count(this.found.length, "match", "matches") : "nothing found";
    byId("search-said").textContent = state.search.trim() ? said : "";
    this.fill();
    state.change({ matched, steps: this.found });
  }

  readTexts() {
    const { data, labels } = this;
    const texts = data.columns.filter((column) => !column.isNumeric && column.key !== "tags");
    return Array.from({ length: data.total }, (_, i) =>
      [data.nameOf(i), ...texts.map((column) => column.text(i)), ...labels.tagsOf(i)].join("\n").toLowerCase(),
    );
  }

  fill() {
    const { data } = this;
    this.list.replaceChildren(
      ...this.found.slice(0, LISTED).map((i, k) =>
        element(
          "li",
          { role: "option", id: `match-${k}`, "data-point": i, "aria-selected": "false" },
          element("span", { class: "name" }, data.nameOf(i)),
          element("span", { class: "soft" }, this.reason(i)),
        ),
      ),
    );
    this.list.hidden = !this.found.length;
    this.input.setAttribute("aria-expanded", String(this.found.length > 0));
    this.input.removeAttribute("aria-activedescendant");
  }

  // The text in which point i was found, unless that is its name; else its class.
  reason(i) {
    const { data, state } = this;
    const words = state.search.toLowerCase().split(/\s+/).filter(Boolean);
    const found = data.columns.find((column) => {
      const text = column.isNumeric ? "" : column.text(i).toLowerCase();
      return words.some((word) => text.includes(word) && !data.nameOf(i).toLowerCase().includes(word));
    });
    const text = (found ?? data.classes).text(i);
    return text.length > REASON ? `${text.slice(0, REASON - 1)}…` : text;
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1, Enter: 1 }[event.key];
    if (!step || !this.found.length) return;
    event.preventDefault();
    this.go((this.at + step + this.found.length) % this.found.length);
  }

  // Fly to match number `at`.
  go(at) {
    this.at = Math.max(0, at);
    for (const [k, option] of [...this.list.children].entries()) option.setAttribute("aria-selected", String(k === this.at));
    const active = this.list.children[this.at];
    active?.scrollIntoView({ block: "nearest" });
    if (active) this.input.setAttribute("aria-activedescendant", active.id);
    this.navigator.goTo(this.found[this.at]);
  }
}
