#version 330 core
// chart.frag
// purpose: a picture of the technician's, where the site's screen has it
// in:      `picture`, straight alpha; `light`, r: what may be lit (keystone, mask); `masked`, 0 or
//          1: whether that counts
// out:     display values with alpha, premultiplied
// licence: MIT, of this project

uniform sampler2D picture;
uniform sampler2D light;
uniform float masked;

in vec3 ray;
out vec4 shown;

void main() {
    vec4 paint = texture(picture, ray.xy / ray.z);
    float lit = texelFetch(light, ivec2(gl_FragCoord.xy), 0).r;
    shown = vec4(paint.rgb * paint.a, paint.a) * mix(1.0, lit, masked);
}
