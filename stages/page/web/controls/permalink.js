// The view as the fragment of the page's address, and back.

const DELAY = 200; // milliseconds without a change until the address is written

export class Permalink {
  constructor(state, map, motion, navigator) {
    Object.assign(this, { state, map, motion, navigator, data: state.data });
  }

  // Keep the address up to date from now on.
  follow() {
    const later = () => {
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.write(), DELAY);
    };
    this.motion.onMove(later);
    const keys = ["colourBy", "pictures", "cutOut", "densityShown", "newShown", "namesShown", "filters", "search", "pinned"];
    this.state.onChange(keys, later);
  }

  // Write what differs from a fresh page, so that the address of an untouched one stays short.
  write() {
    const { state, data } = this;
    const { viewport } = this.map;
    const link = new URLSearchParams();
    const round = (value) => String(Number(value.toPrecision(6)));
    link.set("at", [viewport.x, viewport.y, viewport.zoom()].map(round).join(","));
    if (data.dimensions === 3) link.set("turn", viewport.turn.map((v) => v.toFixed(4)).join(","));
    if (state.colourBy !== data.colourBy) link.set("colour", state.colourBy);
    if (data.images && state.pictures !== "auto") link.set("draw", state.pictures);
    if (state.cutOut !== data.cutOut) link.set("cut", Number(state.cutOut));
    if (state.densityShown !== Boolean(data.density?.shown)) link.set("density", Number(state.densityShown));
    if (state.newShown !== data.newShown) link.set("new", Number(state.newShown));
    if (!state.namesShown) link.set("names", 0);
    if (state.search) link.set("find", state.search);
    for (const [key, filter] of state.filters) {
      const value = filter.without ? `not,${[...filter.without].join(",")}` : `within,${filter.from},${filter.to}`;
      link.set(`filter:${key}`, value);
    }
    if (state.pinned >= 0 && state.pinned < data.stored) link.set("point", state.pinned);
    history.replaceState(null, "", `#${link}`);
  }

  // Take over what the address says; what is missing or wrong in it is ignored.
  read() {
    const { state, data } = this;
    const { viewport } = this.map;
    const link = new URLSearchParams(location.hash.slice(1));
    if (![...link.keys()].length) return;
    const numbers = (name, length) => {
      const values = (link.get(name) ?? "").split(",").map(parseFloat);
      return values.length === length && values.every(Number.isFinite) ? values : null;
    };
    const among = (name, allowed, otherwise) => (allowed.includes(link.get(name)) ? link.get(name) : otherwise);
    const flag = (name, otherwise) => (link.has(name) ? link.get(name) === "1" : otherwise);
    const turn = data.dimensions === 3 && numbers("turn", 9);
    if (turn) {
      viewport.turn = turn;
      this.map.turned();
    }
    const at = numbers("at", 3);
    if (at && at[2] > 0) viewport.set({ x: at[0], y: at[1], scale: at[2] * viewport.fitScale() });
    state.change({
      colourBy: among("colour", data.chartable.map(({ key }) => key), data.colourBy),
      pictures: data.images ? among("draw", ["auto", "dots", "images"], "auto") : "dots",
      cutOut: flag("cut", data.cutOut),
      densityShown: Boolean(data.density) && flag("density", state.densityShown),
      newShown: flag("new", data.newShown),
      namesShown: flag("names", true),
      search: link.get("find") ?? "",
    });
    state.setFilters(data.columns.flatMap((column) => readFilter(column, link.get(`filter:${column.key}`))));
    const point = numbers("point", 1)?.[0];
    if (Number.isInteger(point) && point >= 0 && point < data.stored) this.navigator.pin(point);
  }
}

// A column's filter as [[key, filter]]; empty if the text is none.
function readFilter(column, text) {
  const [word, ...rest] = (text ?? "").split(",");
  const values = rest.map(parseFloat);
  if (!rest.length || !values.every(Number.isFinite)) return [];
  if (word === "not" && column.isCategory) return [[column.key, { without: new Set(values) }]];
  if (word === "within" && column.isNumeric && values.length === 2) {
    return [[column.key, { from: values[0], to: values[1] }]];
  }
  return [];
}
