#version 330 core
// present.frag
// purpose: the finished picture onto the window, whose first row is the lowest
// in:      `picture`
// licence: MIT, of this project

uniform sampler2D picture;

in vec2 at;
out vec4 shown;

void main() {
    shown = vec4(texture(picture, vec2(at.x, 1.0 - at.y)).rgb, 1.0);
}
