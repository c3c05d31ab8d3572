// Which colour each point has. The palette is safe for colour-blind readers, by lightness as much as by hue. A colour
// that hardly differs from the page's ground is moved from it a little, and no further.

const UNKNOWN = [128, 128, 128];
const CONTRAST = 2; // least ratio to the ground
const SCALE = [[47, 111, 219], [158, 140, 178], [242, 142, 28]]; // blue, mauve, orange: one lightness, two hues

export const parseColour = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
export const cssColour = ([r, g, b], alpha = 1) => `rgb(${r} ${g} ${b} / ${alpha})`;

function luminance(rgb) {
  const [r, g, b] = rgb.map((v) => (v <= 10 ? v / 3295 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a, b) {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

// `colour`, mixed with as little black or white as makes it stand out from `ground`.
function legible(colour, ground) {
  const towards = luminance(ground) < 0.2 ? 255 : 0;
  for (let share = 0; share < 1; share += 0.04) {
    const mixed = colour.map((v) => Math.round(v + (towards - v) * share));
    if (contrast(mixed, ground) >= CONTRAST) return mixed;
  }
  return colour;
}

function onScale(share) {
  const place = Math.min(0.9999, Math.max(0, share)) * (SCALE.length - 1);
  const [low, high] = [SCALE[Math.floor(place)], SCALE[Math.floor(place) + 1]];
  return low.map((v, k) => Math.round(v + (high[k] - v) * (place % 1)));
}

// The colour of a value of a numeric column. `trouble` says which end of the scale is orange, high unless it is low.
export function scaleColour({ scaleLow: low, scaleHigh: high, trouble }, value) {
  const share = high > low ? (value - low) / (high - low) : 0.5;
  return onScale(trouble === "low" ? 1 - share : share);
}

// One colour for each code of a category column, grey for 0 (missing). Classes have the pictures' colours; of other
// columns the largest categories have one each, and all others are grey.
export function categoryColours(column, ground) {
  const grey = legible(UNKNOWN, ground);
  const { categories, colours, palette } = column;
  if (colours) return [grey, ...colours.map((colour) => legible(parseColour(colour), ground))];
  const amounts = amountsOf(column);
  const largest = categories.map((_, k) => k + 1).sort((a, b) => amounts[b] - amounts[a] || a - b).slice(0, palette.length);
  const found = new Array(categories.length + 1).fill(grey);
  const inOrder = largest.sort((a, b) => a - b);
  inOrder.forEach((code, k) => (found[code] = legible(parseColour(palette[k]), ground)));
  return found;
}

// How many points have each code of a category column.
export function amountsOf({ categories, values }, accept = () => true) {
  const amounts = new Uint32Array(categories.length + 1);
  for (let i = 0; i < values.length; i++) if (accept(i)) amounts[values[i]]++;
  return amounts;
}

// RGB of every point as Uint8Array (4n); the fourth byte, opacity, is left for the caller.
export function pointColours(column, total, ground) {
  const rgb = new Uint8Array(4 * total);
  const unknown = legible(UNKNOWN, ground);
  const colours = column.isCategory && categoryColours(column, ground);
  for (let i = 0; i < total; i++) {
    const value = column.values[i];
    const colour = colours ? colours[value] : Number.isFinite(value) ? scaleColour(column, value) : unknown;
    for (let k = 0; k < 3; k++) rgb[4 * i + k] = colour[k]; // `set` would take ten times as long
  }
  return rgb;
}
