#version 330 core
// portrait_fading.frag
// purpose: one painting gives way to the next; by itself, because a processor that draws looks both
//          up even where a branch needs only one
// in:      `paintings`, two layers a slot, premultiplied
// out:     premultiplied colour
// licence: MIT, of this project

#include "lib/flesh.glsl"

uniform sampler2DArray paintings;

in float edge;
in vec4 at;
flat in vec4 painting;

out vec4 colour;

void main() {
    vec4 before = texture(paintings, vec3(at.xy, painting.x));
    vec4 newest = texture(paintings, vec3(at.xy, painting.y));
    colour = flesh(mix(before, newest, painting.z), at.zw, painting.w * edge);
}
