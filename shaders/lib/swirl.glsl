// swirl.glsl
// purpose: a divergence-free velocity from a height field: its gradient, turned by a right angle
// use:     vec2 swirl(sampler2D clouds, vec2 place, float reach)
// ranges:  place in tiles of the clouds; reach: half the width of the difference, in tiles;
//          returns about -1 to 1
// source:  Bridson, Hourihan, Nordenstam 2007, curl noise
// licence: MIT, of this project

vec2 swirl(sampler2D clouds, vec2 place, float reach) {
    float east = texture(clouds, place + vec2(reach, 0.0)).r;
    float west = texture(clouds, place - vec2(reach, 0.0)).r;
    float south = texture(clouds, place + vec2(0.0, reach)).r;
    float north = texture(clouds, place - vec2(0.0, reach)).r;
    return vec2(south - north, west - east) * (0.06 / reach);
}
