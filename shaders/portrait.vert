#version 330 core
// portrait.vert
// purpose: a live mesh carries a painting; one instance is one portrait
// in:      `vertices`, one row a portrait: V texels of x, y, z in portrait units and how far it faces
//          the viewer (1: as in the painting, less: turned away) and two more for each step outwards
//          at which its ray is cut, then three texels (centre x, y, height)
//          (opacity, layer before, layer newest) (progress, right, left lids)
// ranges:  centre and height in screen heights; opacity, progress and lids 0 to 1
// licence: MIT, of this project

uniform sampler2D vertices;
uniform int first;      // row of this call's first portrait
uniform int portraits;  // rows in all: each portrait has its own slice of depth
uniform int corners;    // V
uniform float aspect;

in ivec2 pair;    // a drawn vertex stands half way between two of the mesh, mostly twice the same
in vec2 uv;       // at no step
in vec2 outward;  // for each
in vec4 part;     // middle of the mouth, right eye, left eye (0 or 1); gap of the lips as painted

out float edge;         // 1, less where the head turns away: there it melts into the water
out vec4 at;            // xy in the painting; z light that is left, may be negative; w cavity's glow
flat out vec4 painting; // layer before, layer newest, progress, opacity

void main() {
    int row = first + gl_InstanceID;
    vec3 place = texelFetch(vertices, ivec2(corners, row), 0).xyz;
    vec3 paint = texelFetch(vertices, ivec2(corners + 1, row), 0).xyz;
    vec3 live = texelFetch(vertices, ivec2(corners + 2, row), 0).xyz;
    painting = vec4(paint.yz, live.x, paint.x);

    vec4 own = texelFetch(vertices, ivec2(pair.x, row), 0);
    vec3 p = own.xyz;
    float steps = floor(0.5 * own.w);
    own.w -= 2.0 * steps;
    at = vec4(uv + steps * outward, 1.0 - 0.45 * dot(part.yz, 1.0 - live.yz), 0.0);
    at.z *= own.w;
    edge = smoothstep(0.25, 0.8, own.w);
    if (pair.x != pair.y) {
        vec3 q = texelFetch(vertices, ivec2(pair.y, row), 0).xyz;
        // As dark as the lips stand further apart than they were painted; a little before the
        // middle line the light is gone, and behind it glows what is deeper.
        float dark = smoothstep(0.002, 0.05, distance(p.xy, q.xy) - part.w);
        at.zw = vec2(1.0 - 1.9 * dark, dark);
        p = 0.5 * (p + q);
    }
    vec2 screen = place.xy + 0.5 * place.z * p.xy;
    // Back to front the portraits lie in slices: a nose covers its own cheek, never a neighbour.
    float depth = float(portraits - 1 - row) + clamp(0.5 + 0.3 * p.z, 0.001, 0.999);
    gl_Position = vec4(
        screen.x / aspect * 2.0 - 1.0, screen.y * 2.0 - 1.0, depth / float(portraits) * 2.0 - 1.0, 1.0
    );
}
