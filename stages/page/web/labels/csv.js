// CSV files for spreadsheets and for the pipeline.

// file_name, label and tags of every labelled or tagged point; `images.labels` takes such a file.
export function labelTable(data, labels) {
  const points = [...labels.edits.keys()].sort((i, j) => i - j);
  const rows = points.map((i) => [data.nameOf(i), data.classes.text(i), labels.tagsOf(i).join(";")]);
  return [["file_name", "label", "tags"], ...rows];
}

// All that is known of some points.
export function pointTable(data, labels, points) {
  const axes = ["x", "y", "z"].slice(0, data.dimensions);
  const columns = data.columns.filter(({ key }) => key !== "class" && key !== "tags");
  const header = ["file_name", "label", "tags", "layer", ...axes, ...columns.map(({ title }) => title)];
  const rows = points.map((i) => [
    data.nameOf(i),
    data.classes.text(i),
    labels.tagsOf(i).join(";"),
    data.layerOf(i),
    ...axes.map((_, axis) => data.positions[data.dimensions * i + axis]),
    ...columns.map((column) => (!column.has(i) ? "" : column.type === "number" ? column.values[i] : column.text(i))),
  ]);
  return [header, ...rows];
}

export function csv(table) {
  return table.map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";
}

// A spreadsheet takes a text that begins with = + - @ for a formula; an apostrophe prevents that. A text that already
// begins with apostrophes before such a sign gets one more, so that readers can take exactly one away.
function field(value) {
  if (typeof value === "number") return String(value);
  const safe = /^'*[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
