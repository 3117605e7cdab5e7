// laid.glsl
// purpose: where a place of the picture lies on the screen of the site
// use:     gl_Position = laid(place); set `screen`, from places in the picture to places on the
//          screen: keystone and rotation
// ranges:  place 0 to 1, origin top left; beyond the picture it goes on
// source:  own
// licence: MIT, of this project

uniform mat3 screen;

vec4 laid(vec2 place) {
    vec3 ray = screen * vec3(place, 1.0);
    return vec4(ray.xy * 2.0 - ray.z, 0.0, ray.z);
}
