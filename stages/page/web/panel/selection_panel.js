// The selected points: how many of each class, their images on one sheet or their names, and a CSV file of them.
import { count, grouped } from "../data/columns.js";
import { button, byId, copy, download, element } from "../dom_elements.js";
import { csv, pointTable } from "../labels/csv.js";
import { amountsOf } from "../map/point_colours.js";

const SHEET_IMAGES = 600; // the contact sheet shows so many at most
const SHEET_COLUMNS = 7;
const SHEET_CELL = 38; // CSS pixels of one image on it
const NAMES = 300; // the list of names shows so many at most
const CLASSES = 12; // classes counted one by one

export class SelectionPanel {
  constructor(state, map, labels, navigator) {
    Object.assign(this, { state, map, labels, navigator, data: state.data, points: [] });
    this.sheet = byId("contact-sheet");
    this.sort = byId("sort");
    byId("clear-selection").addEventListener("click", () => state.change({ selected: null }));
    byId("download").addEventListener("click", () => {
      download("selection.csv", csv(pointTable(this.data, labels, this.points)), "text/csv");
    });
    byId("copy-names").addEventListener("click", () => {
      copy(this.points.map((i) => this.data.nameOf(i)).join("\n"), `${count(this.points.length, "name")} copied.`);
    });
    byId("walk").addEventListener("click", () => navigator.walk(this.points));
    this.sort.addEventListener("change", () => this.update());
    this.sheet.addEventListener("click", (event) => {
      const i = this.onSheet(event);
      if (i !== undefined) navigator.goTo(i);
    });
    state.onChange(["selected", "labels", "columns"], () => this.update());
    this.update();
  }

  update() {
    const { selected } = this.state;
    byId("selection").hidden = !selected;
    this.points = selected ? this.sorted([...selected]) : [];
    if (!selected) return;
    this.fillSort();
    byId("selection-count").textContent = `${count(this.points.length, "point")} selected`;
    this.fillCounts();
    this.fillSheet(this.points);
    this.fillNames();
  }

  fillSort() {
    const options = [["", "map order"], ["name", "name"], ...this.data.columns.map(({ key, title }) => [key, title])];
    if (options.length === this.sort.options.length) return;
    this.sort.replaceChildren(...options.map(([value, title]) => element("option", { value }, title)));
  }

  // By the chosen column; missing values last, equal ones in the map's order.
  sorted(points) {
    const { data } = this;
    const key = this.sort.value;
    if (!key) return points;
    const column = data.column(key);
    const value = (i) => (column ? (column.has(i) ? (column.isNumeric ? column.values[i] : column.text(i)) : undefined) : data.nameOf(i));
    const order = (a, b) => (a === undefined) - (b === undefined) || (a < b ? -1 : a > b ? 1 : 0);
    return points.map((i) => [value(i), i]).sort(([a, i], [b, j]) => order(a, b) || i - j).map(([, i]) => i);
  }

  fillCounts() {
    const { data, map, state } = this;
    const amounts = amountsOf(data.classes, (i) => state.selected.has(i));
    const rows = [...amounts.entries()].filter(([, amount]) => amount).sort((a, b) => b[1] - a[1]);
    byId("selection-classes").replaceChildren(
      ...rows.slice(0, data.classNames.length ? CLASSES : 0).map(([code, amount]) => {
        const name = element("span", { class: "name" }, code ? data.classes.categories[code - 1] : "no label");
        const row = element("li", {}, name, element("span", { class: "bar" }), element("span", { class: "amount" }, grouped(amount)));
        row.style.setProperty("--class", `rgb(${map.classColours[code].join(" ")})`);
        row.style.setProperty("--share", amount / rows[0][1]);
        return row;
      }),
    );
  }

  async fillSheet(points) {
    const { images } = this.data;
    byId("sheet-frame").hidden = !images;
    const most = images ? SHEET_IMAGES : NAMES;
    byId("sheet-note").hidden = points.length <= most;
    byId("sheet-note").textContent = `the first ${most} are shown`;
    if (!images) return;
    const shown = points.slice(0, SHEET_IMAGES);
    const ratio = Math.max(1, Math.round(this.map.ratio));
    this.sheet.width = SHEET_COLUMNS * SHEET_CELL * ratio;
    this.sheet.height = Math.ceil(shown.length / SHEET_COLUMNS) * SHEET_CELL * ratio;
    this.sheet.setAttribute("aria-label", `Contact sheet of ${count(shown.length, "image")}`);
    const context = this.sheet.getContext("2d");
    const { width, height } = images.cell;
    const size = (SHEET_CELL - 2) * ratio;
    const [across, down] = [size * Math.min(1, width / height), size * Math.min(1, height / width)];
    for (const [k, i] of shown.entries()) {
      const [left, top] = [k % SHEET_COLUMNS, Math.floor(k / SHEET_COLUMNS)].map((at) => at * SHEET_CELL * ratio);
      await images.draw(context, i, left, top, across, down, () => this.points === points);
    }
    this.sheet.dataset.drawn = shown.length;
  }

  // Without images the names stand for the points.
  fillNames() {
    const { data, points, navigator } = this;
    const shown = data.images ? [] : points.slice(0, NAMES);
    byId("selected-names").replaceChildren(
      ...shown.map((i) => element("li", {}, button(data.nameOf(i), () => navigator.goTo(i)))),
    );
  }

  // The point whose image on the contact sheet was clicked.
  onSheet({ offsetX, offsetY }) {
    const cell = this.sheet.clientWidth / SHEET_COLUMNS;
    return this.points[Math.floor(offsetY / cell) * SHEET_COLUMNS + Math.floor(offsetX / cell)];
  }
}
