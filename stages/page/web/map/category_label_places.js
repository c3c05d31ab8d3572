// Where the largest categories of a column lie on a map without groups: in the middle of their points where they lie
// densest.
import { amountsOf } from "./point_colours.js";

const MOST = 12; // categories
const CELLS = 24; // across the map, in which points are counted
const AT_HOME = 0.3; // least share of a category among the points where it lies densest

// { code, at } of the largest categories, by their size; those that are mixed with others everywhere are left out.
export function categoryPlaces({ layout: { seen }, viewport: { bounds }, state }, column) {
  const { values } = column;
  const amounts = amountsOf(column, (i) => state.isShown(i));
  const codes = [...amounts.keys()].filter((code) => code && amounts[code]);
  const largest = codes.sort((a, b) => amounts[b] - amounts[a]).slice(0, MOST);
  const slots = new Int8Array(amounts.length).fill(-1);
  largest.forEach((code, slot) => (slots[code] = slot));
  const cell = Math.max(bounds.x1 - bounds.x0, bounds.y1 - bounds.y0) / CELLS || 1;
  const stride = CELLS + 3; // with an empty cell around the map
  const cellOf = (i) => Math.floor((seen[3 * i] - bounds.x0) / cell) + 1 + stride * (Math.floor((seen[3 * i + 1] - bounds.y0) / cell) + 1);
  const counts = largest.map(() => new Uint32Array(stride * stride));
  for (let i = 0; i < values.length; i++) {
    const slot = slots[values[i]];
    if (slot >= 0 && state.isShown(i)) counts[slot][cellOf(i)]++;
  }
  const block = [-stride - 1, -stride, -stride + 1, -1, 0, 1, stride - 1, stride, stride + 1];
  const near = new Uint16Array(stride * stride); // bit `slot`: the cell is in or beside the densest of that category
  counts.forEach((own, slot) => {
    const around = (c) => block.reduce((sum, step) => sum + (own[c + step] ?? 0), 0);
    let densest = 0;
    for (let c = 0; c < own.length; c++) if (own[c] && around(c) > around(densest)) densest = c;
    for (const step of block) near[densest + step] |= 1 << slot;
  });
  const sums = largest.map((code) => ({ code, x: 0, y: 0, amount: 0, all: 0 }));
  for (let i = 0; i < values.length; i++) {
    if (!state.isShown(i)) continue;
    const there = near[cellOf(i)];
    for (let slot = 0; there >> slot; slot++) {
      if (!((there >> slot) & 1)) continue;
      const sum = sums[slot];
      sum.all++;
      if (slots[values[i]] !== slot) continue;
      sum.x += seen[3 * i];
      sum.y += seen[3 * i + 1];
      sum.amount++;
    }
  }
  const found = sums.filter(({ amount, all }) => amount >= AT_HOME * all);
  return found.map(({ code, x, y, amount }) => ({ code, at: [x / amount, y / amount] }));
}
