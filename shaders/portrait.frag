#version 330 core
// portrait.frag
// purpose: one painting on its mesh
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
    colour = flesh(texture(paintings, vec3(at.xy, painting.y)), at.zw, painting.w * edge);
}
