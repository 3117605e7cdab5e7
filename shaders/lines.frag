#version 330 core
// lines.frag
// purpose: the technician's lines of text, on a darkened ground
// in:      `text`, r: how much ink
// licence: MIT, of this project

uniform sampler2D text;

in vec2 at;
out vec4 shown;

void main() {
    float ink = texture(text, at).r;
    shown = vec4(vec3(0.86, 0.84, 0.76) * ink, max(ink, 0.55));
}
