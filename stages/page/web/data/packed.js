// Decoding of the script elements that hold the data: base 85, deflated or not.

const arrayTypes = {
  uint8: Uint8Array, uint16: Uint16Array, int32: Int32Array, float32: Float32Array, float64: Float64Array,
};
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;.=>?@^_`{|}~";
const digitOf = new Uint8Array(128);
for (let k = 0; k < 85; k++) digitOf[DIGITS.charCodeAt(k)] = k;

// Fulfilled once the browser has read the whole page.
export const parsed = new Promise((resolve) => {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", resolve);
  else resolve();
});

// Base 85: five digits for four bytes, the last group cut short.
export function decoded(text) {
  const bytes = new Uint8Array(4 * Math.ceil(text.length / 5));
  for (let from = 0, to = 0; from < text.length; from += 5) {
    let value = 0;
    for (let k = from; k < from + 5; k++) value = value * 85 + (k < text.length ? digitOf[text.charCodeAt(k)] : 84);
    bytes[to++] = value >>> 24;
    bytes[to++] = value >>> 16;
    bytes[to++] = value >>> 8;
    bytes[to++] = value;
  }
  return bytes.subarray(0, Math.floor((4 * text.length) / 5));
}

// The type and bytes of a script element, which is removed to free its text; null if there is none.
export function takeBytes(selector) {
  const element = document.querySelector(`script${selector}`);
  if (!element) return null;
  element.remove();
  return { type: element.dataset.type, bytes: decoded(element.textContent) };
}

export function takeArray(name) {
  const { type, bytes } = takeBytes(`[data-array="${name}"]`);
  return new arrayTypes[type](bytes.buffer, 0, bytes.length / arrayTypes[type].BYTES_PER_ELEMENT);
}

export async function inflated(bytes) {
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer();
}

// A deflated array, a promise; of null if there is none.
export async function takeDeflated(name, otherwise) {
  const taken = takeBytes(`[data-deflated="${name}"]`);
  return taken && new arrayTypes[taken.type ?? otherwise](await inflated(taken.bytes));
}

// A deflated list as JSON, a promise; empty if there is none.
export async function takeList(name) {
  const taken = takeBytes(`[data-deflated="${name}"]`);
  return taken ? JSON.parse(new TextDecoder().decode(await inflated(taken.bytes))) : [];
}
