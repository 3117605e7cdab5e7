#version 330 core
// project.frag
// purpose: take the slope of the pressure off the velocity: what is left neither wells up nor sinks
// in:      `velocity`, `pressure`
// out:     velocity, and the disturbance as it was
// source:  Stam 1999
// licence: MIT, of this project

uniform sampler2D velocity;
uniform sampler2D pressure;

out vec4 kept;

void main() {
    ivec2 cell = ivec2(gl_FragCoord.xy), last = textureSize(pressure, 0) - 1;
    float east = texelFetch(pressure, min(cell + ivec2(1, 0), last), 0).x;
    float west = texelFetch(pressure, max(cell - ivec2(1, 0), ivec2(0)), 0).x;
    float south = texelFetch(pressure, min(cell + ivec2(0, 1), last), 0).x;
    float north = texelFetch(pressure, max(cell - ivec2(0, 1), ivec2(0)), 0).x;
    vec4 moved = texelFetch(velocity, cell, 0);
    kept = vec4(moved.xy - 0.5 * vec2(east - west, south - north), moved.z, 1.0);
}
