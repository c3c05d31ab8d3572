// Which colour each point has. Hues come from a palette that is safe for colour-blind readers, by lightness as much as by
// hue; so a colour that hardly differs from the page's ground is moved from it a little, and no further.

const UNKNOWN = [128, 128, 128];
const CONTRAST = 2; // least ratio to the ground
const SCALE = [[47, 111, 219], [158, 140, 178], [242, 142, 28]]; // blue, mauve, orange: one lightness, two hues

export const parseColour = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
export const cssColour = ([r, g, b], alpha = 1) => `rgb(${r} ${g} ${b} / ${alpha})`;

function luminance(rgb) {
  const [r, g, b] = rgb.map((v) => (v <= 10 ? v / 3295 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(a, b) {
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

// One colour for each class, in the header's order.
export function classColours(data, ground) {
  return data.colours.map((colour) => legible(parseColour(colour), ground));
}

function onScale(share) {
  const place = Math.min(0.9999, Math.max(0, share)) * (SCALE.length - 1);
  const [low, high] = [SCALE[Math.floor(place)], SCALE[Math.floor(place) + 1]];
  return low.map((v, k) => Math.round(v + (high[k] - v) * (place % 1)));
}

// What points can be coloured by beside their class. `trouble` tells which end of the scale is orange.
export const MEASURES = {
  error: { array: "errors", label: "Reconstruction error", trouble: "high", digits: 4 },
  kept: { array: "kept", label: "Neighbourhood kept", trouble: "low", digits: 2 },
};

// The scale of a measure: its ends at the 2nd and 98th percentile, so that a few outliers do not flatten the rest.
export function measureScale(data, name) {
  const { array, trouble } = MEASURES[name];
  const sorted = Float32Array.from(data[array]).filter(Number.isFinite).sort();
  const low = sorted[Math.floor(0.02 * (sorted.length - 1))] ?? 0;
  const high = sorted[Math.ceil(0.98 * (sorted.length - 1))] ?? 1;
  const share = (value) => (high > low ? (value - low) / (high - low) : 0.5);
  return { low, high, colour: (value) => onScale(trouble === "high" ? share(value) : 1 - share(value)) };
}

// RGB of every point as Uint8Array (4n); the fourth byte is left for the renderers' use.
export function pointColours(data, colourBy, ground) {
  const rgb = new Uint8Array(4 * data.total);
  const unknown = legible(UNKNOWN, ground);
  const classes = classColours(data, ground);
  const scale = colourBy === "class" ? null : measureScale(data, colourBy);
  for (let i = 0; i < data.total; i++) {
    let colour = classes[data.labels[i]] ?? unknown;
    if (scale) {
      const value = data[MEASURES[colourBy].array][i];
      colour = Number.isFinite(value) ? scale.colour(value) : unknown;
    }
    for (let k = 0; k < 3; k++) rgb[4 * i + k] = colour[k]; // `set` would take ten times as long
  }
  return rgb;
}
