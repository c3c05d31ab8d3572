// The selected points: how many of each class, all their images on one sheet, and a CSV file of them.
import { cssColour } from "./colours.js";
import { count, element, grouped } from "./elements.js";
import { showPanel } from "./tools.js";

const SHEET_IMAGES = 600; // the contact sheet shows so many at most
const SHEET_COLUMNS = 7;
const SHEET_CELL = 38; // CSS pixels of one image on it

export class Selection {
  constructor(scene, app) {
    Object.assign(this, { scene, app });
    this.find = (id) => document.getElementById(id);
    this.sheet = this.find("contact-sheet");
    this.find("clear-selection").addEventListener("click", () => app.change({ selected: null }));
    this.find("download").addEventListener("click", () => this.download());
    this.sheet.addEventListener("click", (event) => {
      const i = this.onSheet(event);
      if (i !== undefined) app.goTo(i);
    });
    this.update();
  }

  // Select the shown points within a closed path of map positions.
  take(path) {
    const { scene } = this;
    if (path.length < 3) return;
    const [xs, ys] = [path.map(([x]) => x), path.map(([, y]) => y)];
    const box = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
    const inside = (i) => scene.isShown(i) && within(path, scene.seen[3 * i], scene.seen[3 * i + 1]);
    this.choose(scene.grid.inside(...box, inside));
  }

  // Select every point that is on the screen.
  takeShown() {
    const { scene } = this;
    const { view } = scene;
    const [x0, y1] = view.toMap(0, 0);
    const [x1, y0] = view.toMap(view.width, view.height);
    this.choose(scene.grid.inside(x0, y0, x1, y1, (i) => scene.isShown(i)));
  }

  choose(points) {
    this.app.change({ selected: points.length ? new Set(points.sort((i, j) => i - j)) : null });
    if (points.length) showPanel(this.app, true);
  }

  update() {
    const { selected } = this.scene.state;
    this.find("selection").hidden = !selected;
    if (!selected) {
      this.points = null;
      return;
    }
    const points = [...selected];
    this.find("selection-count").textContent = `${count(points.length, "point")} selected`;
    this.fillCounts(points);
    if (this.points?.length !== points.length || points.some((i, k) => i !== this.points[k])) {
      this.points = points;
      this.fillSheet(points);
    }
  }

  fillCounts(points) {
    const { scene } = this;
    const counts = new Map();
    for (const i of points) counts.set(scene.data.labels[i], (counts.get(scene.data.labels[i]) ?? 0) + 1);
    const rows = [...counts].sort((a, b) => b[1] - a[1]);
    this.find("selection-classes").replaceChildren(
      ...rows.map(([c, amount]) => {
        const row = element("li", {}, element("span", { class: "name" }, scene.data.classNames[c] ?? "no label"));
        row.append(element("span", { class: "bar" }), element("span", { class: "amount" }, grouped(amount)));
        row.style.setProperty("--class", cssColour(scene.classColours[c] ?? [128, 128, 128]));
        row.style.setProperty("--share", amount / rows[0][1]);
        return row;
      }),
    );
  }

  async fillSheet(points) {
    const { images } = this.scene.data;
    this.find("sheet-frame").hidden = !images;
    this.find("sheet-note").hidden = !images || points.length <= SHEET_IMAGES;
    this.find("sheet-note").textContent = `the first ${SHEET_IMAGES} are shown`;
    if (!images) return;
    const shown = points.slice(0, SHEET_IMAGES);
    const ratio = Math.max(1, Math.round(this.scene.ratio));
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

  // The point whose image on the contact sheet was clicked.
  onSheet({ offsetX, offsetY }) {
    const cell = this.sheet.clientWidth / SHEET_COLUMNS;
    return this.points[Math.floor(offsetY / cell) * SHEET_COLUMNS + Math.floor(offsetX / cell)];
  }

  download() {
    const link = element("a", { download: "selection.csv" });
    link.href = URL.createObjectURL(new Blob([this.csv()], { type: "text/csv" }));
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  // index counts within its layer; figures that the run has not are left out.
  csv() {
    const { scene } = this;
    const { data } = scene;
    const measures = ["errors", "kept"].filter((name) => data[name]);
    const axes = ["x", "y", "z"].slice(0, data.dimensions);
    const lines = [["layer", "index", "class", ...axes, ...measures.map((name) => (name === "errors" ? "error" : name))]];
    for (const i of this.points) {
      const place = axes.map((_, axis) => data.positions[data.dimensions * i + axis]);
      const figures = measures.map((name) => (Number.isFinite(data[name][i]) ? data[name][i] : ""));
      lines.push([scene.layerOf(i), scene.indexOf(i), quoted(scene.classOf(i)), ...place, ...figures]);
    }
    return lines.map((line) => line.join(",")).join("\r\n") + "\r\n";
  }
}

// A CSV field. A spreadsheet takes a field that begins with = + - @ for a formula; an apostrophe prevents that.
function quoted(text) {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

// Whether (x, y) lies in the polygon (even-odd rule).
function within(polygon, x, y) {
  let inside = false;
  for (let k = 0, j = polygon.length - 1; k < polygon.length; j = k++) {
    const [[xk, yk], [xj, yj]] = [polygon[k], polygon[j]];
    if (yk > y !== yj > y && x < ((xj - xk) * (y - yk)) / (yj - yk) + xk) inside = !inside;
  }
  return inside;
}
