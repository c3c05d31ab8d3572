// The categories of a column: each can be switched off, or shown alone; bars count the points of each.
import { grouped } from "../data/columns.js";
import { button, element } from "../dom_elements.js";
import { amountsOf, categoryColours, cssColour } from "../map/point_colours.js";

const FEW = 30; // rows at first
const MOST = 500; // rows at most; the search finds what the others hold

export class CategoryList {
  constructor(state, map, column, into, { coloured = false } = {}) {
    Object.assign(this, { state, map, column, into, coloured, most: FEW });
    this.build();
  }

  // Rows for the largest categories; classes keep their own order if all have a row.
  build() {
    const { column, into } = this;
    this.known = this.contents();
    const amounts = amountsOf(column);
    const codes = column.categories.map((_, k) => k + 1).filter((code) => amounts[code] || column.key === "class");
    const bySize = codes.toSorted((a, b) => amounts[b] - amounts[a] || a - b);
    const shown = column.key === "class" && codes.length <= this.most ? [...codes] : bySize.slice(0, this.most);
    if (amounts[0]) shown.push(0);
    this.rows = new Map(shown.map((code) => [code, this.row(code)]));
    const list = element("ul", { class: "categories" }, ...[...this.rows.values()].map(({ row }) => row));
    const switches = element("p", { class: "buttons" });
    switches.append(
      button("all", () => this.state.setFilter(column.key, null), { "aria-label": `Show all: ${column.title}` }),
      button("none", () => this.showOnly(null), { "aria-label": `Show none: ${column.title}` }),
    );
    const more = codes.length - (shown.length - (amounts[0] ? 1 : 0));
    if (more > 0 && this.most < MOST) {
      switches.append(button(`${grouped(more)} more`, () => {
        this.most = MOST;
        this.build();
      }));
    } else if (more > 0) switches.append(element("span", { class: "soft" }, `${grouped(more)} more: use the search`));
    into.replaceChildren(list, switches);
    this.update();
  }

  // What makes new rows necessary: another number of categories, or missing values for the first time.
  contents() {
    const { categories, values } = this.column;
    return `${categories.length} ${values.includes(0)}`;
  }

  row(code) {
    const { column } = this;
    const name = code ? column.categories[code - 1] : column.key === "class" ? "no label" : "missing";
    const input = element("input", { type: "checkbox" });
    input.addEventListener("change", () => this.toggle(code, input.checked));
    const only = button("only", () => this.showOnly(code), { "aria-label": `Show only ${name}`, title: "Show only these" });
    const amount = element("span", { class: "amount" });
    const bar = element("span", { class: "bar" });
    const swatch = this.coloured ? [element("span", { class: "swatch" })] : [];
    const label = element("label", {}, input, ...swatch, element("span", { class: "name", title: name }, name, bar), amount);
    return { row: element("li", {}, label, only), input, amount, bar };
  }

  toggle(code, shown) {
    const without = new Set(this.state.filters.get(this.column.key)?.without);
    if (shown) without.delete(code);
    else without.add(code);
    this.state.setFilter(this.column.key, without.size ? { without } : null);
  }

  // Show one category; with null none.
  showOnly(code) {
    const codes = [0, ...this.column.categories.map((_, k) => k + 1)].filter((other) => other !== code);
    this.state.setFilter(this.column.key, { without: new Set(codes) });
  }

  update() {
    const { state, column, map } = this;
    if (this.known !== this.contents()) return this.build();
    const without = state.filters.get(column.key)?.without;
    const amounts = amountsOf(column, state.shownWithout(column.key));
    const most = Math.max(1, ...amounts);
    const colours = this.coloured && categoryColours(column, map.behind);
    for (const [code, { row, input, amount, bar }] of this.rows) {
      input.checked = !without?.has(code);
      amount.textContent = grouped(amounts[code]);
      bar.style.width = `${(100 * amounts[code]) / most}%`;
      if (colours) row.style.setProperty("--class", cssColour(colours[code]));
    }
  }
}
