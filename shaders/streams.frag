#version 330 core
// streams.frag
// purpose: the bed of the water: where the six streams run, how fast, and which colour each has
// in:      `lines`, one row a stream: x the middle of the stream and y its slope, in breadths
// out:     `current` xy velocity in screen heights a second, z across all streams (0 to 5 from the
//          first middle to the last), w how near the middle of a stream (0 to 1);
//          `tint` the pigment that the streams carry
// ranges:  on a tall screen the streams fall from top to bottom and a breadth is a width
// licence: MIT, of this project

const int STREAMS = 6;

uniform sampler2D lines;
uniform bool tall;
uniform float speed;           // screen heights a second
uniform vec3 tints[STREAMS];

in vec2 at;
layout(location = 0) out vec4 current;
layout(location = 1) out vec4 tint;

vec2 line(float along, int stream) {
    return texture(lines, vec2(along, (float(stream) + 0.5) / float(STREAMS))).xy;
}

void main() {
    float along = tall ? at.y : at.x, breadth = tall ? at.x : at.y;
    vec2 last = line(along, 0);
    vec3 colour = tints[0];
    float across = (breadth - last.x) * 7.0, slope = last.y, near = abs(breadth - last.x);
    for (int i = 1; i < STREAMS; i++) {
        vec2 next = line(along, i);
        float part = (breadth - last.x) / max(next.x - last.x, 0.02);
        if (part > 0.0) {
            float between = clamp(part, 0.0, 1.0);
            across = part <= 1.0 ? float(i - 1) + part : float(i) + (breadth - next.x) * 7.0;
            slope = mix(last.y, next.y, between);
            colour = mix(tints[i - 1], tints[i], smoothstep(0.25, 0.75, between));
        }
        near = min(near, abs(breadth - next.x));
        last = next;
    }
    float middle = exp(-near * near * 420.0);
    vec2 onward = vec2(1.0, slope) * speed * (0.35 + 0.65 * middle);
    current = vec4(tall ? onward.yx : onward, across, middle);
    tint = vec4(colour, middle);
}
