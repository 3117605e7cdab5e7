#version 330 core
// finish.frag
// purpose: portraits over water, seen through moving water; tone, varnish, grain
// in:      `portraits` (premultiplied), `surface`, `ripple`, `varnish` (r: weave and cracks about
//          0.5, g: light towards the rim, b: on the picture and inside the mask), `clouds` (a: grain)
// out:     the finished picture, 0 to 1
// licence: MIT, of this project

#include "lib/bend.glsl"

uniform sampler2D portraits;
uniform sampler2D surface;
uniform sampler2D ripple;
uniform sampler2D varnish;
uniform sampler2D clouds;
uniform ivec2 grain_shift;
uniform float grain_size;      // pixels of the screen to a grain
uniform float grain;
uniform float weave;
uniform float brightness;

in vec3 ray;
out vec4 shown;

void main() {
    vec2 seen = ray.xy / ray.z;
    vec2 bent = seen + texture(ripple, seen).xy;

    vec4 portrait = texture(portraits, bent);
    vec4 water = texture(surface, bent);
    vec3 colour = water.rgb * (water.a * (1.0 - portrait.a)) + portrait.rgb;

    vec3 glaze = texelFetch(varnish, ivec2(gl_FragCoord.xy), 0).rgb;
    float speck = texelFetch(clouds, (ivec2(gl_FragCoord.xy / grain_size) + grain_shift) & 255, 0).a;
    float light = min(colour.g, 0.8);
    colour *= glaze.g * (1.0 + weave * (glaze.r - 0.5));
    colour += (speck - 0.5) * grain * (0.018 + 0.05 * light * (1.0 - light));
    colour = bend(max(colour * brightness, 0.0));
    // Off the picture, where a keystone leaves a corner free, there is no light at all.
    shown = vec4(colour * glaze.b, 1.0);
}
