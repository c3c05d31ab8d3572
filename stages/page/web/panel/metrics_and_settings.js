// The metrics and settings of the run.
import { grouped } from "../data/columns.js";
import { byId, element } from "../dom_elements.js";

const MEANINGS = {
  test_mse: "squared error of reconstructed test images; lower is better",
  pca_test_mse: "the same for principal components of the same number",
  knn_accuracy: "test images whose latent neighbours tell their class",
  pca_knn_accuracy: "the same among principal components",
  pixel_knn_accuracy: "the same among raw pixels",
  points: "points that made the map",
  kl_divergence: "what t-SNE minimises",
  trustworthiness: "1 if all neighbours on the map are latent neighbours too",
  knn_recall: "share of latent neighbours that are neighbours on the map",
  placed_knn_accuracy: "test rows whose neighbours on the map tell their class",
  placed_points: "test rows placed on the finished map",
  groups: "groups of points on the map",
  group_purity: "share of a group's points in its largest class",
};

export function fillRunTables({ metrics, params }) {
  for (const [id, values] of Object.entries({ metrics, params })) {
    byId(id).closest("details").hidden = !Object.keys(values).length;
    byId(id).append(...tables("", values));
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
