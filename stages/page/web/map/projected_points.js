// Where the points lie as seen from the present side, and how much room each has for its image.
import { roomAround } from "../data/which_images_show.js";
import { Grid, typicalSpacing } from "../data/point_grid.js";
import { boundsOf, project, Viewport } from "./viewport.js";

const AMPLE = 1e9; // room, in map units, that shows an image at any zoom

export class PointLayout {
  constructor(data) {
    this.data = data;
    this.viewport = new Viewport(boundsOf(data.positions, data.dimensions));
    this.seen = new Float32Array(3 * data.total); // x, y across the screen, z towards the reader
    this.place();
    this.spacing = typicalSpacing(this.grid, data.mapped);
    this.room = new Float32Array(data.total); // all points are dots until `findRoom`
    this.roomFound = false;
  }

  // After a turn of a 3-D map, and once for a flat one.
  place() {
    const { data, viewport } = this;
    project(data.positions, data.dimensions, viewport.turn, this.seen);
    this.grid = new Grid(this.seen);
    const { x0, x1 } = viewport.bounds;
    this.depth = data.dimensions === 3 ? (Math.sqrt(3) / 2) * (x1 - x0) : 1;
  }

  // The one long computation; points are drawn as dots before it ends.
  async findRoom() {
    const { data } = this;
    const room = new Float32Array(data.total);
    const { bounds } = this.viewport;
    const extent = Math.max(bounds.x1 - bounds.x0, bounds.y1 - bounds.y0);
    room.fill(AMPLE, data.stored);
    for (const layer of [[0, data.mapped], [data.mapped, data.stored]]) {
      await roomAround(data.positions, data.dimensions, layer, extent, 1.3 * this.spacing, room);
    }
    this.room = room;
    this.roomFound = true;
  }

  // After a point was added; it has all the room it wants.
  grow() {
    this.seen = new Float32Array(3 * this.data.total);
    const room = new Float32Array(this.data.total).fill(AMPLE);
    room.set(this.room);
    this.room = room;
    this.place();
  }

  screenOf(i) {
    return this.viewport.toScreen(this.seen[3 * i], this.seen[3 * i + 1]);
  }
}
