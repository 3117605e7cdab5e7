#version 330 core
// finish.vert
// purpose: one triangle that covers the whole screen, and where its corners lie in the picture
// in:      `site`, from places on the screen to places in the picture: keystone and rotation
// out:     `ray`, to be divided by its z; 0 to 1 over the picture, origin top left
// licence: MIT, of this project

uniform mat3 site;

out vec3 ray;

void main() {
    vec2 corner = vec2(gl_VertexID == 1 ? 2.0 : 0.0, gl_VertexID == 2 ? 2.0 : 0.0);
    ray = site * vec3(corner, 1.0);
    gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}
