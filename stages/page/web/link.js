// The view as the fragment of the page's address, and back.

// Writes what differs from a fresh page, so that the address of an untouched one stays short.
export function writeLink({ scene }) {
  const { view, state, data } = scene;
  const link = new URLSearchParams();
  const round = (value) => String(Number(value.toPrecision(6)));
  link.set("at", [view.x, view.y, view.zoom()].map(round).join(","));
  if (data.dimensions === 3) link.set("turn", view.turn.map((v) => v.toFixed(4)).join(","));
  if (state.colourBy !== "class") link.set("colour", state.colourBy);
  if (data.images && state.pictures !== "auto") link.set("draw", state.pictures);
  if (state.cutOut !== data.cutOut) link.set("cut", Number(state.cutOut));
  if (state.densityShown !== Boolean(data.density?.shown)) link.set("density", Number(state.densityShown));
  if (state.hidden.size) link.set("hide", [...state.hidden].join(","));
  if (state.newShown !== data.newShown) link.set("new", Number(state.newShown));
  if (state.pinned >= 0 && state.pinned < data.stored) link.set("point", state.pinned);
  history.replaceState(null, "", `#${link}`);
}

// Takes over what the address says, and leaves alone what it does not say or says wrongly.
export function readLink(app) {
  const { scene } = app;
  const { view, data } = scene;
  const link = new URLSearchParams(location.hash.slice(1));
  const numbers = (name, length) => {
    const values = (link.get(name) ?? "").split(",").map(parseFloat);
    return values.every(Number.isFinite) && (!length || values.length === length) ? values : null;
  };
  const among = (name, allowed, otherwise) => (allowed.includes(link.get(name)) ? link.get(name) : otherwise);
  const flag = (name, otherwise) => (link.has(name) ? link.get(name) === "1" : otherwise);
  if (![...link.keys()].length) return;
  const turn = data.dimensions === 3 && numbers("turn", 9);
  if (turn) {
    view.turn = turn;
    scene.turned();
  }
  const at = numbers("at", 3);
  if (at?.[2] > 0) view.set({ x: at[0], y: at[1], scale: at[2] * view.fitScale() });
  const measures = [data.errors && "error", data.kept && "kept"].filter(Boolean);
  app.change({
    colourBy: among("colour", measures, "class"),
    pictures: data.images ? among("draw", ["dots", "images"], "auto") : "dots",
    cutOut: flag("cut", data.cutOut),
    densityShown: flag("density", data.density?.shown) && Boolean(data.density),
    hidden: new Set(numbers("hide") ?? []),
    newShown: flag("new", data.newShown),
  });
  const point = numbers("point", 1)?.[0];
  if (Number.isInteger(point) && point >= 0 && point < data.stored) app.pin(point);
}
