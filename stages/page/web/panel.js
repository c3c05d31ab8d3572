// The panel: search, what is drawn and in which colours, the legend, and the run's metrics and parameters.
import { cssColour, measureScale, MEASURES } from "./colours.js";
import { count, element, grouped } from "./elements.js";

const MEANINGS = {
  test_mse: "squared error of reconstructed test images; lower is better",
  pca_test_mse: "the same for principal components of the same number",
  knn_accuracy: "test images whose latent neighbours tell their class",
  pca_knn_accuracy: "the same among principal components",
  pixel_knn_accuracy: "the same among raw pixels",
  points: "images that made the map",
  kl_divergence: "what t-SNE minimises",
  trustworthiness: "1 if all neighbours on the map are latent neighbours, too",
  knn_recall: "share of latent neighbours that are neighbours on the map",
  placed_knn_accuracy: "new images whose neighbours on the map tell their class",
  placed_points: "new images placed on the finished map",
  pca_trustworthiness: "trustworthiness of a map of principal components",
  pca_placed_knn_accuracy: "placed_knn_accuracy on that map",
  pixel_trustworthiness: "trustworthiness of a map of raw pixels",
  pixel_placed_knn_accuracy: "placed_knn_accuracy on that map",
};

export class Panel {
  constructor(scene, app) {
    this.scene = scene;
    this.app = app;
    this.find = (id) => document.getElementById(id);
    const { data } = scene;
    this.find("summary").textContent =
      `${count(data.mapped, data.images ? "image" : "point")} · ${count(data.classNames.length, "class", "classes")} · ${data.dimensions}-D`;
    this.choices("colour-by", [["class", "Class"], ...this.measures()], "colourBy");
    const pictures = data.images ? [["auto", "Auto"], ["dots", "Dots"], ["images", "Images"]] : [];
    this.choices("pictures", pictures, "pictures");
    this.checkbox("cut-out", "cutOut", Boolean(data.images));
    this.checkbox("density-shown", "densityShown", Boolean(data.density));
    this.find("density-name").textContent = `Density of all ${grouped(data.density?.count ?? 0)} training images`;
    this.checkbox("new-shown", "newShown", data.stored > data.mapped);
    this.find("new-name").textContent = `${data.newName} (${grouped(data.stored - data.mapped)})`;
    this.classRows = this.fillClasses();
    this.fillRun(data.metrics, this.find("metrics"));
    this.fillRun(data.params, this.find("params"));
    this.find("all-classes").addEventListener("click", () => app.change({ hidden: new Set() }));
    this.find("no-classes").addEventListener("click", () => app.change({ hidden: new Set(this.classRows.keys()) }));
    this.update();
  }

  measures() {
    const { data } = this.scene;
    return Object.entries(MEASURES).flatMap(([name, { array }]) => (data[array] ? [[name, { error: "Error", kept: "Kept" }[name]]] : []));
  }

  // A row of radio buttons for one key of the state.
  choices(id, options, key) {
    const group = this.find(id);
    group.hidden = options.length < 2;
    for (const [value, label] of options) {
      const input = element("input", { type: "radio", name: key, value });
      input.addEventListener("change", () => this.app.change({ [key]: value }));
      group.append(element("label", {}, input, element("span", {}, label)));
    }
  }

  checkbox(id, key, present) {
    const input = this.find(id);
    input.closest("label").hidden = !present;
    input.addEventListener("change", () => this.app.change({ [key]: input.checked }));
  }

  // A row for each class, and one (−1) for points without a label.
  fillClasses() {
    const { data } = this.scene;
    const counts = new Map();
    for (let i = 0; i < data.mapped; i++) counts.set(data.labels[i], (counts.get(data.labels[i]) ?? 0) + 1);
    const classes = data.classNames.map((name, c) => [c, name]);
    if (counts.has(-1)) classes.push([-1, "no label"]);
    const rows = new Map();
    for (const [c, name] of classes) {
      const input = element("input", { type: "checkbox" });
      input.addEventListener("change", () => this.app.toggleClass(c, input.checked));
      const only = element("button", { type: "button", "aria-label": `Show only ${name}`, title: "Show only this class" }, "only");
      only.addEventListener("click", () => this.app.isolate(c));
      const amount = element("span", { class: "amount" }, grouped(counts.get(c) ?? 0));
      const label = element("label", {}, input, element("span", { class: "swatch" }), element("span", { class: "name" }, name), amount);
      const row = element("li", {}, label, only);
      this.find("classes").append(row);
      rows.set(c, { row, input });
    }
    return rows;
  }

  // Show the present state in every control.
  update() {
    const { scene } = this;
    const { state, data } = scene;
    for (const key of ["colourBy", "pictures"]) {
      for (const input of document.querySelectorAll(`input[name="${key}"]`)) input.checked = input.value === state[key];
    }
    this.find("cut-out").checked = state.cutOut;
    this.find("density-shown").checked = state.densityShown;
    this.find("new-shown").checked = state.newShown;
    for (const [c, { row, input }] of this.classRows) {
      input.checked = !state.hidden.has(c);
      row.style.setProperty("--class", cssColour(scene.classColours[c] ?? [128, 128, 128]));
    }
    const scale = this.find("scale");
    scale.hidden = state.colourBy === "class";
    if (scale.hidden) return;
    const { low, high, colour } = measureScale(data, state.colourBy);
    const { label, digits } = MEASURES[state.colourBy];
    const stops = [0, 0.25, 0.5, 0.75, 1].map((share) => cssColour(colour(low + share * (high - low))));
    this.find("scale-bar").style.background = `linear-gradient(to right, ${stops})`;
    this.find("scale-low").textContent = low.toFixed(digits);
    this.find("scale-name").textContent = label;
    this.find("scale-high").textContent = high.toFixed(digits);
  }

  fillRun(values, into) {
    into.closest("details").hidden = !Object.keys(values).length;
    into.append(...tables("", values));
  }
}

const isGroup = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

// A table of a group's figures, then those of the groups within it.
function tables(name, values) {
  const entries = Object.entries(values);
  const table = element("table", {}, ...(name ? [element("caption", {}, name)] : []));
  for (const [key, value] of entries.filter(([, value]) => !isGroup(value))) {
    const row = element("tr", {}, element("th", { scope: "row" }, key), element("td", {}, written(value)));
    if (MEANINGS[key]) row.title = MEANINGS[key];
    table.append(row);
  }
  const within = entries.filter(([, value]) => isGroup(value));
  return [
    ...(table.querySelector("tr") ? [table] : []),
    ...within.flatMap(([key, value]) => tables(name ? `${name}: ${key}` : key, value)),
  ];
}

function written(value) {
  if (typeof value !== "number") return value === null ? "–" : typeof value === "string" ? value : JSON.stringify(value);
  return Number.isInteger(value) ? grouped(value) : String(Number(value.toPrecision(4)));
}
