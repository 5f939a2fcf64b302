// SPDX-License-Identifier: Apache-2.0
//
// The formulas between the products, row by row.

// e^x to about one unit in the last place: 2^n * P(r) with x = n ln 2 + r and the polynomial of the Cephes library's expf.
INLINE VF vf_exp(VF x) {
    x = vf_min(vf_max(x, vf_set1(-87.3f)), vf_set1(88.3f));
    VF n = vf_round(vf_mul(x, vf_set1(1.44269504f)));
    VF r = vf_fma(n, vf_set1(-0.693359375f), x);
    r = vf_fma(n, vf_set1(2.12194440e-4f), r);
    VF p = vf_set1(1.9875691500e-4f);
    p = vf_fma(p, r, vf_set1(1.3981999507e-3f));
    p = vf_fma(p, r, vf_set1(8.3334519073e-3f));
    p = vf_fma(p, r, vf_set1(4.1665795894e-2f));
    p = vf_fma(p, r, vf_set1(1.6666665459e-1f));
    p = vf_fma(p, r, vf_set1(5.0000001201e-1f));
    p = vf_add(vf_fma(p, vf_mul(r, r), r), vf_set1(1));
    return vf_scale(p, n);
}

// y = x / sqrt(mean(x^2) + eps) * weight; y may be x. [rows, columns]; rstd [rows].
static void rms_norm(const float *x, const float *weight, float eps, float *y, float *rstd, int64_t rows, int64_t columns) {
    for (int64_t row = 0; row < rows; row++, x += columns, y += columns) {
        VF a = vf_zero(), b = a;
        int64_t i = 0;
        for (; i + 2 * LANES <= columns; i += 2 * LANES) {
            VF u = vf_load(x + i), v = vf_load(x + i + LANES);
            a = vf_fma(u, u, a);
            b = vf_fma(v, v, b);
        }
        for (; i < columns; i += LANES) {
            VF v = i + LANES <= columns ? vf_load(x + i) : vf_load_part(x + i, columns - i);
            a = vf_fma(v, v, a);
        }
        float scale = (float) (1 / sqrt(vf_sum(vf_add(a, b)) / columns + eps));
        rstd[row] = scale;
        VF s = vf_set1(scale);
        for (i = 0; i + LANES <= columns; i += LANES) {
            vf_store(y + i, vf_mul(vf_mul(vf_load(x + i), s), vf_load(weight + i)));
        }
        for (; i < columns; i++) y[i] = x[i] * scale * weight[i];
    }
}

// (x[i], x[i + half]) = (x[i] cos - x[i + half] sin, x[i + half] cos + x[i] sin) for the first heads of each row.
// x [rows, stride]; cos, sin [rows, half].
static void rope(float *x, const float *cosines, const float *sines, int64_t rows, int64_t stride, int64_t heads, int64_t half) {
    for (int64_t row = 0; row < rows; row++, cosines += half, sines += half) {
        for (int64_t head = 0; head < heads; head++) {
            float *first = x + row * stride + 2 * head * half, *second = first + half;
            int64_t i = 0;
            for (; i + LANES <= half; i += LANES) {
                VF a = vf_load(first + i), b = vf_load(second + i), c = vf_load(cosines + i), s = vf_load(sines + i);
                vf_store(first + i, vf_sub(vf_mul(a, c), vf_mul(b, s)));
                vf_store(second + i, vf_add(vf_mul(b, c), vf_mul(a, s)));
            }
            for (; i < half; i++) {
                float a = first[i], b = second[i];
                first[i] = a * cosines[i] - b * sines[i];
                second[i] = b * cosines[i] + a * sines[i];
            }
        }
    }
}

INLINE VF silu_times(VF gate, VF up) {
    VF minus = vf_sub(vf_zero(), gate);
    return vf_mul(vf_div(gate, vf_add(vf_exp(minus), vf_set1(1))), up);
}

// out = gate / (1 + e^-gate) * up. gate_up [rows, 2 * columns]; out [rows, columns].
static void swiglu(const float *gate_up, float *out, int64_t rows, int64_t columns) {
    for (int64_t row = 0; row < rows; row++, out += columns) {
        const float *gate = gate_up + 2 * row * columns, *up = gate + columns;
        int64_t i = 0;
        for (; i + LANES <= columns; i += LANES) vf_store(out + i, silu_times(vf_load(gate + i), vf_load(up + i)));
        if (i < columns) {
            int64_t n = columns - i;
            vf_store_part(out + i, n, silu_times(vf_load_part(gate + i, n), vf_load_part(up + i, n)));
        }
    }
}

// x = factor * x.
static void scale(float *x, float factor, int64_t count) {
    VF f = vf_set1(factor);
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES) vf_store(x + i, vf_mul(vf_load(x + i), f));
    for (; i < count; i++) x[i] *= factor;
}
