// SPDX-License-Identifier: Apache-2.0
// Narrow floating-point numbers, for the stand-ins of libraries that compute with them.
#pragma once
#include <cstdint>
#include <cstring>

namespace standin {
inline float toFloat(uint32_t bits) {
    float value;
    memcpy(&value, &bits, 4);
    return value;
}
inline uint32_t toBits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    return bits;
}
struct Bf16 {
    uint16_t bits;
    float wide() const { return toFloat((uint32_t)bits << 16); }
    static Bf16 of(float value) { // to the nearest, ties to even
        uint32_t b = toBits(value);
        return {(uint16_t)(value != value ? 0x7fff : (b + 0x7fff + (b >> 16 & 1)) >> 16)};
    }
};
struct Half {
    uint16_t bits;
    float wide() const {
        uint32_t magnitude = (uint32_t)(bits & 0x7fff) << 13, sign = (uint32_t)(bits & 0x8000) << 16;
        return magnitude >= 0x0f800000u ? toFloat(sign | magnitude | 0x7f800000u) // infinity or NaN
                                        : toFloat(sign | toBits(toFloat(magnitude) * 0x1p112f));
    }
    static Half of(float value) { // to the nearest, ties to even
        uint32_t b = toBits(value), magnitude = b & 0x7fffffffu;
        uint16_t sign = b >> 16 & 0x8000;
        if (magnitude > 0x7f800000u) {
            return {0x7fff};
        }
        if (magnitude >= toBits(65520.0f)) {
            return {(uint16_t)(sign | 0x7c00)};
        }
        if (magnitude < toBits(0x1p-14f)) { // below the normal numbers
            return {(uint16_t)(sign | (toBits(toFloat(magnitude) + 0.5f) - toBits(0.5f)))};
        }
        return {(uint16_t)(sign | ((magnitude - (112u << 23) + 0xfff + (magnitude >> 13 & 1)) >> 13))};
    }
};
} // namespace standin
