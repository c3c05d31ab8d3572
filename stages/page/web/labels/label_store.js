// Classes and tags that the reader gives to points, with undo; kept in the browser's storage for this set of names.
import { Column } from "../data/columns.js";

const LONGEST = 100; // characters of a class or tag

export class LabelStore {
  constructor(state) {
    Object.assign(this, { state, data: state.data });
    this.edits = new Map(); // point → { label, tags }; label is undefined if it is as it was
    this.known = new Map(); // point → class before the reader changed it
    this.past = []; // what each change replaced: lists of [point, edit before]
    this.storageKey = `fitmap:${this.data.storageKey}`;
  }

  // Take over what an earlier visit has left.
  restore() {
    let saved = {};
    try {
      saved = JSON.parse(localStorage.getItem(this.storageKey)) ?? {};
    } catch {
      return; // no storage, or something else's content
    }
    const rows = new Map(this.data.names.map((name, i) => [name, i]));
    for (const [name, edit] of Object.entries(saved)) {
      if (rows.has(name)) this.put(rows.get(name), { label: edit.label, tags: edit.tags ?? [] });
    }
    if (this.edits.size) this.told();
  }

  tagsOf(i) {
    return this.edits.get(i)?.tags ?? [];
  }

  allTags() {
    return [...new Set([...this.edits.values()].flatMap(({ tags }) => tags))].sort();
  }

  setLabel(points, label) {
    const clean = cleaned(label);
    this.change(points, (edit) => ({ ...edit, label: clean }));
  }

  addTag(points, tag) {
    const clean = cleaned(tag);
    if (clean) this.change(points, (edit) => ({ ...edit, tags: [...new Set([...edit.tags, clean])] }));
  }

  removeTag(points, tag) {
    this.change(points, (edit) => ({ ...edit, tags: edit.tags.filter((other) => other !== tag) }));
  }

  change(points, edited) {
    const before = points.map((i) => [i, this.edits.get(i)]);
    for (const [i, edit] of before) this.put(i, edited(edit ?? { tags: [] }));
    this.past.push(before);
    this.told();
  }

  undo() {
    const before = this.past.pop();
    if (!before) return;
    for (const [i, edit] of before) this.put(i, edit);
    this.told();
  }

  // Set the edit of one point; undefined takes it away.
  put(i, edit) {
    const { classes } = this.data;
    if (!this.known.has(i)) this.known.set(i, classes.text(i));
    const label = edit?.label === undefined || edit.label === this.known.get(i) ? undefined : edit.label;
    if (label === undefined && !edit?.tags.length) this.edits.delete(i);
    else this.edits.set(i, { label, tags: edit.tags });
    const wanted = label ?? this.known.get(i);
    if (classes.text(i) !== wanted) classes.setCategory(i, wanted);
  }

  told() {
    const { data, state } = this;
    const hadTags = data.columns.some(({ key }) => key === "tags");
    data.columns = data.columns.filter(({ key }) => key !== "tags");
    if (this.allTags().length) data.columns.push(this.tagsColumn());
    if (!data.column(state.colourBy)) state.change({ colourBy: data.colourBy });
    state.refilter();
    this.save();
    state.tell(["labels", "filters", ...(hadTags || this.allTags().length ? ["columns"] : [])]);
  }

  // Each combination of tags is a category.
  tagsColumn() {
    const { data } = this;
    const codes = new Int32Array(data.total);
    const categories = [];
    for (const [i, { tags }] of this.edits) {
      if (!tags.length) continue;
      const text = tags.join("; ");
      if (!categories.includes(text)) categories.push(text);
      codes[i] = categories.indexOf(text) + 1;
    }
    return new Column({ key: "tags", title: "tags", type: "category", categories, palette: data.palette }, codes);
  }

  save() {
    const { data } = this;
    const stored = [...this.edits].filter(([i]) => i < data.stored).map(([i, edit]) => [data.nameOf(i), edit]);
    try {
      if (stored.length) localStorage.setItem(this.storageKey, JSON.stringify(Object.fromEntries(stored)));
      else localStorage.removeItem(this.storageKey);
    } catch {} // without storage the tags last as long as the page
  }
}

// One line without the sign that separates tags in the CSV file.
function cleaned(text) {
  return text.replaceAll(";", ",").replace(/\s+/g, " ").trim().slice(0, LONGEST);
}
