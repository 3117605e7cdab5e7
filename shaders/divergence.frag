#version 330 core
// divergence.frag
// purpose: how much the water wells up in each cell, and the pressure to begin with
// in:      `velocity`; `pressure` of the step before
// out:     x pressure, y divergence, in units of a cell
// source:  Stam 1999
// licence: MIT, of this project

uniform sampler2D velocity;
uniform sampler2D pressure;

out vec4 found;

void main() {
    ivec2 cell = ivec2(gl_FragCoord.xy), last = textureSize(velocity, 0) - 1;
    float east = texelFetch(velocity, min(cell + ivec2(1, 0), last), 0).x;
    float west = texelFetch(velocity, max(cell - ivec2(1, 0), ivec2(0)), 0).x;
    float south = texelFetch(velocity, min(cell + ivec2(0, 1), last), 0).y;
    float north = texelFetch(velocity, max(cell - ivec2(0, 1), ivec2(0)), 0).y;
    found = vec4(0.9 * texelFetch(pressure, cell, 0).x, 0.5 * (east - west + south - north), 0.0, 1.0);
}
