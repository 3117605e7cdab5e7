// flesh.glsl
// purpose: a painting's colour with the dark of an open mouth and the shade of a closing eye
// use:     vec4 flesh(vec4 paint, vec2 mood, float opacity)
// ranges:  paint premultiplied; mood: x light that is left (may be negative), y the cavity's glow;
//          opacity 0 to 1; returns premultiplied colour
// source:  own
// licence: MIT, of this project

// What lies behind old lips when they part: no black hole, a warm glaze with some red left in it.
const vec3 CAVITY = vec3(0.075, 0.026, 0.020);

vec4 flesh(vec4 paint, vec2 mood, float opacity) {
    vec3 lit = paint.rgb * max(mood.x, 0.0) + CAVITY * (paint.a * mood.y);
    return vec4(lit, paint.a) * opacity;
}
