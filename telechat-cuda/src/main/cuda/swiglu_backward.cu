// SPDX-License-Identifier: Apache-2.0
// The gradient of out = silu(gate) · up (Shazeer 2020, arXiv:2002.05202): with s = 1/(1 + e^(−gate)),
//     dGate = dOut · up · s · (1 + gate · (1 − s)), dUp = dOut · gate · s.
// gateUp and dGateUp are [tokens, 2 · ffn] = gate | up; dGateUp may be gateUp. Where e^(−gate) is infinite, s is 0.
#include "device.cuh"

KERNEL swi_glu_backward(const float* gateUp, const float* dOut, int64_t elements, int ffn, float* dGateUp) {
    int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < elements) {
        int64_t row = i / ffn;
        int64_t at = 2 * row * ffn + (i - row * ffn);
        float gate = gateUp[at], up = gateUp[at + ffn], d = dOut[i];
        float s = 1 / (1 + expf(-gate));
        dGateUp[at] = d * up * s * (1 + gate * (1 - s));
        dGateUp[at + ffn] = d * gate * s;
    }
}
REGISTER(swi_glu_backward)
