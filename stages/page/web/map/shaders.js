// What the GPU computes for WebGlRenderer: dots, and images cut from their atlas (GLSL ES 3.00).

export const FRAME_PIXELS = 4; // from a new image to the outside of its frame
export const GROWTH = [0.55, 0.8]; // an image grows from its dot while its room grows between these shares of its size
export const DENSEST = 0.3; // opacity of the ink where training images lie densest

export const DENSITY_VERTEX = `#version 300 es
in vec2 corner;
uniform vec2 centre, viewport;
uniform vec4 extent; // left, right, bottom, top
uniform float scale;
out vec2 at;
void main() {
  vec2 share = corner * 0.5 + 0.5;
  at = vec2(share.x, 1.0 - share.y);
  gl_Position = vec4((mix(extent.xz, extent.yw, share) - centre) * scale * 2.0 / viewport, 0.0, 1.0);
}`;

export const DENSITY_FRAGMENT = `#version 300 es
precision highp float;
in vec2 at;
uniform sampler2D shades;
uniform vec3 ink;
out vec4 pixel;
void main() {
  pixel = vec4(ink, 1.0) * texture(shades, at).r * ${DENSEST.toFixed(3)};
}`;

export const OUTLINE_VERTEX = `#version 300 es
in vec2 place, normal; // map units
in float side; // -1 and 1 at the edges of the line
uniform vec2 centre, viewport;
uniform vec3 look; // scale, pixel ratio, half the width of the line
out float across; // CSS pixels from the middle of the line
void main() {
  across = side * (look.z + 1.0);
  gl_Position = vec4(((place - centre) * look.x + normal * across) * 2.0 / viewport, 0.0, 1.0);
}`;

export const OUTLINE_FRAGMENT = `#version 300 es
precision highp float;
in float across;
uniform vec3 look;
uniform vec4 colour;
out vec4 pixel;
void main() {
  float alpha = colour.a * clamp((look.z - abs(across)) * look.y + 0.5, 0.0, 1.0);
  pixel = vec4(colour.rgb * alpha, alpha);
}`;

export const DOTS_VERTEX = `#version 300 es
in vec3 place;
in vec4 colour;
in float room;
uniform vec2 centre, viewport;
uniform vec4 look; // scale, pixel ratio, dot diameter, image size
uniform float reach; // of the depth, to both sides of 0
out vec4 tint;
void main() {
  float shown = look.w > 0.0 ? smoothstep(${GROWTH[0].toFixed(3)}, ${GROWTH[1].toFixed(3)}, room * look.x / look.w) : 0.0;
  float depth = place.z / reach;
  tint = vec4(colour.rgb, colour.a * (1.0 - shown));
  gl_Position = vec4((place.xy - centre) * look.x * 2.0 / viewport, -0.9 * depth, 1.0);
  gl_PointSize = look.z * look.y * (1.0 + 0.35 * depth);
  if (tint.a == 0.0) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
}`;

export const DOTS_FRAGMENT = `#version 300 es
precision mediump float;
in vec4 tint;
uniform float diameter;
uniform float edge; // the share of a pixel that must be covered for it to be drawn
out vec4 pixel;
void main() {
  float covered = clamp((0.5 - distance(gl_PointCoord, vec2(0.5))) * diameter + 0.5, 0.0, 1.0);
  if (covered < edge) discard;
  float alpha = tint.a * covered;
  pixel = vec4(tint.rgb * alpha, alpha);
}`;

export const IMAGES_VERTEX = `#version 300 es
in vec2 corner;
in vec4 place; // screen x, y, depth, opacity
in vec3 cell; // top left pixel in the atlas, share of the full size
in vec4 colour; // the fourth byte: 0 without a frame, 255 with one, between with a warning
uniform vec2 viewport;
uniform vec4 look; // size across, size down, pixel ratio, frame width
out vec2 within;
out vec4 tint;
flat out vec2 origin;
flat out float framed;
flat out vec2 span;
void main() {
  vec2 size = look.xy * cell.z;
  vec2 reach = size * 0.5 + step(0.25, colour.a) * look.w; // only a frame needs more than the image
  within = corner * reach;
  vec2 at = place.xy + within;
  tint = vec4(colour.rgb, place.w);
  origin = cell.xy;
  span = size;
  framed = colour.a;
  gl_Position = vec4(at.x * 2.0 / viewport.x - 1.0, 1.0 - at.y * 2.0 / viewport.y, -0.9 * place.z, 1.0);
}`;

// A grey image as ink in its class's colour (cut out of its black ground), or an image as a tile with a border in that
// colour.
export const IMAGES_FRAGMENT = `#version 300 es
precision highp float;
in vec2 within;
in vec4 tint;
flat in vec2 origin;
flat in float framed;
flat in vec2 span; // CSS pixels
uniform sampler2D atlas;
uniform vec2 image; // pixels across and down
uniform vec2 texel; // one over the size of the atlas
uniform vec4 look;
uniform vec4 style; // cut out?, dark page?, samples a side, depth test?
uniform float grey; // 1 if the atlas has one channel
uniform vec3 ink, warning;
out vec4 pixel;

vec3 at_pixel(vec2 at) { // linear between pixels, never beyond the image's own cell
  vec3 found = texture(atlas, (origin + clamp(at, vec2(0.5), image - 0.5)) * texel).rgb;
  return grey > 0.5 ? found.rrr : found;
}

void main() {
  vec2 beyond = abs(within) - span * 0.5;
  float outside = max(beyond.x, beyond.y);
  vec2 at = (within / span + 0.5) * image;
  vec2 step_size = image / (span * look.z);
  vec3 shown = vec3(0.0);
  if (style.z > 1.0) {
    for (float i = 0.0; i < style.z; i++)
      for (float j = 0.0; j < style.z; j++)
        shown += at_pixel(at + step_size * (vec2(i, j) + 0.5 - style.z * 0.5) / style.z);
    shown /= style.z * style.z;
  } else { // larger than life: hard pixels with soft edges one screen pixel wide
    vec2 part = fract(at) - 0.5;
    shown = at_pixel(floor(at) + 0.5 + sign(part) * clamp(abs(part) / step_size - 0.5 / step_size + 0.5, 0.0, 0.5));
  }
  vec4 colour;
  if (style.x > 0.5) {
    float value = shown.r;
    vec3 shade = style.y > 0.5 ? mix(tint.rgb * 0.4, mix(tint.rgb, vec3(1.0), 0.4), value)
                               : mix(tint.rgb * 0.55, mix(tint.rgb, vec3(1.0), 0.4), value);
    colour = vec4(shade, smoothstep(0.02, 0.22, value));
  } else {
    float border = clamp(outside + 1.5 + 0.5, 0.0, 1.0);
    colour = vec4(mix(shown, tint.rgb, border), 1.0);
  }
  colour.a *= step(outside, 0.0);
  if (framed > 0.25) {
    float frame = step(look.w - 2.0, outside) * step(outside, look.w);
    colour = mix(colour, vec4(framed > 0.75 ? ink : warning, 1.0), frame);
    colour.rgb = mix(vec3(style.y > 0.5 ? 0.0 : 1.0), colour.rgb, max(colour.a, frame));
    colour.a = max(colour.a, 0.82);
  }
  float alpha = colour.a * tint.a;
  if (alpha < (style.w > 0.5 ? 0.5 : 0.004)) discard;
  pixel = vec4(colour.rgb * alpha, alpha);
}`;
