#version 330 core
// surface.frag
// purpose: what was on the water is carried by the flow and fades; streams and portraits leave paint
// in:      `surface` of the step before, `velocity`, `portraits` (premultiplied), `current`, `tint`,
//          `clouds`, `ground` (what portraits lend to the water around them, premultiplied)
// out:     rgb colour of the water; a how its surface catches the light, about 1, not carried on
// licence: MIT, of this project

uniform sampler2D surface;
uniform sampler2D velocity;
uniform sampler2D portraits;
uniform sampler2D current;
uniform sampler2D tint;
uniform sampler2D clouds;
uniform sampler2D ground;
uniform float aspect;
uniform bool tall;
uniform vec2 drift;            // of two layers of streaks downstream, in tiles
uniform float dt_s;
uniform float stays;           // part of the colour that stays after this step
uniform float pigments;        // how far the streams show, 0 to 1
uniform float sinks;           // part of a portrait that goes into the water in this step

in vec2 at;
out vec4 colour;

// Nowhere is the water quite black: umber, as under old varnish.
const vec3 DEEP = vec3(0.026, 0.019, 0.015);
// What the water carries where it carries no streams.
const vec3 SEDIMENT = vec3(0.34, 0.27, 0.20);
// The warmth of a portrait that the water around it takes on: a ground of umber, never its own hue.
const vec3 LENT = vec3(0.40, 0.31, 0.25);

void main() {
    vec3 flow = texture(velocity, at).xyz;
    vec2 came = at - flow.xy * dt_s / vec2(aspect, 1.0);
    vec3 was = texture(surface, came).rgb * stays;

    vec4 along = texture(current, at);
    // Streaks lie along the streams; where the water runs otherwise they go with it a while.
    vec2 lane = vec2(tall ? at.y : at.x * aspect, along.z) + (flow.xy - along.xy) * vec2(1.0, 2.5);
    float streak = texture(clouds, lane * vec2(0.16, 0.23) - vec2(drift.x, 0.0)).b;
    streak *= texture(clouds, lane * vec2(0.37, 0.61) - vec2(drift.y, 0.6)).b;
    // Without streams the water is a ground, and no plank of wood.
    streak = mix(0.27, streak, mix(0.35, 1.0, pigments));
    vec4 pigment = texture(tint, at);
    vec3 hue = mix(SEDIMENT, pigment.rgb, pigments);
    float band = mix(0.3, 0.12 + 0.88 * pigment.a, pigments);
    vec3 paint = hue * (0.10 + 0.22 * band + 2.1 * streak * streak) * band;
    vec4 lent = texture(ground, at);
    // Where there are no streams to be seen there is a ground behind the heads, as in a portrait.
    float glow = mix(1.1, 0.38, pigments) + mix(0.7, 1.1, pigments) * streak;
    paint += lent.rgb * LENT * glow / (0.45 + lent.a);
    was += (paint + DEEP) * (1.0 - stays);

    vec4 portrait = texture(portraits, at);
    // What sinks gives up its light first and its warmth last.
    vec3 sunk = portrait.rgb * vec3(0.50, 0.43, 0.37);
    float weight = portrait.a * (0.05 + 1.1 * portrait.g) * sinks;
    // In the middle of a stream threads of light run; what is stirred has none.
    float thread = clamp(0.5 + 2.2 * streak, 0.0, 2.0) - 1.0;
    float glint = thread * mix(0.4, 1.0, pigment.a * pigments) * (1.0 - min(flow.z, 1.0));
    colour = vec4(mix(was, sunk, min(1.0, weight)), 1.0 + glint);
}
