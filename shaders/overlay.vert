#version 330 core
// overlay.vert
// purpose: markers of a sitter as points in a small frame, as the camera sees them
// in:      `marker` image-normalised, origin top left; `screen`, from the picture to the screen
// licence: MIT, of this project

#include "lib/laid.glsl"

uniform vec4 frame;   // left, top, width, height, parts of the picture
uniform float dot_px;

in vec2 marker;

void main() {
    gl_Position = laid(frame.xy + frame.zw * marker);
    gl_PointSize = dot_px;
}
