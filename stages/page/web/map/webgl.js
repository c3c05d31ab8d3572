// What every drawing with WebGL 2 needs: textures, programs, and the attributes of their vertices.

// One byte for each pixel, or three if in colour; linear between pixels.
export function texture(gl, bitmap, colour) {
  const made = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, made);
  gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
  const [stored, given] = colour ? [gl.RGB8, gl.RGB] : [gl.R8, gl.RED];
  gl.texImage2D(gl.TEXTURE_2D, 0, stored, given, gl.UNSIGNED_BYTE, bitmap);
  for (const [key, value] of [
    [gl.TEXTURE_MIN_FILTER, gl.LINEAR],
    [gl.TEXTURE_MAG_FILTER, gl.LINEAR],
    [gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE],
    [gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE],
  ]) gl.texParameteri(gl.TEXTURE_2D, key, value);
  return made;
}

// A linked program with the places of its attributes and uniforms as fields.
export function program(gl, vertex, fragment, attributes) {
  const linked = gl.createProgram();
  for (const [type, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(type);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(linked, shader);
  }
  gl.linkProgram(linked);
  if (!gl.getProgramParameter(linked, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(linked) || "no shader");
  const found = { program: linked };
  for (const name of attributes) found[name] = gl.getAttribLocation(linked, name);
  for (let k = 0; k < gl.getProgramParameter(linked, gl.ACTIVE_UNIFORMS); k++) {
    const { name } = gl.getActiveUniform(linked, k);
    found[name] = gl.getUniformLocation(linked, name);
  }
  return found;
}

// One value for each vertex, or with `instanced` for each instance.
export function attribute(gl, place, buffer, size, type, stride = 0, offset = 0, instanced = stride > 0) {
  gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
  gl.enableVertexAttribArray(place);
  gl.vertexAttribPointer(place, size, type, type === gl.UNSIGNED_BYTE, stride, offset);
  if (instanced) gl.vertexAttribDivisor(place, 1);
}
