#version 330 core
// ground.frag
// purpose: portraits made small: the light that each lends to the water around it
// in:      `portraits` (premultiplied)
// out:     premultiplied colour, a mean over the texel
// licence: MIT, of this project

uniform sampler2D portraits;
uniform vec2 texel;            // of the target, 0 to 1

in vec2 at;
out vec4 colour;

void main() {
    colour = vec4(0.0);
    for (int row = 0; row < 4; row++) {
        for (int column = 0; column < 4; column++) {
            vec2 away = (vec2(column, row) + 0.5) * 0.25 - 0.5;
            colour += texture(portraits, at + away * texel);
        }
    }
    colour /= 16.0;
}
