// The data in the page: a JSON header, typed arrays, strings and sprite sheets, all in script elements that do not run.
import { Column } from "./columns.js";
import { Sprites } from "./sprites.js";
import { parsed, takeArray, takeDeflated, takeList } from "./packed.js";

// Points 0 … mapped−1 made the map; mapped … stored−1 were placed on it before the page was made; stored … total−1 were
// added by the reader.
export class PageData {
  constructor() {
    const header = JSON.parse(document.getElementById("header").textContent);
    Object.assign(this, header, { total: header.stored });
    this.warnings = new Map(Object.entries(header.warnings).map(([i, text]) => [Number(i), text])); // why off the map
    this.positions = takeArray("positions");
    this.classes = new Column(
      { key: "class", title: "class", type: "category", categories: header.classNames, colours: header.classColours },
      takeArray("classes"),
    );
    this.columns = [this.classes];
    this.names = [];
    this.groups = []; // { name, medoid, outline, toldBy, code } – code is that of the group in `groupColumn`
    this.groupColumn = null;
    this.review = []; // findings, the worst of each kind first; point −1 is not on the page
    this.neighbours = null;
    for (const name of ["images", "reconstructions"]) {
      this[name] = header.sheets[name] ? new Sprites(name, header.sheets[name], header.cell, header.stored) : null;
    }
    this.header = header;
    this.colourBy = "class"; // key of the column by which a fresh page is coloured
  }

  // Read what stands after the script: names, neighbours and columns.
  async load() {
    await parsed;
    const { header } = this;
    const measures = [
      { name: "errors", key: "error", title: "reconstruction error", type: "number", digits: 4, trouble: "high" },
      { name: "kept", key: "kept", title: "neighbourhood kept", type: "number", digits: 2, trouble: "low" },
    ];
    const [names, groups, review, neighbours, own, figures] = await Promise.all([
      takeList("names"),
      takeList("groups"),
      takeList("review"),
      takeDeflated("neighbours"),
      Promise.all(header.columns.map((column, k) => (column.dtype ? takeDeflated : takeList)(`column${k}`))),
      Promise.all(measures.map(({ name }) => takeDeflated(name))),
    ]);
    this.names = names;
    this.review = review.map(([kind, point, why, other, suggestion]) => ({ kind, point, why, other, suggestion }));
    this.neighbours = neighbours;
    this.neighbourCount = neighbours ? neighbours.length / this.total : 0;
    header.columns.forEach(({ name, ...column }, k) => {
      this.columns.push(new Column({ ...column, key: `column:${name}`, title: name, own: true, palette: header.palette }, own[k]));
    });
    this.groupColumn = this.column(`column:${header.groupColumn}`) ?? null;
    this.groups = groups.map(([name, medoid, outline, toldBy]) => {
      return { name, medoid, outline, toldBy, code: this.groupColumn.categories.indexOf(name) + 1 };
    });
    measures.forEach((measure, k) => figures[k] && this.columns.push(new Column(measure, figures[k])));
    if (!this.classNames.length) this.colourBy = (this.chartable.find(({ isCategory }) => isCategory) ?? this.classes).key;
  }

  // The columns by which points can be coloured and filtered.
  get chartable() {
    const useful = (column) => column.isNumeric || (column.isCategory && column.categories.length > 0);
    return this.columns.filter(useful);
  }

  column(key) {
    return this.columns.find((column) => column.key === key);
  }

  // The density of all training images as a picture, a promise; null if there is none.
  get shades() {
    return (this.decodedShades ??= this.density && new Sprites("density", 1, null, 0).sheet(0));
  }

  // The numbers that the header's `encoder` describes.
  async encoderNumbers() {
    return (await takeDeflated("encoder", "uint8")).buffer;
  }

  // Append a new image that the reader has placed; return its index.
  add({ name, bitmap, position, neighbours, warning }) {
    const i = this.total++;
    this.neighbours = appended(this.neighbours, neighbours);
    this.positions = appended(this.positions, position);
    for (const column of this.columns) column.append();
    this.names.push(name);
    if (warning) this.warnings.set(i, warning);
    this.images.add(bitmap);
    return i;
  }

  // map: made the map; new: placed before the page was made; added: placed by the reader.
  layerOf(i) {
    if (i < this.mapped) return "map";
    return i < this.stored ? "new" : "added";
  }

  // Whether point i's image has a frame around it.
  isFramed(i) {
    return i >= this.mapped && (this.newFramed || i >= this.stored || this.warnings.has(i));
  }

  nameOf(i) {
    return this.names[i] ?? `#${i}`;
  }

  // The address of point i's file, or "".
  fileOf(i) {
    const folder = i < this.stored && this.folders[i < this.mapped ? 0 : 1];
    return folder ? folder + this.nameOf(i).split("/").map(encodeURIComponent).join("/") : "";
  }

  classOf(i) {
    return this.classes.text(i) || "no label";
  }

  // The latent neighbours of point i, nearest first.
  neighboursOf(i) {
    const { neighbours, neighbourCount: k } = this;
    return neighbours ? [...neighbours.subarray(i * k, (i + 1) * k)] : [];
  }

  // The classes of point i's latent neighbours, most frequent first: `6 Sneaker, 2 Sandal`.
  neighbourClassesOf(i) {
    const counts = new Map();
    for (const j of this.neighboursOf(i)) counts.set(this.classOf(j), (counts.get(this.classOf(j)) ?? 0) + 1);
    return [...counts].sort((a, b) => b[1] - a[1]).map(([name, amount]) => `${amount} ${name}`).join(", ");
  }

  // What the review has found about point i.
  findingsOf(i) {
    return this.review.filter(({ point }) => point === i);
  }

  // Point i in words.
  describe(i) {
    if (this.layerOf(i) !== "added") return `${this.classOf(i)} ${this.nameOf(i)}`;
    return `${this.nameOf(i)}, nearest: ${this.neighbourClassesOf(i)}`;
  }
}

function appended(array, values) {
  const longer = new array.constructor(array.length + values.length);
  longer.set(array);
  longer.set(values, array.length);
  return longer;
}
