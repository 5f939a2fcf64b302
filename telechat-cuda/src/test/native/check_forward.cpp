// SPDX-License-Identifier: Apache-2.0
// The kernels of the forward formulas that have barriers, against their formulas in double. The contract tests in Java have more
// sizes; what is here is for the detectors of races and of accesses beyond arrays.
#include "check.h"

#include "../../main/cuda/attention.cu"
#include "../../main/cuda/kv_store.cu"
#include "../../main/cuda/product.cu"
#include "../../main/cuda/product_few.cu"
#include "../../main/cuda/head_norm.cu"
#include "../../main/cuda/rms_norm.cu"

#include <random>

namespace {
using Floats = std::vector<float>;
using Doubles = std::vector<double>;

template <class T> std::vector<T> narrowed(const Floats& from) {
    std::vector<T> to(from.size());
    for (size_t i = 0; i < from.size(); i++) {
        narrow(from[i], to[i]);
    }
    return to;
}
template <class T> Doubles widened(const std::vector<T>& from) {
    Doubles to;
    for (T x : from) {
        to.push_back(widen(x));
    }
    return to;
}

// y = a · bᵀ (+ bias), [m, k] by [n, k].
Doubles product(const Doubles& a, const Doubles& b, const Floats& bias, int m, int n, int k) {
    Doubles y((size_t)m * n);
    for (int i = 0; i < m; i++) {
        for (int j = 0; j < n; j++) {
            y[i * n + j] = bias.empty() ? 0 : bias[j];
            for (int d = 0; d < k; d++) {
                y[i * n + j] += a[i * k + d] * b[j * k + d];
            }
        }
    }
    return y;
}
Doubles transposed(const Doubles& x, int rows, int columns) {
    Doubles to(x.size());
    for (int r = 0; r < rows; r++) {
        for (int c = 0; c < columns; c++) {
            to[(size_t)c * rows + r] = x[(size_t)r * columns + c];
        }
    }
    return to;
}

constexpr int sharedBytes(int planesA, int planesB, int tile) { return (planesA + planesB) * tile * 80 + tile * 4; }

// Quantized weights of random bytes, and what they stand for.
template <int BITS> struct Panels {
    std::vector<uint4> memory;
    Doubles values;

    Panels(int rows, int columns) : values((size_t)rows * columns) {
        int panels = (rows + 15) / 16;
        int64_t bytes = quantized::Layout<BITS>::panelBytes(columns);
        memory.resize(panels * bytes / 16);
        std::mt19937 random(5);
        auto* at = reinterpret_cast<uint8_t*>(memory.data());
        for (int64_t i = 0; i < panels * bytes; i++) {
            at[i] = (uint8_t)random();
        }
        for (int p = 0; p < panels; p++) {
            for (int r = 0; r < 16; r++) {
                float factor = 0.01f * (1 + (float)(r % 5)); // bytes may be no number
                memcpy(at + p * bytes + 4 * r, &factor, 4);
            }
        }
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < columns; c++) {
                const uint8_t* panel = at + r / 16 * bytes;
                values[(size_t)r * columns + c] = (double)quantized::integerAt<BITS>(panel, r % 16, c)
                        * quantized::factorAt<BITS>(panel, r % 16, c);
            }
        }
    }
    const uint8_t* data() const { return reinterpret_cast<const uint8_t*>(memory.data()); }
};

// Activations that rounding to integers in groups of 32 does not change.
Floats roundable(int tokens, int columns) {
    Floats x((size_t)tokens * columns);
    for (size_t i = 0; i < x.size(); i++) {
        x[i] = i % columns % 32 == 0 ? 1 : (float)((int)(i * 7919 % 3) - 1);
    }
    return x;
}

CHECK_CASE(products_of_many_rows) {
    int m = 70, n = 67, k = 101;
    Floats a = gaussian((size_t)m * k, 1), b = gaussian((size_t)n * k, 2), bias = gaussian(n, 3), y((size_t)m * n, NAN);
    Doubles wideA = widened(a);
    run<product_nt_f32_p3_64>({2, 2, 1}, 128, sharedBytes(3, 3, 64), a.data(), k, b.data(), k, m, n, k, bias.data(), nullptr, y.data(), n);
    expectClose("nt f32", y, product(wideA, widened(b), bias, m, n, k), 1e-5);
    auto half = narrowed<half16>(b);
    run<product_nt_f16_p3_64>({2, 2, 1}, 128, sharedBytes(3, 2, 64), a.data(), k, half.data(), k, m, n, k, nullptr, nullptr, y.data(), n);
    expectClose("nt f16", y, product(wideA, widened(half), {}, m, n, k), 1e-5);
    auto brain = narrowed<bf16>(b);
    run<product_nt_bf16_p1_128>({1, 1, 1}, 256, sharedBytes(1, 1, 128), a.data(), k, brain.data(), k, m, n, k, nullptr, nullptr, y.data(), n);
    expectClose("nt bf16, rounded", y, product(wideA, widened(brain), {}, m, n, k), 0.2);
    // dx = dy · W with W [k, n], and dW = dyᵀ · x with both operands by columns.
    Doubles byColumns = transposed(widened(b), n, k);
    Floats w(byColumns.begin(), byColumns.end());
    run<product_nn_f32_p3_64>({2, 2, 1}, 128, sharedBytes(3, 3, 64), a.data(), k, w.data(), n, m, n, k, nullptr, nullptr, y.data(), n);
    expectClose("nn f32", y, product(wideA, widened(b), {}, m, n, k), 1e-5);
    Doubles columnsA = transposed(wideA, m, k);
    Floats at(columnsA.begin(), columnsA.end());
    run<product_tn_f32_p3_64>({2, 2, 1}, 128, sharedBytes(3, 3, 64), at.data(), m, w.data(), n, m, n, k, nullptr, nullptr, y.data(), n);
    expectClose("tn f32", y, product(wideA, widened(b), {}, m, n, k), 1e-5);
}

CHECK_CASE(products_with_quantized_weights) {
    int m = 66, n = 50, k = 150;
    Panels<8> eight(n, k);
    Panels<4> four(n, k);
    Floats a = gaussian((size_t)m * k, 4), y((size_t)m * n, NAN);
    run<product_nt_q8_p3_64>({1, 2, 1}, 128, sharedBytes(3, 1, 64), a.data(), k, eight.data(), k, m, n, k, nullptr, nullptr, y.data(), n);
    expectClose("nt q8", y, product(widened(a), eight.values, {}, m, n, k), 1e-5);
    run<product_nt_q4_p3_64>({1, 2, 1}, 128, sharedBytes(3, 1, 64), a.data(), k, four.data(), k, m, n, k, nullptr, nullptr, y.data(), n);
    expectClose("nt q4", y, product(widened(a), four.values, {}, m, n, k), 1e-5);
    for (int tokens : {1, 7}) {
        Floats x = roundable(tokens, k), z((size_t)tokens * n, NAN);
        run<few_q8_t1>((n + 31) / 32, 256, 0, x.data(), eight.data(), k, tokens, n, k, nullptr, nullptr, z.data(), n);
        expectClose("few q8", z, product(widened(x), eight.values, {}, tokens, n, k), 1e-5);
        run<few_q4_t1>((n + 31) / 32, 256, 0, x.data(), four.data(), k, tokens, n, k, nullptr, nullptr, z.data(), n);
        expectClose("few q4", z, product(widened(x), four.values, {}, tokens, n, k), 1e-5);
    }
}

CHECK_CASE(products_of_few_rows) {
    for (int k : {37, 300}) {
        int n = 45;
        auto w = narrowed<bf16>(gaussian((size_t)n * k, 6));
        for (int tokens : {1, 30}) {
            Floats x = gaussian((size_t)tokens * k, 7), y((size_t)tokens * n, NAN), bias = gaussian(n, 8);
            if (tokens <= 8) {
                run<few_bf16_p3_t1>((n + 15) / 16, 256, 0, x.data(), w.data(), k, tokens, n, k, bias.data(), nullptr, y.data(), n);
            } else {
                run<few_bf16_p3_t4>((n + 15) / 16, 256, 0, x.data(), w.data(), k, tokens, n, k, bias.data(), nullptr, y.data(), n);
            }
            expectClose("few bf16", y, product(widened(x), widened(w), bias, tokens, n, k), 1e-5);
        }
    }
}

// The new tokens of one sequence behind a cache, with the positions divided among blocks.
template <auto STORE, auto ATTEND, class T> void attention(const char* what, int cached, int count, int headDim, int splits,
        int rows, int shared, double tolerance) {
    int heads = 4, kvHeads = 2, group = 2, positions = cached + count, width = (heads + 2 * kvHeads) * headDim;
    int blocks = (positions + 63) / 64;
    std::vector<std::vector<T>> cache(blocks, std::vector<T>((size_t)2 * kvHeads * 64 * headDim));
    for (auto& block : cache) {
        memset((void*)block.data(), 0xff, block.size() * sizeof(T)); // no numbers
    }
    std::vector<int64_t> table, ofToken;
    for (auto& block : cache) {
        table.push_back(reinterpret_cast<int64_t>(block.data()));
    }
    std::vector<int> slots;
    for (int p = 0; p < positions; p++) {
        ofToken.push_back(table[p / 64]);
        slots.push_back(p % 64);
    }
    Floats qkv = gaussian((size_t)positions * width, 9);
    run<STORE>({(unsigned)positions, (unsigned)kvHeads, 1}, 64, 0, qkv.data(), ofToken.data(), slots.data(), 0, heads, kvHeads, headDim);
    std::vector<int4> spans = {{0, count, cached, 0}};
    std::vector<int2> tiles;
    for (int row = 0; row < count * group; row += rows) {
        tiles.push_back({0, row});
    }
    const float* fresh = qkv.data() + (size_t)cached * width;
    int queries = count * heads;
    Floats out((size_t)queries * headDim, NAN), lse(queries, NAN), partOut((size_t)queries * splits * headDim, NAN), partLse(queries * splits, NAN);
    float scale = (float)(1 / sqrt(headDim));
    run<ATTEND>({(unsigned)tiles.size(), (unsigned)kvHeads, (unsigned)splits}, rows * 2, shared, fresh, spans.data(), tiles.data(),
            table.data(), 0, heads, kvHeads, headDim, scale, out.data(), lse.data(), partOut.data(), partLse.data());
    if (splits > 1) {
        run<attention_merge>(queries, 64, 0, partOut.data(), partLse.data(), splits, headDim, out.data(), lse.data());
    }
    Doubles expected((size_t)queries * headDim), expectedLse(queries);
    auto rounded = [](float x) {
        T narrowedX;
        narrow(x, narrowedX);
        return (double)widen(narrowedX);
    };
    for (int t = 0; t < count; t++) {
        for (int h = 0; h < heads; h++) {
            Doubles weights;
            double sum = 0;
            for (int p = 0; p <= cached + t; p++) {
                double score = 0;
                for (int d = 0; d < headDim; d++) {
                    score += (double)fresh[t * width + h * headDim + d] * rounded(qkv[p * width + (heads + h / group) * headDim + d]);
                }
                weights.push_back(exp(score * scale));
                sum += weights.back();
            }
            for (int d = 0; d < headDim; d++) {
                double value = 0;
                for (size_t p = 0; p < weights.size(); p++) {
                    value += weights[p] * rounded(qkv[p * width + (heads + kvHeads + h / group) * headDim + d]);
                }
                expected[(size_t)(t * heads + h) * headDim + d] = value / sum;
            }
            expectedLse[t * heads + h] = log(sum);
        }
    }
    expectClose(what, out, expected, tolerance);
    expectClose((std::string(what) + ", denominators").c_str(), lse, expectedLse, tolerance);
}

constexpr int attentionShared(int dim, int rows, int positions, int queryPlanes, int keyPlanes) {
    return (queryPlanes * rows * (dim + 8) + keyPlanes * (positions * (dim + 8) + dim * (positions + 8))) * 2;
}

CHECK_CASE(attention_over_a_cache) {
    attention<kv_store_bf16, attention_bf16_p3_d64, bf16>("a token, bf16", 130, 1, 64, 4, 64, attentionShared(64, 64, 64, 3, 1), 1e-5);
    attention<kv_store_bf16, attention_bf16_p3_d192, bf16>("a prompt, heads of 160", 5, 40, 160, 1, 32, attentionShared(192, 32, 32, 3, 1), 1e-5);
    attention<kv_store_f32, attention_f32_p3_d128, float>("a prompt, f32", 60, 20, 100, 2, 32, attentionShared(128, 32, 32, 3, 3), 1e-5);
    attention<kv_store_f16, attention_f16_p3_d64, half16>("a prompt, f16", 0, 70, 34, 1, 64, attentionShared(64, 64, 64, 3, 2), 1e-5);
    attention<kv_store_bf16, attention_bf16_p1_d64, bf16>("a prompt, rounded", 3, 70, 64, 1, 64, attentionShared(64, 64, 64, 1, 1), 3e-2);
}

CHECK_CASE(norms) {
    int rows = 3, columns = 207;
    Floats x = gaussian((size_t)rows * columns, 10), weight = gaussian(columns, 11), y(x.size(), NAN), rstd(rows, NAN);
    run<rms_norm>(rows, 256, 0, x.data(), weight.data(), 1e-5f, columns, y.data(), rstd.data());
    Doubles expected(x.size());
    for (int r = 0; r < rows; r++) {
        double sum = 0;
        for (int i = 0; i < columns; i++) {
            sum += (double)x[r * columns + i] * x[r * columns + i];
        }
        for (int i = 0; i < columns; i++) {
            expected[r * columns + i] = x[r * columns + i] / sqrt(sum / columns + 1e-5) * weight[i];
        }
    }
    expectClose("norm", y, expected, 1e-5);
}

CHECK_CASE(norms_of_heads) {
    int tokens = 5, heads = 6, kvHeads = 3, dim = 12, all = heads + 2 * kvHeads;
    Floats x = gaussian((size_t)tokens * all * dim, 12), ofQueries = gaussian(dim, 13), ofKeys = gaussian(dim, 14);
    Floats y(x.size(), NAN), rstd((size_t)tokens * (heads + kvHeads), NAN);
    run<head_norm>((tokens * all * 32 + 255) / 256, 256, 0, x.data(), tokens, heads, kvHeads, dim, ofQueries.data(), ofKeys.data(),
            1e-5f, y.data(), rstd.data());
    Doubles expected(x.begin(), x.end());
    for (int item = 0; item < tokens * all; item++) {
        int head = item % all;
        double sum = 0;
        for (int i = 0; i < dim; i++) {
            sum += (double)x[item * dim + i] * x[item * dim + i];
        }
        for (int i = 0; i < dim && head < heads + kvHeads; i++) {
            expected[item * dim + i] *= (head < heads ? ofQueries : ofKeys)[i] / sqrt(sum / dim + 1e-5);
        }
    }
    expectClose("norms of heads", y, expected, 1e-5);
}
} // namespace
