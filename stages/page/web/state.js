// The state of the page: what the reader has chosen. Controls change it, views draw it.

export class State {
  constructor(data) {
    this.data = data;
    this.colourBy = data.colourBy; // key of a column
    this.pictures = data.images ? "auto" : "dots"; // auto | dots | images
    this.cutOut = data.cutOut; // draw grey images without their black ground
    this.densityShown = Boolean(data.density?.shown);
    this.newShown = data.newShown;
    this.namesShown = true; // of categories, on the map
    this.filters = new Map(); // column key → { without: Set of codes } or { from, to }
    this.search = "";
    this.matched = null; // Uint8Array, 1 for each point that the search finds; null without a search
    this.selected = null; // Set of points, or null
    this.hovered = -1;
    this.pinned = -1; // the point whose card stays open
    this.steps = []; // points through which "next" and "previous" on the card lead
    this.failures = new Map(); // column key → Uint8Array, 1 for each point that its filter hides
    this.failed = new Uint8Array(data.total); // number of filters that hide each point
    this.listeners = [];
  }

  // Call `listener` after a change of any of `keys`.
  onChange(keys, listener) {
    this.listeners.push({ keys, listener });
  }

  change(patch) {
    Object.assign(this, patch);
    this.tell(Object.keys(patch));
  }

  tell(changed) {
    for (const { keys, listener } of this.listeners) if (keys.some((key) => changed.includes(key))) listener();
  }

  // Hide the points that fail a filter of one column; null shows all.
  setFilter(key, filter) {
    this.keepFilter(key, filter);
    this.tell(["filters"]);
  }

  setFilters(filters) {
    for (const key of [...this.filters.keys()]) this.keepFilter(key, null);
    for (const [key, filter] of filters) this.keepFilter(key, filter);
    this.tell(["filters"]);
  }

  keepFilter(key, filter) {
    const { data } = this;
    const before = this.failures.get(key);
    const after = filter && failuresOf(data.column(key), filter, data.total);
    if (before) for (let i = 0; i < data.total; i++) this.failed[i] -= before[i];
    if (after) for (let i = 0; i < data.total; i++) this.failed[i] += after[i];
    if (filter) {
      this.filters.set(key, filter);
      this.failures.set(key, after);
    } else {
      this.filters.delete(key);
      this.failures.delete(key);
    }
  }

  // After a column's values or the number of points have changed.
  refilter() {
    const filters = [...this.filters];
    this.failed = new Uint8Array(this.data.total);
    this.filters.clear();
    this.failures.clear();
    for (const [key, filter] of filters) this.keepFilter(key, filter);
  }

  isInLayer(i) {
    return this.newShown || i < this.data.mapped || i >= this.data.stored;
  }

  isShown(i) {
    return this.failed[i] === 0 && this.isInLayer(i);
  }

  // Which points pass all filters but the one of column `key`, as a function: what the column's own chart counts.
  shownWithout(key) {
    const { failed } = this;
    const own = this.failures.get(key);
    return (i) => failed[i] === (own ? own[i] : 0) && this.isInLayer(i);
  }

  // Whether point i is neither left out by the search nor by the selection.
  isMeant(i) {
    return (!this.matched || this.matched[i] === 1) && (!this.selected || this.selected.has(i));
  }

  // Points that pass the filters and the search.
  found() {
    const found = [];
    for (let i = 0; i < this.data.total; i++) {
      if (this.isShown(i) && (!this.matched || this.matched[i])) found.push(i);
    }
    return found;
  }
}

// 1 for each point whose value a filter leaves out.
function failuresOf({ values, categories }, { without, from, to }, total) {
  const failures = new Uint8Array(total);
  if (without) {
    const hidden = Uint8Array.from({ length: categories.length + 1 }, (_, code) => without.has(code));
    for (let i = 0; i < total; i++) failures[i] = hidden[values[i]];
  } else {
    for (let i = 0; i < total; i++) failures[i] = values[i] >= from && values[i] <= to ? 0 : 1; // a missing value fails
  }
  return failures;
}
