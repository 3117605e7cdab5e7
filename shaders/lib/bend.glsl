// bend.glsl
// purpose: a gentle shoulder, so that lights roll off like varnished paint and never clip
// use:     vec3 bend(vec3 colour)
// ranges:  colour 0 and more, display values; returns 0 to 1; identity below 0.5, slope continuous
// source:  own
// licence: MIT, of this project

vec3 bend(vec3 colour) {
    vec3 over = max(colour - 0.5, 0.0);
    return min(colour, 0.5) + over / (1.0 + over);
}
