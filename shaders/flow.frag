#version 330 core
// flow.frag
// purpose: water moves: it is carried by itself, drawn along by the streams, stirred by visitors
// in:      `velocity` of the step before, `bed` (see streams.frag), `clouds` (tiling noise)
// out:     xy velocity in screen heights a second; z how disturbed the water is, 0 to about 1
// source:  semi-Lagrangian advection, Stam 1999
// licence: MIT, of this project

#include "lib/swirl.glsl"

uniform sampler2D velocity;
uniform sampler2D bed;
uniform sampler2D clouds;
uniform float aspect;
uniform vec4 drift;            // of the whirls, in tiles
uniform float dt_s;
uniform float turbulence;      // 0 to 1, of the water as a whole
uniform float follow;          // part of the way to the streams' own speed in this step
uniform float calm;            // part of the disturbance that stays after this step
uniform int stirs;
uniform vec4 stir[16];         // place and velocity
uniform float reach[16];

in vec2 at;
out vec4 moved;

void main() {
    vec2 here = vec2(at.x * aspect, at.y);
    vec2 u = texture(velocity, at).xy;
    vec3 before = texture(velocity, at - u * dt_s / vec2(aspect, 1.0)).xyz;
    u = before.xy;
    float disturbed = before.z * calm;

    vec2 stream = texture(bed, at).xy;
    u += (stream - u) * follow;

    float wild = turbulence + disturbed;
    vec2 whirl = swirl(clouds, here * 0.55 + drift.xy, 0.02)
        + 0.6 * swirl(clouds, here * 1.3 + drift.zw, 0.015);
    u += whirl * (0.012 + 0.10 * wild) * dt_s;

    for (int i = 0; i < stirs; i++) {
        vec2 away = (here - stir[i].xy) / max(reach[i], 0.02);
        float near = exp(-dot(away, away));
        float push = near * min(1.0, 4.0 * dt_s);
        u += stir[i].zw * push;
        // A push also sets the water turning to both sides of it.
        u += vec2(-away.y, away.x) * (stir[i].z * away.y - stir[i].w * away.x) * -0.5 * push;
        disturbed += near * length(stir[i].zw) * 3.0 * dt_s;
    }

    // Towards the rim the water comes to rest, or it would pile up there.
    vec2 rim = min(at, 1.0 - at) * vec2(aspect, 1.0);
    u.y *= smoothstep(-0.01, 0.06, rim.y);
    moved = vec4(clamp(u, -2.0, 2.0), min(disturbed, 1.5), 1.0);
}
