// Drawing with WebGL 2: dots from buffers that stay on the GPU, images as squares cut from sprite atlases.
import { OutlineRibbons } from "./outline_ribbons.js";
import {
  DENSITY_FRAGMENT, DENSITY_VERTEX, DOTS_FRAGMENT, DOTS_VERTEX, FRAME_PIXELS, IMAGES_FRAGMENT, IMAGES_VERTEX,
} from "./shaders.js";
import { attribute, program, texture } from "./webgl.js";

const INSTANCE_BYTES = 32;

export class WebGlRenderer {
  // Throws where there is no WebGL 2.
  constructor(canvas, data) {
    const gl = canvas.getContext("webgl2", { antialias: false, alpha: false, depth: data.dimensions === 3 });
    if (!gl) throw new Error("no WebGL 2");
    this.gl = gl;
    this.data = data;
    this.atlases = [];
    this.dots = program(gl, DOTS_VERTEX, DOTS_FRAGMENT, ["place", "colour", "room"]);
    this.images = program(gl, IMAGES_VERTEX, IMAGES_FRAGMENT, ["corner", "place", "cell", "colour"]);
    this.buffers = { place: gl.createBuffer(), colour: gl.createBuffer(), room: gl.createBuffer() };
    this.corners = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, this.corners);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1]), gl.STATIC_DRAW);
    this.density = program(gl, DENSITY_VERTEX, DENSITY_FRAGMENT, ["corner"]);
    this.densityArray = gl.createVertexArray();
    gl.bindVertexArray(this.densityArray);
    attribute(gl, this.density.corner, this.corners, 2, gl.FLOAT);
    this.dotsArray = gl.createVertexArray();
    gl.bindVertexArray(this.dotsArray);
    attribute(gl, this.dots.place, this.buffers.place, 3, gl.FLOAT);
    attribute(gl, this.dots.colour, this.buffers.colour, 4, gl.UNSIGNED_BYTE);
    attribute(gl, this.dots.room, this.buffers.room, 1, gl.FLOAT);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.outlines = null; // of the groups, once they are read
    if (data.images) this.planAtlases();
  }

  // Sheets that exceed the GPU's texture limit are cut into blocks of whole cells, each an atlas of its own.
  planAtlases() {
    const { gl } = this;
    const { cell } = this.data;
    const limit = Math.max(cell.width, cell.height, Math.min(4096, gl.getParameter(gl.MAX_TEXTURE_SIZE)));
    this.block = {
      columns: Math.min(cell.columns, Math.floor(limit / cell.width)),
      rows: Math.min(cell.rows, Math.floor(limit / cell.height)),
    };
    this.blocksAcross = Math.ceil(cell.columns / this.block.columns);
    this.blocksDown = Math.ceil(cell.rows / this.block.rows);
    this.loaded = 0;
  }

  // Decode and upload every sheet that is new, one after the other; `ready` is called after each.
  async load(ready) {
    const { gl } = this;
    const { images } = this.data;
    if (this.data.density && !this.shades) {
      this.shades = texture(gl, await this.data.shades, false);
      ready();
    }
    while (this.loaded < images?.count) {
      const sheet = this.loaded++;
      const blocks = { length: this.blocksAcross * this.blocksDown };
      this.atlases.push(...Array.from(blocks, () => ({ texture: null, instances: new Instances(gl, this) })));
      const bitmap = await images.sheet(sheet);
      for (const next of [sheet + 1, sheet + 2]) if (next < images.count) images.sheet(next); // decoded meanwhile
      for (let b = 0; b < this.blocksAcross * this.blocksDown; b++) await this.upload(bitmap, sheet, b);
      ready();
    }
  }

  async upload(bitmap, sheet, b) {
    const { gl } = this;
    const { cell } = this.data;
    const [width, height] = [this.block.columns * cell.width, this.block.rows * cell.height];
    const [x, y] = [(b % this.blocksAcross) * width, Math.floor(b / this.blocksAcross) * height];
    if (x >= bitmap.width || y >= bitmap.height) return;
    const whole = this.blocksAcross * this.blocksDown === 1;
    const size = [Math.min(width, bitmap.width - x), Math.min(height, bitmap.height - y)];
    const part = whole ? bitmap : await createImageBitmap(bitmap, x, y, ...size);
    const atlas = this.atlases[sheet * this.blocksAcross * this.blocksDown + b];
    Object.assign(atlas, { texture: texture(gl, part, this.data.colour), size });
  }

  // The atlas and the pixel in it at which point i's image begins.
  atlasPlace(i) {
    const { cell, images } = this.data;
    const { sheet, x, y } = images.place(i);
    const [width, height] = [this.block.columns * cell.width, this.block.rows * cell.height];
    const b = Math.floor(x / width) + this.blocksAcross * Math.floor(y / height);
    return { atlas: this.atlases[sheet * this.blocksAcross * this.blocksDown + b], x: x % width, y: y % height };
  }

  setPlaces({ grid, seen, room }) {
    this.order = grid.order;
    this.fill("place", seen, 3);
    this.fill("room", room, 1);
  }

  setColours(colours) {
    this.fill("colour", colours, 4);
  }

  // Buffers are in the grid's order, so that the points of a part of the map are a few ranges.
  fill(name, values, width) {
    const { gl, order } = this;
    const sorted = new values.constructor(values.length);
    for (let k = 0; k < order.length; k++) {
      for (let w = 0; w < width; w++) sorted[width * k + w] = values[width * order[k] + w];
    }
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
    gl.bufferData(gl.ARRAY_BUFFER, sorted, gl.DYNAMIC_DRAW);
  }

  // Draw what `map.listed` found, as `viewport` shows it.
  draw(map, viewport, { ranges, pictured }) {
    const { gl } = this;
    gl.viewport(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight);
    gl.clearColor(...map.theme.ground.map((v) => v / 255), 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    if (this.data.dimensions === 3) gl.enable(gl.DEPTH_TEST);
    if (this.shades && map.state.densityShown) this.drawDensity(map.theme, viewport);
    this.drawDots(map, viewport, ranges);
    if (pictured.length) this.drawImages(map, viewport, pictured);
    if (map.groupLabels.length) {
      this.outlines ??= new OutlineRibbons(gl, this.data.groups);
      this.outlines.draw(map, viewport);
    }
  }

  drawDensity({ ink }, viewport) {
    const { gl, density } = this;
    gl.useProgram(density.program);
    gl.uniform2f(density.centre, viewport.x, viewport.y);
    gl.uniform2f(density.viewport, viewport.width, viewport.height);
    gl.uniform4f(density.extent, ...this.data.density.extent);
    gl.uniform1f(density.scale, viewport.scale);
    gl.uniform3f(density.ink, ...ink.map((v) => v / 255));
    gl.bindVertexArray(this.densityArray);
    gl.bindTexture(gl.TEXTURE_2D, this.shades);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }

  drawDots({ ratio, dotSize, imageSize, allPictured, few, layout }, viewport, ranges) {
    const { gl, dots } = this;
    gl.useProgram(dots.program);
    gl.uniform2f(dots.centre, viewport.x, viewport.y);
    gl.uniform2f(dots.viewport, viewport.width, viewport.height);
    gl.uniform4f(dots.look, viewport.scale, ratio, dotSize, few ? 0 : allPictured ? 1e-6 : imageSize);
    gl.uniform1f(dots.reach, layout.depth);
    gl.uniform1f(dots.diameter, dotSize * ratio);
    gl.uniform1f(dots.edge, this.data.dimensions === 3 ? 0.5 : 0.02);
    gl.bindVertexArray(this.dotsArray);
    for (const [from, to] of ranges) gl.drawArrays(gl.POINTS, from, to - from);
  }

  drawImages(map, viewport, pictured) {
    const { gl, images } = this;
    const { ratio, imageSize, theme, layout: { seen, depth } } = map;
    const { cell } = this.data;
    const across = imageSize * Math.min(1, cell.width / cell.height);
    const down = imageSize * Math.min(1, cell.height / cell.width);
    for (const atlas of this.atlases) atlas.instances.clear();
    for (const i of pictured) {
      const { atlas, x, y } = this.atlasPlace(i);
      if (!atlas?.texture) continue;
      const frame = !this.data.isFramed(i) ? 0 : this.data.warnings.has(i) ? 128 : 255;
      const [left, top] = viewport.toScreen(seen[3 * i], seen[3 * i + 1]);
      atlas.instances.add(left, top, seen[3 * i + 2] / depth, x, y, map.grown(i), map.colours, i, frame);
    }
    gl.useProgram(images.program);
    gl.uniform2f(images.viewport, viewport.width, viewport.height);
    gl.uniform4f(images.look, across, down, ratio, FRAME_PIXELS);
    gl.uniform2f(images.image, cell.width, cell.height);
    const shrunk = cell.width / (across * ratio); // then several samples a pixel
    const samples = shrunk > 1 ? Math.min(4, Math.max(2, Math.ceil(shrunk))) : 1;
    gl.uniform4f(images.style, map.state.cutOut, theme.dark, samples, this.data.dimensions === 3);
    gl.uniform1f(images.grey, !this.data.colour);
    for (const name of ["ink", "warning"]) gl.uniform3f(images[name], ...theme[name].map((v) => v / 255));
    for (const { texture, size, instances } of this.atlases) {
      if (!instances.count) continue;
      gl.uniform2f(images.texel, 1 / size[0], 1 / size[1]);
      gl.bindTexture(gl.TEXTURE_2D, texture);
      instances.draw();
    }
  }
}

// A growing buffer of what differs between the images of one atlas.
class Instances {
  constructor(gl, renderer) {
    this.gl = gl;
    this.buffer = gl.createBuffer();
    this.array = gl.createVertexArray();
    this.count = 0;
    this.grow(64);
    const { images } = renderer;
    gl.bindVertexArray(this.array);
    attribute(gl, images.corner, renderer.corners, 2, gl.FLOAT);
    attribute(gl, images.place, this.buffer, 4, gl.FLOAT, INSTANCE_BYTES, 0);
    attribute(gl, images.cell, this.buffer, 3, gl.FLOAT, INSTANCE_BYTES, 16);
    attribute(gl, images.colour, this.buffer, 4, gl.UNSIGNED_BYTE, INSTANCE_BYTES, 28);
  }

  grow(capacity) {
    const bytes = new Uint8Array(capacity * INSTANCE_BYTES);
    if (this.bytes) bytes.set(this.bytes);
    this.bytes = bytes;
    this.floats = new Float32Array(bytes.buffer);
  }

  clear() {
    this.count = 0;
  }

  add(left, top, z, x, y, grown, colours, i, frame) {
    if ((this.count + 1) * INSTANCE_BYTES > this.bytes.length) this.grow(2 * this.count);
    const at = (this.count++ * INSTANCE_BYTES) / 4;
    const { floats, bytes } = this;
    floats[at] = left;
    floats[at + 1] = top;
    floats[at + 2] = z;
    floats[at + 3] = (colours[4 * i + 3] / 255) * Math.min(1, 3 * grown);
    floats[at + 4] = x;
    floats[at + 5] = y;
    floats[at + 6] = grown;
    for (let k = 0; k < 3; k++) bytes[4 * (at + 7) + k] = colours[4 * i + k];
    bytes[4 * (at + 7) + 3] = frame;
  }

  draw() {
    const { gl } = this;
    gl.bindVertexArray(this.array);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
    gl.bufferData(gl.ARRAY_BUFFER, this.bytes.subarray(0, this.count * INSTANCE_BYTES), gl.STREAM_DRAW);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, this.count);
  }
}
