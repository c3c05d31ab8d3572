// Finding points by name, class, text or tag. The matches are listed; the arrow keys walk through them.
import { count } from "../data/columns.js";
import { byId, element } from "../dom_elements.js";

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
      if (!state.search) return;
      this.match();
      this.listAgain();
    });
    state.onChange(["filters", "newShown"], () => state.search && this.listAgain());
    state.onChange(["search"], () => {
      if (this.input.value !== state.search) this.input.value = state.search;
      this.match();
      this.listMatches();
      state.change({ steps: this.found });
    });
  }

  // Every word must be in the point's name, class, text columns or tags. If none is found, all points stay as they are.
  match() {
    const { state } = this;
    const words = this.row() === null ? this.words() : [];
    let matched = null;
    if (words.length) {
      this.texts ??= this.readTexts();
      matched = Uint8Array.from(this.texts, (text) => (words.every((word) => text.includes(word)) ? 1 : 0));
    }
    state.change({ matched: matched?.includes(1) ? matched : null });
  }

  // `#12` is the point of row 12: its number, else null.
  row() {
    const digits = /^#(\d+)$/.exec(this.state.search.trim());
    return digits && Number(digits[1]);
  }

  words() {
    return this.state.search.toLowerCase().split(/\s+/).filter(Boolean);
  }

  // List the matches that pass the filters.
  listMatches() {
    const { state, data } = this;
    const row = this.row();
    if (row !== null) this.found = row < data.total ? [row] : [];
    else this.found = state.matched ? state.found() : [];
    const hidden = (state.matched ?? []).reduce((sum, matched) => sum + matched, 0);
    const none = hidden ? `${count(hidden, "match", "matches")}, hidden by a filter or an unticked layer` : "nothing found";
    const said = this.found.length ? count(this.found.length, "match", "matches") : none;
    byId("search-said").textContent = state.search.trim() ? said : "";
    this.fill();
    this.mark(-1);
  }

  // The same after a change of the points, and stay at the present match.
  listAgain() {
    const { state } = this;
    const [present, walked] = [this.found[this.at], state.steps === this.found];
    this.listMatches();
    this.mark(this.found.indexOf(present));
    if (walked) state.change({ steps: this.found });
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
  }

  // The text in which point i was found, unless that is its name; else its class.
  reason(i) {
    const { data } = this;
    const words = this.words();
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
    this.go(this.at < 0 && step < 0 ? this.found.length - 1 : (this.at + step + this.found.length) % this.found.length);
  }

  // Fly to match number `at`.
  go(at) {
    this.mark(at);
    this.navigator.goTo(this.found[at]);
  }

  // Show which match is the present one; −1 for none.
  mark(at) {
    this.at = at;
    for (const [k, option] of [...this.list.children].entries()) option.setAttribute("aria-selected", String(k === at));
    const active = this.list.children[at];
    active?.scrollIntoView({ block: "nearest" });
    if (active) this.input.setAttribute("aria-activedescendant", active.id);
    else this.input.removeAttribute("aria-activedescendant");
  }
}
