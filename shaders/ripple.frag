#version 330 core
// ripple.frag
// purpose: how far moving water bends what is seen through it
// in:      `velocity` (z: how disturbed), `clouds`
// out:     xy, a shift in parts of the picture
// licence: MIT, of this project

uniform sampler2D velocity;
uniform sampler2D clouds;
uniform float aspect;
uniform vec2 drift;            // in tiles
uniform float ripple;

in vec2 at;
out vec4 shift;

void main() {
    float disturbed = min(texture(velocity, at).z, 1.0);
    vec2 here = vec2(at.x * aspect, at.y);
    vec2 wave = texture(clouds, here * 0.9 + drift).rg - 0.5;
    shift = vec4(wave * ripple * (0.004 + 0.05 * disturbed) / vec2(aspect, 1.0), 0.0, 1.0);
}
