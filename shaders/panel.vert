#version 330 core
// panel.vert
// purpose: a rectangle of the picture, where it lies on the screen; four vertices of a strip
// in:      `frame` left, top, width, height as parts of the picture; `screen`, from places in the
//          picture to places on the screen
// out:     `at`, 0 to 1 over the rectangle, origin top left
// licence: MIT, of this project

#include "lib/laid.glsl"

uniform vec4 frame;

out vec2 at;

void main() {
    at = vec2(gl_VertexID & 1, gl_VertexID >> 1);
    gl_Position = laid(frame.xy + frame.zw * at);
}
