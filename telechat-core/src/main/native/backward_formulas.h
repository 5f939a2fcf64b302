// SPDX-License-Identifier: Apache-2.0
//
// Gradients of the formulas between the products, the loss, and the optimizer.

// dx = residual + rstd * (g - xhat * mean(g * xhat)) with g = dy * weight, xhat = x * rstd; d_weight += sum of dy * xhat.
// All [rows, columns]; rstd [rows]; d_weight [columns]. dx may be dy or residual.
static void rms_norm_backward(const float *x, const float *weight, const float *rstd, const float *dy, const float *residual,
                              float *dx, float *d_weight, int64_t rows, int64_t columns) {
    for (int64_t row = 0; row < rows; row++, x += columns, dy += columns, residual += columns, dx += columns) {
        VF s = vf_set1(rstd[row]), sum = vf_zero();
        for (int64_t i = 0; i < columns; i += LANES) {
            int64_t n = columns - i;
            VF xhat = vf_mul(part(x + i, n), s), d = part(dy + i, n);
            sum = vf_fma(vf_mul(d, part(weight + i, n)), xhat, sum);
            put_part(d_weight + i, n, vf_fma(d, xhat, part(d_weight + i, n)));
        }
        VF mean = vf_set1(vf_sum(sum) / columns);
        for (int64_t i = 0; i < columns; i += LANES) {
            int64_t n = columns - i;
            VF xhat = vf_mul(part(x + i, n), s), g = vf_mul(part(dy + i, n), part(weight + i, n));
            put_part(dx + i, n, vf_fma(s, vf_sub(g, vf_mul(xhat, mean)), part(residual + i, n)));
        }
    }
}

// to[i] += sum over rows of from[row, i].
static void column_sums(const float *from, int64_t stride, int64_t rows, int64_t columns, float *to) {
    for (int64_t i = 0; i < columns; i += LANES) {
        int64_t n = columns - i;
        VF sum = part(to + i, n);
        for (int64_t row = 0; row < rows; row++) sum = vf_add(sum, part(from + row * stride + i, n));
        put_part(to + i, n, sum);
    }
}

// d_gate = d_out * up * s * (1 + gate * (1 - s)), d_up = d_out * gate * s with s = 1 / (1 + e^-gate).
// gate_up, d_gate_up [rows, 2 * columns], may be the same; d_out [rows, columns].
static void swiglu_backward(const float *gate_up, const float *d_out, float *d_gate_up, int64_t rows, int64_t columns) {
    VF one = vf_set1(1);
    for (int64_t row = 0; row < rows; row++, d_out += columns, gate_up += 2 * columns, d_gate_up += 2 * columns) {
        for (int64_t i = 0; i < columns; i += LANES) {
            int64_t n = columns - i;
            VF gate = part(gate_up + i, n), up = part(gate_up + columns + i, n), d = part(d_out + i, n);
            VF s = vf_div(one, vf_add(one, vf_exp(vf_sub(vf_zero(), gate))));
            VF ds = vf_mul(d, s);
            put_part(d_gate_up + i, n, vf_mul(vf_mul(ds, up), vf_fma(gate, vf_sub(one, s), one)));
            put_part(d_gate_up + columns + i, n, vf_mul(ds, gate));
        }
    }
}

// loss[row] = -log softmax(scale * logits)[target]; logits = scale * weight * (softmax(scale * logits) - onehot(target)).
static void cross_entropy(float *logits, const int32_t *targets, const float *weights, float scale, float *loss, int64_t rows,
                          int64_t columns) {
    VF s = vf_set1(scale);
    for (int64_t row = 0; row < rows; row++, logits += columns) {
        VF most = vf_set1(-INFINITY);
        int64_t i = 0;
        for (; i + LANES <= columns; i += LANES) most = vf_max(most, vf_mul(vf_load(logits + i), s));
        float max = vf_max_lane(most);
        for (; i < columns; i++) max = logits[i] * scale > max ? logits[i] * scale : max;
        float right = logits[targets[row]] * scale;
        // Sums of a thousand exponentials in float, added in double.
        double total = 0;
        for (int64_t begin = 0; begin < columns; begin += 1024) {
            int64_t end = begin + 1024 < columns ? begin + 1024 : columns;
            VF sum = vf_zero();
            for (i = begin; i + LANES <= end; i += LANES) {
                VF e = vf_exp(vf_sub(vf_mul(vf_load(logits + i), s), vf_set1(max)));
                vf_store(logits + i, e);
                sum = vf_add(sum, e);
            }
            total += vf_sum(sum);
            for (; i < end; i++) total += logits[i] = expf(logits[i] * scale - max);
        }
        loss[row] = (float) (log(total) + max - right);
        float factor = (float) (scale * weights[row] / total);
        VF f = vf_set1(factor);
        for (i = 0; i + LANES <= columns; i += LANES) vf_store(logits + i, vf_mul(vf_load(logits + i), f));
        for (; i < columns; i++) logits[i] *= factor;
        logits[targets[row]] -= scale * weights[row];
    }
}

static double sum_of_squares(const float *x, int64_t count) {
    VF a = vf_zero(), b = a;
    int64_t i = 0;
    for (; i + 2 * LANES <= count; i += 2 * LANES) {
        VF u = vf_load(x + i), v = vf_load(x + i + LANES);
        a = vf_fma(u, u, a);
        b = vf_fma(v, v, b);
    }
    for (; i < count; i += LANES) {
        VF v = part(x + i, count - i);
        a = vf_fma(v, v, a);
    }
    return vf_sum(vf_add(a, b));
}

// AdamW with bias corrections c1 = 1 / (1 - beta1^t), c2 likewise; the gradient is scaled first.
static void adamw(float *p, const float *g, float *m, float *v, int64_t count, float rate, float beta1, float beta2, float epsilon,
                  float decay, float scale, float c1, float c2) {
    VF b1 = vf_set1(beta1), b2 = vf_set1(beta2), r1 = vf_set1(1 - beta1), r2 = vf_set1(1 - beta2);
    for (int64_t i = 0; i < count; i += LANES) {
        int64_t n = count - i;
        VF grad = vf_mul(part(g + i, n), vf_set1(scale)), weight = part(p + i, n);
        VF mean = vf_fma(b1, part(m + i, n), vf_mul(r1, grad));
        VF square = vf_fma(b2, part(v + i, n), vf_mul(r2, vf_mul(grad, grad)));
        put_part(m + i, n, mean);
        put_part(v + i, n, square);
        VF step = vf_div(vf_mul(mean, vf_set1(c1)), vf_add(vf_sqrt(vf_mul(square, vf_set1(c2))), vf_set1(epsilon)));
        step = vf_fma(vf_set1(decay), weight, step);
        put_part(p + i, n, vf_sub(weight, vf_mul(vf_set1(rate), step)));
    }
}
