// The names of the largest categories, each where its points lie densest; they give way to images when near.
import { byId, element } from "../elements.js";
import { amountsOf, categoryColours, cssColour } from "./point_colours.js";

const MOST = 12; // names
const CELLS = 24; // across the map, in which points are counted
const FADING = [1.8, 3]; // zoom from which names fade, and at which they are gone
const LONGEST = 28; // characters
const AT_HOME = 0.3; // least share of a category among the points where it lies densest

export class CategoryNames {
  constructor(map) {
    Object.assign(this, { map, state: map.state, data: map.data, places: [] });
    this.layer = byId("category-names");
    this.state.onChange(["colourBy", "filters", "newShown", "labels", "namesShown", "matched", "selected"], () => this.find());
    map.theme.onChange(() => this.find());
    map.onDraw(() => this.place());
    this.find();
  }

  // Choose the names and where they stand on the map.
  find() {
    const { state, data, map } = this;
    const column = data.column(state.colourBy);
    const whole = !state.matched && !state.selected; // what is searched for or selected should not be covered
    const wanted = state.namesShown && whole && column?.isCategory && data.dimensions === 2;
    const amounts = wanted ? amountsOf(column, (i) => state.isShown(i)) : [];
    const codes = [...amounts.keys()].filter((code) => code && amounts[code]);
    const largest = codes.sort((a, b) => amounts[b] - amounts[a]).slice(0, MOST);
    const centres = largest.length ? densestPlaces(map, column, new Set(largest), state) : new Map();
    const colours = wanted && categoryColours(column, map.behind);
    this.places = largest.filter((code) => centres.has(code)).map((code) => {
      const name = column.categories[code - 1];
      const span = element("span", {}, name.length > LONGEST ? `${name.slice(0, LONGEST - 1)}…` : name);
      span.style.setProperty("--class", cssColour(colours[code]));
      return { span, at: centres.get(code) };
    });
    this.layer.hidden = false; // or nothing could be measured
    this.layer.replaceChildren(...this.places.map(({ span }) => span));
    for (const place of this.places) Object.assign(place, { width: place.span.offsetWidth, height: place.span.offsetHeight });
    this.place();
  }

  // Put the names on the screen; one that would overlap a larger category's is left out.
  place() {
    const { viewport } = this.map;
    const zoom = viewport.zoom();
    const opacity = Math.min(1, Math.max(0, (FADING[1] - zoom) / (FADING[1] - FADING[0])));
    this.layer.hidden = !opacity || !this.places.length;
    if (this.layer.hidden) return;
    this.layer.style.opacity = opacity;
    const taken = [];
    for (const { span, at, width, height } of this.places) {
      const [x, y] = viewport.toScreen(...at);
      const [left, top] = [x - width / 2, y - height / 2];
      const box = { left, top, right: left + width, bottom: top + height };
      const free = !taken.some((other) => overlap(box, other));
      span.hidden = !free;
      if (!free) continue;
      taken.push(box);
      span.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
    }
  }
}

const overlap = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

// For each of some codes the middle of its points in and around the cell of the map that holds most of them; codes that
// are mixed with others even there are left out.
function densestPlaces({ layout: { seen }, viewport: { bounds } }, column, codes, state) {
  const cell = Math.max(bounds.x1 - bounds.x0, bounds.y1 - bounds.y0) / CELLS || 1;
  const stride = CELLS + 3;
  const cellOf = (i) => Math.floor((seen[3 * i] - bounds.x0) / cell) + 1 + stride * (Math.floor((seen[3 * i + 1] - bounds.y0) / cell) + 1);
  const counts = new Map([...codes].map((code) => [code, new Uint32Array(stride * stride)]));
  const { values } = column;
  for (let i = 0; i < values.length; i++) if (codes.has(values[i]) && state.isShown(i)) counts.get(values[i])[cellOf(i)]++;
  const around = [-stride - 1, -stride, -stride + 1, -1, 0, 1, stride - 1, stride, stride + 1];
  const best = new Map([...counts].map(([code, amounts]) => {
    const total = (c) => around.reduce((sum, step) => sum + (amounts[c + step] ?? 0), amounts[c]);
    let most = 0;
    for (let c = 0; c < amounts.length; c++) if (amounts[c] && total(c) > total(most)) most = c;
    return [code, most];
  }));
  const sums = new Map([...codes].map((code) => [code, { x: 0, y: 0, amount: 0, all: 0 }]));
  for (let i = 0; i < values.length; i++) {
    if (!state.isShown(i)) continue;
    const cell = cellOf(i);
    for (const [code, sum] of sums) {
      if (!around.includes(cell - best.get(code))) continue;
      sum.all++;
      if (values[i] !== code) continue;
      sum.x += seen[3 * i];
      sum.y += seen[3 * i + 1];
      sum.amount++;
    }
  }
  const found = [...sums].filter(([, { amount, all }]) => amount >= AT_HOME * all);
  return new Map(found.map(([code, { x, y, amount }]) => [code, [x / amount, y / amount]]));
}
