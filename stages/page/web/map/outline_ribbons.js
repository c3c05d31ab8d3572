// The outlines of the groups as lines of constant width, which WebGL has not: ribbons of triangles along each polygon.
import { OUTLINE_FRAGMENT, OUTLINE_VERTEX } from "./shaders.js";
import { attribute, program } from "./webgl.js";

const HALF_WIDTH = 0.9; // CSS pixels
const [OPACITY, PALE] = [0.75, 0.2];
const SHARPEST = 2; // how far, in widths, the corner of a sharp angle may reach
const FLOATS = 5; // of one vertex: place, normal, side

export class OutlineRibbons {
  constructor(gl, groups) {
    this.gl = gl;
    this.shader = program(gl, OUTLINE_VERTEX, OUTLINE_FRAGMENT, ["place", "normal", "side"]);
    const vertices = [];
    this.strips = groups.map(({ outline }) => outline.map((polygon) => {
      const from = vertices.length / FLOATS;
      vertices.push(...ribbon(polygon));
      return { from, count: vertices.length / FLOATS - from };
    }));
    this.array = gl.createVertexArray();
    gl.bindVertexArray(this.array);
    const buffer = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array(vertices), gl.STATIC_DRAW);
    let at = 0;
    for (const [name, size] of [["place", 2], ["normal", 2], ["side", 1]]) {
      attribute(gl, this.shader[name], buffer, size, gl.FLOAT, 4 * FLOATS, 4 * at, false);
      at += size;
    }
  }

  // Draw the outlines of the labelled groups, each in its label's colour; pale if all points but a few are.
  draw({ groupLabels, paled, ratio }, viewport) {
    const { gl, shader } = this;
    const opacity = (paled ? PALE : OPACITY) * viewport.farness();
    if (!opacity) return;
    gl.useProgram(shader.program);
    gl.uniform2f(shader.centre, viewport.x, viewport.y);
    gl.uniform2f(shader.viewport, viewport.width, viewport.height);
    gl.uniform3f(shader.look, viewport.scale, ratio, HALF_WIDTH);
    gl.bindVertexArray(this.array);
    for (const { group, colour } of groupLabels) {
      gl.uniform4f(shader.colour, ...colour.map((v) => v / 255), opacity);
      for (const { from, count } of this.strips[group]) gl.drawArrays(gl.TRIANGLE_STRIP, from, count);
    }
  }
}

// Two vertices for each corner of a closed polygon [x0, y0, x1, y1, …, x0, y0], along the bisector of its angle.
function ribbon(polygon) {
  const corners = polygon.length / 2 - 1;
  const unit = (from) => {
    const [x, y] = [0, 1].map((axis) => polygon[2 * from + 2 + axis] - polygon[2 * from + axis]);
    const length = Math.hypot(x, y) || 1;
    return [-y / length, x / length];
  };
  const vertices = [];
  for (let k = 0; k <= corners; k++) {
    const [before, after] = [unit((k + corners - 1) % corners), unit(k % corners)];
    const sum = [before[0] + after[0], before[1] + after[1]];
    const length = Math.max(Math.hypot(...sum), 2 / SHARPEST);
    const normal = sum.map((v) => (2 * v) / length ** 2);
    for (const side of [-1, 1]) vertices.push(polygon[2 * k], polygon[2 * k + 1], ...normal, side);
  }
  return vertices;
}
