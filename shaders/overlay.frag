#version 330 core
// overlay.frag
// purpose: one plain colour for the technician's points
// licence: MIT, of this project

uniform vec4 ink;

out vec4 shown;

void main() {
    shown = ink;
}
