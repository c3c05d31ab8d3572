// Runs from script elements, of this page or of another file: base 85, deflated, a JSON header before the arrays.
import { decoded, inflated } from "../../../page/web/data/packed.js";
import { Run } from "./run.js";

const ARRAYS = { float32: Float32Array, float64: Float64Array, int32: Int32Array, float16: Uint16Array };

export async function readRuns(root) {
  return Promise.all([...root.querySelectorAll("script[data-run]")].map((element) => readRun(element.textContent)));
}

// The runs of a file, a promise; none if it is no curve page.
export async function runsOfFile(file) {
  const runs = await readRuns(new DOMParser().parseFromString(await file.text(), "text/html"));
  const name = file.name.replace(/\.html?$/, "").replace(/^curve( ?\(\d+\))?$/, "");
  if (runs.length === 1 && name) runs[0].name = name;
  return runs;
}

async function readRun(text) {
  const buffer = await inflated(decoded(text));
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const arrays = {};
  let at = 4 + length;
  for (const [name, type, shape] of header.arrays) {
    const count = shape.reduce((a, b) => a * b, 1);
    const array = new ARRAYS[type](count);
    const bytes = new Uint8Array(array.buffer);
    const width = array.BYTES_PER_ELEMENT;
    const planes = new Uint8Array(buffer, at, count * width);
    for (let byte = 0; byte < width; byte++) for (let i = 0; i < count; i++) bytes[i * width + byte] = planes[byte * count + i];
    arrays[name] = type === "float16" ? fromHalf(array) : array;
    at += count * width;
  }
  return new Run(header, arrays);
}

function fromHalf(halves) {
  return Float32Array.from(halves, (half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24);
  });
}
