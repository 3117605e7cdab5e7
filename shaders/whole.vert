#version 330 core
// whole.vert
// purpose: one triangle that covers the whole target; no buffers
// out:     `at`, 0 to 1 over the target, origin top left (targets are kept top row first)
// licence: MIT, of this project

out vec2 at;

void main() {
    vec2 corner = vec2(gl_VertexID == 1 ? 2.0 : 0.0, gl_VertexID == 2 ? 2.0 : 0.0);
    at = corner;
    gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}
