#version 330 core
// spread.frag
// purpose: a picture blurred along one axis
// in:      `ground`
// out:     its mean under a bell of `texel` times 2 to both sides
// licence: MIT, of this project

uniform sampler2D ground;
uniform vec2 texel;            // one step along the axis, 0 to 1

in vec2 at;
out vec4 colour;

void main() {
    colour = vec4(0.0);
    float all = 0.0;
    for (int n = -4; n <= 4; n++) {
        float weight = exp(-float(n * n) / 8.0);
        colour += texture(ground, at + float(n) * texel) * weight;
        all += weight;
    }
    colour /= all;
}
