#version 330 core
// pressure.frag
// purpose: one Jacobi step towards the pressure that balances what wells up
// in:      `pressure`: x pressure, y divergence
// out:     the same, a step nearer
// source:  Stam 1999
// licence: MIT, of this project

uniform sampler2D pressure;

out vec4 nearer;

void main() {
    ivec2 cell = ivec2(gl_FragCoord.xy), last = textureSize(pressure, 0) - 1;
    float around = texelFetch(pressure, min(cell + ivec2(1, 0), last), 0).x
        + texelFetch(pressure, max(cell - ivec2(1, 0), ivec2(0)), 0).x
        + texelFetch(pressure, min(cell + ivec2(0, 1), last), 0).x
        + texelFetch(pressure, max(cell - ivec2(0, 1), ivec2(0)), 0).x;
    float wells = texelFetch(pressure, cell, 0).y;
    nearer = vec4(0.25 * (around - wells), wells, 0.0, 1.0);
}
