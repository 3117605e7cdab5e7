#version 330 core
// pattern.frag
// purpose: the technician's test pattern: grid, circles, grey ramp, edges
// in:      `picture_px`, width and height of the picture; `light`, r: what may be lit (mask)
// out:     display values, 0 to 1
// licence: MIT, of this project

uniform vec2 picture_px;
uniform sampler2D light;

in vec3 ray;
out vec4 shown;

const vec3 GROUND = vec3(0.045, 0.05, 0.06);
const vec3 LINE = vec3(0.30, 0.33, 0.36);
const vec3 BRIGHT = vec3(0.92, 0.92, 0.90);
const vec3 WARM = vec3(0.95, 0.70, 0.25);

vec2 blur;  // how many units of the picture one pixel of the screen covers, see main

// How much of a pixel a line covers that is `off` away and `wide`; both in units of the picture.
float line(float off, float wide, float soft) {
    return clamp(0.5 + (0.5 * wide - abs(off)) / soft, 0.0, 1.0);
}

// Inside a box about a middle, 0 or 1 with a soft rim.
float box(vec2 p, vec2 middle, vec2 half_size) {
    vec2 depth = half_size - abs(p - middle);
    vec2 in_it = clamp(depth / blur + 0.5, 0.0, 1.0);
    return in_it.x * in_it.y;
}

float ring(vec2 p, vec2 middle, float radius, float wide) {
    return line(length(p - middle) - radius, wide, max(blur.x, blur.y));
}

void main() {
    // Units: the shorter side is 9 cells, the origin lies in the middle, y runs down.
    float cell_px = min(picture_px.x, picture_px.y) / 9.0;
    vec2 half_size = 0.5 * picture_px / cell_px;
    vec2 seen = ray.xy / ray.z;
    vec2 p = (seen - 0.5) * 2.0 * half_size;
    blur = max(fwidth(p), vec2(1e-5));
    float thin = max(max(blur.x, blur.y), 0.014);

    vec3 colour = GROUND;
    // Grid: cells about the middle.
    vec2 to_line = abs(fract(p + 0.5 * mod(round(2.0 * half_size), 2.0) + 0.5) - 0.5);
    float grid = max(line(to_line.x, thin, blur.x), line(to_line.y, thin, blur.y));
    colour = mix(colour, LINE, grid);
    // Diagonals, and the cross in the middle.
    vec2 slope = half_size / length(half_size);
    float diagonal = min(abs(p.x * slope.y - p.y * slope.x), abs(p.x * slope.y + p.y * slope.x));
    colour = mix(colour, 0.7 * LINE, line(diagonal, thin, max(blur.x, blur.y)));
    float cross = max(line(p.x, thin, blur.x), line(p.y, thin, blur.y));
    colour = mix(colour, 0.55 * BRIGHT, cross);

    // Circles: a great one, and one in each corner, a cell from the rim.
    colour = mix(colour, BRIGHT, ring(p, vec2(0.0), 3.5, 1.8 * thin));
    vec2 corner = (half_size - 1.5) * vec2(p.x < 0.0 ? -1.0 : 1.0, p.y < 0.0 ? -1.0 : 1.0);
    colour = mix(colour, WARM, ring(p, corner, 1.0, 1.8 * thin));

    // Grey ramp: eleven steps under the middle; above it a smooth one.
    vec2 ramp = vec2(2.75, 0.42);
    float along = clamp((p.x + ramp.x) / (2.0 * ramp.x), 0.0, 0.9999);
    colour = mix(colour, vec3(floor(along * 11.0) / 10.0), box(p, vec2(0.0, 1.5), ramp));
    colour = mix(colour, vec3(along), box(p, vec2(0.0, -1.5), ramp));
    // In the ends of the steps: black that is nearly black, white that is nearly white.
    colour = mix(colour, vec3(0.03), box(p, vec2(-2.5, 1.5), vec2(0.12)));
    colour = mix(colour, vec3(0.97), box(p, vec2(2.5, 1.5), vec2(0.12)));

    // Edges for the focus: lines one, two and three pixels wide, upright left and lying right.
    for (int n = 0; n < 3; n++) {
        float period = 2.0 * float(n + 1) / cell_px;
        vec2 left = vec2(-2.2 + 0.75 * float(n), 0.0), right = vec2(0.7 + 0.75 * float(n), 0.0);
        float upright = step(0.5, fract((p.x + half_size.x) / period));
        float lying = step(0.5, fract((p.y + half_size.y) / period));
        colour = mix(colour, vec3(upright), box(p, left, vec2(0.34, 0.5)));
        colour = mix(colour, vec3(lying), box(p, right, vec2(0.34, 0.5)));
    }

    // The rim: two lines at the very edge, and an arrow that points to the top.
    vec2 to_edge = half_size - abs(p);
    float rim = min(to_edge.x, to_edge.y);
    colour = mix(colour, WARM, clamp((0.06 - rim) / max(blur.x, blur.y) + 0.5, 0.0, 1.0));
    colour = mix(colour, BRIGHT, line(rim - 0.16, thin, max(blur.x, blur.y)));
    vec2 tip = p - vec2(0.0, 0.35 - half_size.y);
    float arrow = min(0.55 - tip.y, (0.75 * tip.y - abs(tip.x)) * 0.8);
    colour = mix(colour, WARM, clamp(arrow / max(blur.x, blur.y) + 0.5, 0.0, 1.0));

    shown = vec4(colour * texelFetch(light, ivec2(gl_FragCoord.xy), 0).r, 1.0);
}
