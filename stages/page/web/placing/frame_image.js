// Brings a new image into the square of the training images, as `fitmap place` does (stages/images/garment_framing.py).
import { median } from "./encoder.js";

const TOLERANCE = 13; // levels from the ground within which a pixel still belongs to it
const WORKING_SIZE = 8; // a photograph is first brought to so many times the size
const MAX_PIXELS = 80e6;

// The image of a file as {values: Uint8Array, width, height}, and a warning if it is strange.
export async function readFramed(file, { size, ground, extent }) {
  const bitmap = await createImageBitmap(file, { colorSpaceConversion: "none" });
  if (bitmap.width * bitmap.height > MAX_PIXELS) throw new Error("too many pixels");
  const rgba = pixelsOf(bitmap);
  if (bitmap.width === size && bitmap.height === size) return { ...toGrey(rgba, 0), warning: "" };
  const grey = toGrey(rgba, contrastingGround(rgba));
  const warning = isPlain(grey) ? "" : "its border is not of one tone, so nothing can be cut out of it";
  const framed = cut(grey, size, extent);
  if (!framed.values.some((value) => value)) return { ...framed, warning: "nothing stands out of its ground" };
  return { ...(ground ? negative(framed) : framed), warning };
}

function pixelsOf(bitmap) {
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, width, height);
}

// What is transparent shows a ground of that intensity.
function toGrey({ data, width, height }, ground) {
  const values = new Uint8Array(width * height);
  for (let i = 0; i < values.length; i++) {
    const opacity = data[4 * i + 3] / 255;
    const over = (value) => Math.round(value * opacity + ground * (1 - opacity));
    const [r, g, b] = [over(data[4 * i]), over(data[4 * i + 1]), over(data[4 * i + 2])];
    values[i] = (19595 * r + 38470 * g + 7471 * b + 0x8000) >> 16; // luma of ITU-R 601-2
  }
  return { values, width, height };
}

// White behind a transparent image whose visible part is dark, else black.
function contrastingGround({ data }) {
  let [light, opaque] = [0, 0];
  for (let i = 0; i < data.length; i += 4) {
    light += (0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2]) * data[i + 3];
    opaque += data[i + 3];
  }
  return opaque < 255 * (data.length / 4) && light < 127 * opaque ? 255 : 0;
}

function border({ values, width, height }) {
  const found = [...values.subarray(0, width), ...values.subarray((height - 1) * width)];
  for (let y = 1; y < height - 1; y++) found.push(values[y * width], values[(y + 1) * width - 1]);
  return found;
}

const groundOf = (image) => median(border(image));
const negative = (image) => ({ ...image, values: image.values.map((value) => 255 - value) });

// Whether at least half of the border belongs to the ground.
function isPlain(image) {
  const [edge, middle] = [border(image), groundOf(image)];
  return edge.filter((value) => Math.abs(value - middle) <= TOLERANCE).length >= edge.length / 2;
}

// What the image shows, light on black, `extent` pixels on its longer side, in the middle of size × size.
function cut(image, size, extent) {
  const { values, width, height } = scaledInto(image, WORKING_SIZE * size, false);
  let [levels, ground] = [Float64Array.from(values), groundOf({ values, width, height })];
  if (levels.reduce((a, b) => a + b, 0) / levels.length < ground) {
    levels = levels.map((level) => 255 - level);
    ground = 255 - ground;
  }
  levels = levels.map((level) => Math.max(0, ((level - ground) * 255) / Math.max(255 - ground, 1)));
  let [x0, y0, x1, y1] = [width, height, -1, -1];
  levels.forEach((level, i) => {
    if (level <= TOLERANCE) return;
    const [x, y] = [i % width, Math.floor(i / width)];
    [x0, y0, x1, y1] = [Math.min(x0, x), Math.min(y0, y), Math.max(x1, x), Math.max(y1, y)];
  });
  if (x1 < 0) return { values: new Uint8Array(size * size), width: size, height: size };
  const shown = { width: x1 - x0 + 1, height: y1 - y0 + 1 };
  shown.values = Uint8Array.from({ length: shown.width * shown.height }, (_, i) =>
    Math.min(255, Math.round(levels[(y0 + Math.floor(i / shown.width)) * width + x0 + (i % shown.width)])),
  );
  return centred(scaledInto(shown, extent, true), size);
}

// As Python rounds: a half goes to the even neighbour.
const rounded = (x) => (x % 1 === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

// The image in the middle of a black square.
function centred({ values, width, height }, size) {
  const square = new Uint8Array(size * size);
  const [left, top] = [Math.floor((size - width) / 2), Math.floor((size - height) / 2)];
  for (let y = 0; y < height; y++) square.set(values.subarray(y * width, (y + 1) * width), (top + y) * size + left);
  return { values: square, width: size, height: size };
}

// Brought to `longest` pixels on the longer side; smaller images are left alone unless `enlarge`.
function scaledInto(image, longest, enlarge) {
  const longer = Math.max(image.width, image.height);
  if (longer <= longest && !enlarge) return image;
  const [width, height] = [image.width, image.height].map((side) => Math.max(1, rounded((side * longest) / longer)));
  return turned(lanczos(turned(lanczos(image, width)), height));
}

function turned({ values, width, height }) {
  const columns = values.map((_, i) => values[(i % height) * width + Math.floor(i / height)]);
  return { values: columns, width: height, height: width };
}

// Each row resampled to `across` pixels with a Lanczos window of three lobes, as Pillow does it.
function lanczos({ values, width, height }, across) {
  if (across === width) return { values, width, height };
  const into = new Uint8ClampedArray(across * height);
  const scale = width / across;
  const [stretch, sinc] = [Math.max(1, scale), (x) => (x ? Math.sin(Math.PI * x) / (Math.PI * x) : 1)];
  for (let x = 0; x < across; x++) {
    const centre = (x + 0.5) * scale;
    const from = Math.max(0, Math.trunc(centre - 3 * stretch + 0.5));
    const to = Math.min(width, Math.trunc(centre + 3 * stretch + 0.5));
    const weights = Array.from({ length: to - from }, (_, k) => {
      const distance = (from + k - centre + 0.5) / stretch;
      return Math.abs(distance) < 3 ? sinc(distance) * sinc(distance / 3) : 0;
    });
    const total = weights.reduce((a, b) => a + b, 0);
    for (let y = 0; y < height; y++) {
      let sum = 0;
      for (let k = from; k < to; k++) sum += weights[k - from] * values[y * width + k];
      into[y * across + x] = sum / total; // rounded and clamped by the array
    }
  }
  return { values: new Uint8Array(into.buffer), width: across, height };
}
