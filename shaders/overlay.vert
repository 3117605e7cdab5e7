#version 330 core
// overlay.vert
// purpose: markers of a sitter as points in a small frame, as the camera sees them
// in:      `marker` image-normalised, origin top left
// licence: MIT, of this project

uniform vec4 frame;   // left, top, width, height, parts of the picture
uniform float dot_px;

in vec2 marker;

void main() {
    vec2 at = frame.xy + frame.zw * marker;
    gl_Position = vec4(at * 2.0 - 1.0, 0.0, 1.0);
    gl_PointSize = dot_px;
}
