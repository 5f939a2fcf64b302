// SPDX-License-Identifier: Apache-2.0
// The kernels of training against their formulas in double.
#include "check.h"

#include "../../main/cuda/attention_backward.cu"
#include "../../main/cuda/cross_entropy.cu"
#include "../../main/cuda/embed_backward.cu"
#include "../../main/cuda/optimizer.cu"
#include "../../main/cuda/rms_norm_backward.cu"
#include "../../main/cuda/swiglu_backward.cu"

#include <algorithm>
#include <map>

namespace {

// An array that begins at any element, not only at multiples of 16 bytes, and ends with its last.
template <class T> class Slice {
public:
    explicit Slice(size_t elements, size_t first = 0) : first(first), all(first + elements) {}
    T* data() { return all.data() + first; }
    const T* data() const { return all.data() + first; }
    size_t size() const { return all.size() - first; }
    T& operator[](size_t i) { return all[first + i]; }
    const T& operator[](size_t i) const { return all[first + i]; }
    bool operator==(const Slice& other) const { return memcmp(data(), other.data(), size() * sizeof(T)) == 0; }

private:
    size_t first;
    std::vector<T> all;
};
using Floats = Slice<float>;
using Doubles = std::vector<double>;

uint64_t state = 42;
double uniform() {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (state >> 11) * 0x1p-53;
}
Floats random(size_t elements, size_t first = 0) {
    Floats x(elements, first);
    for (size_t i = 0; i < elements; i++) {
        x[i] = 4 * uniform() - 2;
    }
    return x;
}

int blocks(int64_t elements, int of) { return (elements + of - 1) / of; }

// Results have the same bits in every order of blocks and threads. A case has the same inputs in all of them: see restart().
int results = 0;
template <class T> void expectSameBits(const std::string& what, const Slice<T>& result) {
    static std::map<std::string, Slice<T>> all;
    const Slice<T>& first = all.emplace(what + ", result " + std::to_string(results++), result).first->second;
    EXPECT(first == result, "%s: bits depend on the order", what.c_str());
}
void restart() {
    state = 42;
    results = 0;
}

// Products of planes ----------------------------------------------------------------------------------------------------------
CHECK_CASE(planes_of_a_float_add_up_to_it) {
    restart();
    for (int i = 0; i < 10000; i++) {
        float low = ldexp(2 * uniform() - 1, i % 60 - 30), high = ldexp(uniform(), 5 - i % 13);
        uint32_t planes[3];
        split(low, high, planes);
        double lows = 0, highs = 0;
        for (uint32_t plane : planes) {
            lows += lowBf16(plane);
            highs += highBf16(plane);
        }
        EXPECT(fabs(lows - low) <= fabs(low) * 0x1p-24 && fabs(highs - high) <= high * 0x1p-24, "planes of %g, %g", low, high);
    }
}

// Attention -------------------------------------------------------------------------------------------------------------------
struct Attention {
    int heads, kvHeads, headDim;
    std::vector<int> spans;

    int tokens() const {
        int sum = 0;
        for (int span : spans) {
            sum += span;
        }
        return sum;
    }
    int64_t outWidth() const { return heads * headDim; }
    int64_t pitch() const { return outWidth() + 2 * kvHeads * headDim; }
    double scale() const { return 1 / sqrt(headDim); }

    // Calls action(row of the query, row of the key, column of the query, of the key, of the value, head) for all pairs.
    template <class Action> void pairs(Action action) const {
        int first = 0;
        for (int span : spans) {
            for (int head = 0; head < heads; head++) {
                int64_t key = outWidth() + head / (heads / kvHeads) * headDim;
                for (int t = 0; t < span; t++) {
                    for (int p = 0; p <= t; p++) {
                        action(first + t, first + p, head * headDim, key, key + kvHeads * headDim, head);
                    }
                }
            }
            first += span;
        }
    }
};

double dot(const float* a, const float* b, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
        sum += (double)a[i] * b[i];
    }
    return sum;
}

template <auto KEYS, auto QUERIES, int WIDTH, int PLANES>
void attentionBackward(const Attention& a, float factor, size_t first, double tolerance) {
    using Size = attention_backward::Sizes<WIDTH, PLANES>;
    std::string what = "attention backward, " + std::to_string(a.headDim) + " wide of " + std::to_string(WIDTH) + ", "
            + std::to_string(PLANES) + " planes, from " + std::to_string(first);
    Floats qkv = random(a.tokens() * a.pitch(), first), dOut = random(a.tokens() * a.outWidth(), first);
    for (size_t i = 0; i < qkv.size(); i++) {
        qkv[i] *= factor;
    }
    auto score = [&](int t, int p, int64_t q, int64_t k) {
        return a.scale() * dot(&qkv[t * a.pitch() + q], &qkv[p * a.pitch() + k], a.headDim);
    };
    Doubles maxima(a.tokens() * a.heads, -INFINITY), sums(maxima.size()), outs(a.tokens() * a.outWidth());
    a.pairs([&](int t, int p, int64_t q, int64_t k, int64_t, int head) {
        maxima[t * a.heads + head] = fmax(maxima[t * a.heads + head], score(t, p, q, k));
    });
    a.pairs([&](int t, int p, int64_t q, int64_t k, int64_t v, int head) {
        double e = exp(score(t, p, q, k) - maxima[t * a.heads + head]);
        sums[t * a.heads + head] += e;
        for (int d = 0; d < a.headDim; d++) {
            outs[t * a.outWidth() + q + d] += e * qkv[p * a.pitch() + v + d];
        }
    });
    Floats out(outs.size(), first), lse(maxima.size(), first);
    for (size_t i = 0; i < outs.size(); i++) {
        out[i] = outs[i] / sums[i / a.headDim];
    }
    for (size_t i = 0; i < maxima.size(); i++) {
        lse[i] = maxima[i] + log(sums[i]);
    }
    Doubles deltas(maxima.size()), expected(qkv.size());
    for (size_t i = 0; i < deltas.size(); i++) {
        deltas[i] = dot(&out[i * a.headDim], &dOut[i * a.headDim], a.headDim);
    }
    a.pairs([&](int t, int p, int64_t q, int64_t k, int64_t v, int head) {
        const float* d = &dOut[t * a.outWidth() + q];
        double weight = exp(score(t, p, q, k) - lse[t * a.heads + head]);
        double dScore = a.scale() * weight * (dot(d, &qkv[p * a.pitch() + v], a.headDim) - deltas[t * a.heads + head]);
        for (int i = 0; i < a.headDim; i++) {
            expected[t * a.pitch() + q + i] += dScore * qkv[p * a.pitch() + k + i];
            expected[p * a.pitch() + k + i] += dScore * qkv[t * a.pitch() + q + i];
            expected[p * a.pitch() + v + i] += weight * d[i];
        }
    });

    std::vector<int4> tiles;
    int row = 0;
    for (int span : a.spans) {
        for (int start = 0; start < span; start += Size::OUTER) {
            tiles.push_back({row, span, start, 0});
        }
        row += span;
    }
    Floats delta(deltas.size());
    Floats dQkv = random(qkv.size(), first);
    size_t rows = 2 * Size::OUTER + Size::INNER, rowBytes = 4 * Size::ROW, scores = 4 * Size::OUTER * Size::INNER;
    run<attention_delta>(blocks(delta.size(), 8), 256, 0, out.data(), dOut.data(), delta.size(), a.headDim, delta.data());
    run<KEYS>(dim3(a.kvHeads, tiles.size()), Size::THREADS, (rows + Size::INNER) * rowBytes + scores + 8 * Size::INNER,
            qkv.data(), dOut.data(), lse.data(), delta.data(), tiles.data(), a.headDim, a.heads, a.kvHeads, a.scale(),
            dQkv.data());
    run<QUERIES>(dim3(a.heads, tiles.size()), Size::THREADS, rows * rowBytes + max(Size::INNER * rowBytes, 2 * scores),
            qkv.data(), dOut.data(), lse.data(), delta.data(), tiles.data(), a.headDim, a.heads, a.kvHeads, a.scale(),
            dQkv.data());
    expectSameBits(what, dQkv);
    expectClose((what + ", delta").c_str(), delta, deltas, 1e-5);
    expectClose(what.c_str(), dQkv, expected, tolerance);
}

#define BACKWARD(width, planes)                                                                                       \
    attentionBackward<attention_backward_keys_d##width##_p##planes, attention_backward_queries_d##width##_p##planes, width, planes>
CHECK_CASE(attention_backward_matches_definition) {
    restart();
    for (size_t first : {0, 1}) {
        BACKWARD(64, 3)({4, 2, 64, {70, 35, 1}}, 1, first, 1e-5);
        BACKWARD(128, 3)({2, 1, 128, {70, 3}}, 1, first, 1e-5);
        BACKWARD(160, 3)({1, 1, 160, {81}}, 1, first, 1e-5);
        BACKWARD(256, 3)({2, 2, 256, {37, 5}}, 1, first, 1e-5);
        BACKWARD(64, 1)({4, 2, 64, {70, 35, 1}}, 1, first, 3e-2);
        BACKWARD(128, 1)({2, 1, 128, {70, 3}}, 1, first, 3e-2);
        BACKWARD(160, 1)({1, 1, 160, {81}}, 1, first, 3e-2);
        BACKWARD(256, 1)({2, 2, 256, {37, 5}}, 1, first, 3e-2);
    }
    // Heads of other widths, and of one that is no multiple of 4.
    BACKWARD(64, 3)({1, 1, 2, {7, 4, 1}}, 1, 0, 1e-5);
    BACKWARD(64, 3)({2, 1, 6, {130, 65, 1}}, 1, 0, 1e-5);
    BACKWARD(64, 3)({6, 2, 16, {64}}, 1, 0, 1e-5);
    BACKWARD(64, 1)({2, 1, 6, {130, 65, 1}}, 1, 0, 3e-2);
    BACKWARD(128, 3)({1, 1, 82, {37}}, 1, 0, 1e-5);
    BACKWARD(160, 3)({1, 1, 130, {19}}, 1, 0, 1e-5);
    BACKWARD(256, 3)({1, 1, 162, {33}}, 1, 0, 1e-5);
    BACKWARD(256, 1)({1, 1, 200, {66}}, 1, 0, 3e-2);
    BACKWARD(64, 3)({2, 1, 64, {207}}, 1, 0, 1e-5);
    // Large scores.
    BACKWARD(64, 3)({2, 1, 16, {70}}, 16, 0, 1e-2);
}

// Normalization and sums of columns -------------------------------------------------------------------------------------------
enum class Place { OWN, OVER_DY, OVER_RESIDUAL, RESIDUAL_IS_DY };

void rmsNormBackward(int rows, int columns, size_t first, Place place) {
    std::string what = "rms norm backward " + std::to_string(rows) + " x " + std::to_string(columns) + ", place "
            + std::to_string((int)place);
    size_t elements = (size_t)rows * columns;
    Floats x = random(elements, first), dy = random(elements, first), residual = random(elements, first);
    Floats weight = random(columns, first), rstd = random(rows, first), before = random(columns, first);
    if (place == Place::RESIDUAL_IS_DY) {
        residual = dy;
    }
    Doubles dx(elements), dWeight(columns);
    for (int i = 0; i < columns; i++) {
        dWeight[i] = before[i];
    }
    for (int t = 0; t < rows; t++) {
        double mean = 0;
        for (int i = 0; i < columns; i++) {
            size_t at = (size_t)t * columns + i;
            dWeight[i] += (double)dy[at] * x[at] * rstd[t];
            mean += (double)dy[at] * weight[i] * x[at] * rstd[t] / columns;
        }
        for (int i = 0; i < columns; i++) {
            size_t at = (size_t)t * columns + i;
            dx[at] = residual[at] + rstd[t] * ((double)dy[at] * weight[i] - (double)x[at] * rstd[t] * mean);
        }
    }
    int chunks = blocks(rows, column_sums::NORM_ROWS);
    Floats sums((size_t)chunks * columns);
    Floats results(elements + columns, first); // dx, then dWeight
    memcpy(&results[elements], before.data(), 4 * columns);
    const float *from = dy.data(), *past = residual.data();
    if (place == Place::OVER_DY || place == Place::RESIDUAL_IS_DY) {
        memcpy(results.data(), from, 4 * elements);
        from = results.data();
    }
    if (place == Place::OVER_RESIDUAL || place == Place::RESIDUAL_IS_DY) {
        memcpy(results.data(), past, 4 * elements);
        past = results.data();
    }
    int threads = columns < 100 ? 32 : 256;
    run<rms_norm_backward>(chunks, threads, 4 * columns, x.data(), weight.data(), rstd.data(), from, past, rows,
            columns, results.data(), sums.data());
    run<column_sums_add>(blocks(columns, 64), 64, 0, sums.data(), chunks, columns, &results[elements]);
    expectSameBits(what, results);
    dx.insert(dx.end(), dWeight.begin(), dWeight.end());
    expectClose(what.c_str(), results, dx, 1e-5);
}

CHECK_CASE(rms_norm_backward_matches_definition) {
    restart();
    for (Place place : {Place::OWN, Place::OVER_DY, Place::OVER_RESIDUAL, Place::RESIDUAL_IS_DY}) {
        rmsNormBackward(1, 1, 0, place);
        rmsNormBackward(5, 7, 1, place);
        rmsNormBackward(33, 96, 0, place);
        rmsNormBackward(130, 1030, 3, place);
    }
}

CHECK_CASE(column_sums_add_up_some_columns) {
    restart();
    for (int rows : {1, 64, 65, 207}) {
        int pitch = 137, columns = 71, from = 30;
        Floats x = random((size_t)rows * pitch, 1), sum = random(columns, 1);
        Doubles expected(columns);
        for (int i = 0; i < columns; i++) {
            expected[i] = sum[i];
            for (int t = 0; t < rows; t++) {
                expected[i] += x[(size_t)t * pitch + from + i];
            }
        }
        int chunks = blocks(rows, column_sums::BIAS_ROWS);
        Floats sums((size_t)chunks * columns);
        run<column_sums_of_chunks>(
                dim3(blocks(columns, 64), chunks), 64, 0, &x[from], pitch, rows, columns, sums.data());
        run<column_sums_add>(blocks(columns, 64), 64, 0, sums.data(), chunks, columns, sum.data());
        expectSameBits("column sums", sum);
        expectClose(("column sums of " + std::to_string(rows)).c_str(), sum, expected, 1e-5);
    }
}

// Elementwise -----------------------------------------------------------------------------------------------------------------
CHECK_CASE(swi_glu_backward_matches_definition) {
    restart();
    for (int tokens : {1, 5}) {
        for (int ffn : {1, 7, 207}) {
            Floats gateUp = random(2 * tokens * ffn, 1), dOut = random(tokens * ffn, 1);
            gateUp[0] = -200;
            gateUp[ffn / 2] = ffn > 1 ? 200 : -200;
            Doubles expected(gateUp.size());
            for (int i = 0; i < tokens * ffn; i++) {
                size_t at = i / ffn * 2 * ffn + i % ffn;
                double gate = gateUp[at], up = gateUp[at + ffn], s = 1 / (1 + exp(-gate));
                expected[at] = dOut[i] * up * s * (1 + gate * (1 - s));
                expected[at + ffn] = dOut[i] * gate * s;
            }
            Floats apart(gateUp.size());
            run<swi_glu_backward>(
                    blocks(dOut.size(), 256), 256, 0, gateUp.data(), dOut.data(), dOut.size(), ffn, apart.data());
            run<swi_glu_backward>(
                    blocks(dOut.size(), 256), 256, 0, gateUp.data(), dOut.data(), dOut.size(), ffn, gateUp.data());
            expectClose("swi glu backward", apart, expected, 1e-6);
            EXPECT(apart == gateUp, "swi glu backward differs in place");
        }
    }
}

void crossEntropy(Floats logits, int rows, float scale, double tolerance) {
    int vocab = logits.size() / rows;
    std::vector<int> targets(rows);
    Floats weights = random(rows), losses(rows);
    Doubles expected(logits.size()), expectedLosses(rows);
    weights[rows / 2] = 0;
    for (int t = 0; t < rows; t++) {
        targets[t] = t == rows - 1 ? vocab - 1 : (int)(uniform() * vocab);
        double largest = -INFINITY, sum = 0;
        for (int i = 0; i < vocab; i++) {
            largest = fmax(largest, (double)scale * logits[t * vocab + i]);
        }
        for (int i = 0; i < vocab; i++) {
            sum += exp((double)scale * logits[t * vocab + i] - largest);
        }
        expectedLosses[t] = log(sum) + largest - (double)scale * logits[t * vocab + targets[t]];
        for (int i = 0; i < vocab; i++) {
            double p = exp((double)scale * logits[t * vocab + i] - largest) / sum;
            expected[t * vocab + i] = scale * weights[t] * (p - (i == targets[t]));
        }
    }
    run<cross_entropy>(rows, vocab < 100 ? 32 : 256, 0, logits.data(), targets.data(), weights.data(), scale, vocab, losses.data());
    expectSameBits("cross entropy", logits);
    expectClose(("loss of " + std::to_string(vocab)).c_str(), losses, expectedLosses, tolerance);
    expectClose(("cross entropy of " + std::to_string(vocab)).c_str(), logits, expected, tolerance);
}

CHECK_CASE(cross_entropy_leaves_the_gradient_in_the_logits) {
    restart();
    crossEntropy(random(1, 1), 1, 1.5f, 2e-6);
    crossEntropy(random(35, 1), 5, 1.5f, 2e-6);
    crossEntropy(random(130 * 207), 130, 1.5f, 2e-6);
    crossEntropy(random(25000), 5, 1.5f, 2e-6);
    Floats extremes(27);
    for (int i = 0; i < 27; i++) {
        extremes[i] = (i % 5 - 2) * 4000.0f;
    }
    crossEntropy(extremes, 3, 2, 2e-6);
    extremes[4] = extremes[13] = -INFINITY; // no target
    std::vector<int> targets = {0, 1, 2};
    Floats weights(3), loss(3);
    weights[0] = weights[1] = weights[2] = 1;
    run<cross_entropy>(3, 32, 0, extremes.data(), targets.data(), weights.data(), 2.0f, 9, loss.data());
    for (int i = 0; i < 27; i++) {
        EXPECT(isfinite(extremes[i]) && isfinite(loss[i / 9]), "cross entropy with a masked logit");
    }
}

CHECK_CASE(embed_backward_adds_to_the_rows_of_the_tokens) {
    restart();
    for (int width : {1, 37, 300}) {
        int count = 130, vocab = 23;
        std::vector<int> ids(count), tokens, starts, positions;
        for (int& id : ids) {
            id = uniform() * 11;
        }
        for (int token = 0; token < vocab; token++) {
            size_t start = positions.size();
            for (int t = 0; t < count; t++) {
                if (ids[t] == token) {
                    positions.push_back(t);
                }
            }
            if (positions.size() > start) {
                tokens.push_back(token);
                starts.push_back(start);
            }
        }
        starts.push_back(count);
        Floats dOut = random(count * width, 1), dTable = random(vocab * width, 1);
        Doubles expected(dTable.size());
        for (size_t i = 0; i < expected.size(); i++) {
            expected[i] = dTable[i];
        }
        for (int t = 0; t < count; t++) {
            for (int i = 0; i < width; i++) {
                expected[ids[t] * width + i] += 1.5 * dOut[t * width + i];
            }
        }
        run<embed_backward>(dim3(tokens.size(), blocks(width, 128)), 128, 0, tokens.data(), starts.data(), positions.data(),
                dOut.data(), 1.5f, width, dTable.data());
        expectSameBits("embed backward", dTable);
        expectClose("embed backward", dTable, expected, 1e-5);
    }
}

// Optimizer -------------------------------------------------------------------------------------------------------------------
struct Step {
    float rate = 0.01f, beta1 = 0.9f, beta2 = 0.95f, epsilon = 1e-8f, decay = 0.1f, gradientScale = 0.25f;
    float correction1, correction2;

    explicit Step(int number) : correction1(1 / (1 - pow(beta1, number))), correction2(1 / (1 - pow(beta2, number))) {}
    void take(double& p, double gradient, double& m, double& v) const {
        double g = gradientScale * gradient;
        m = beta1 * m + (1.0 - beta1) * g;
        v = beta2 * v + (1.0 - beta2) * g * g;
        p -= rate * (m * correction1 / (sqrt(v * correction2) + epsilon) + decay * p);
    }
};

CHECK_CASE(adamw_takes_steps) {
    restart();
    for (int size : {1, 7, 256, 1000}) {
        Floats parameter = random(size, 1), m(size, 1), v(size, 1);
        Doubles p(size), mean(size), square(size);
        for (int i = 0; i < size; i++) {
            p[i] = parameter[i];
        }
        for (int number = 1; number <= 3; number++) {
            Floats gradient = random(size, 1);
            Step step(number);
            run<adam_w>(blocks(size, 256), 256, 0, parameter.data(), gradient.data(), m.data(), v.data(), size, step.rate,
                    step.beta1, step.beta2, step.epsilon, step.decay, step.gradientScale, step.correction1, step.correction2);
            for (int i = 0; i < size; i++) {
                step.take(p[i], gradient[i], mean[i], square[i]);
            }
            expectClose("AdamW's parameter", parameter, p, 1e-6);
            expectClose("AdamW's mean", m, mean, 1e-6);
            expectClose("AdamW's square", v, square, 1e-6);
        }
    }
}

// DynamicCode.java, its search as it defines it.
struct Code {
    float values[256], ends[256];

    explicit Code(bool isSigned) {
        std::vector<float> all = {0, 1};
        for (int decade = 0; decade < 7; decade++) {
            int parts = (isSigned ? 1 : 2) << (6 - decade);
            for (int i = 0; i < parts; i++) {
                float middle = pow(0.1, decade) * (0.1 + (i + 0.5) * (0.9 / parts));
                all.push_back(middle);
                if (isSigned) {
                    all.push_back(-middle);
                }
            }
        }
        std::sort(all.begin(), all.end());
        for (int code = 0; code < 256; code++) {
            values[code] = all[code];
            double middle = code < 255 ? ((double)all[code] + all[code + 1]) / 2 : INFINITY;
            ends[code] = middle;
            if (ends[code] > middle) {
                ends[code] = nextafterf(ends[code], -INFINITY);
            }
        }
    }
    int nearest(float x) const {
        int code = 0;
        while (x > ends[code]) {
            code++;
        }
        return code;
    }
};

CHECK_CASE(codes_are_the_nearest) {
    restart();
    for (bool isSigned : {true, false}) {
        Code code(isSigned);
        auto same = [&](float x) {
            EXPECT(optimizer::encode(x, code.ends) == code.nearest(x), "code of %.9g", x);
        };
        for (int i = 0; i < 256; i++) {
            same(code.values[i]);
            if (i < 255) {
                same(code.ends[i]);
                same(nextafterf(code.ends[i], 2));
                same(nextafterf(code.ends[i], -2));
            }
        }
        for (int i = 0; i < 10000; i++) {
            same(ldexp(isSigned ? 2 * uniform() - 1 : uniform(), -(i % 25)));
        }
        same(0);
        same(-0.0f);
        same(1);
        same(-1);
    }
}

CHECK_CASE(adamw8_takes_steps) {
    restart();
    Code signedCode(true), unsignedCode(false);
    for (int size : {1, 255, 256, 257, 5003}) {
        Floats parameter = random(size, 1);
        Slice<uint8_t> mCodes(size, 1), vCodes(size, 1);
        Floats mScales(blocks(size, 256), 1), vScales(mScales.size(), 1);
        for (int i = 0; i < size; i++) { // what there is at first is zeros: BlockwiseTensor.zeros has code 0 with scale 0
            mCodes[i] = vCodes[i] = 0;
        }
        for (int number = 1; number <= 2; number++) {
            Floats gradient = random(size, 1);
            for (int i = 300; i < size && i < 900; i++) {
                gradient[i] = 0; // blocks with a scale of 0 as well
            }
            Step step(number);
            Doubles p(size), means(size), squares(size);
            for (int i = 0; i < size; i++) {
                p[i] = parameter[i];
                means[i] = mScales[i / 256] * signedCode.values[mCodes[i]];
                squares[i] = vScales[i / 256] * unsignedCode.values[vCodes[i]];
                step.take(p[i], gradient[i], means[i], squares[i]);
            }
            for (int grid : {3, 1}) { // twice from the same state: the grid must not matter
                Floats result = parameter, mScale = mScales, vScale = vScales;
                Slice<uint8_t> mCode = mCodes, vCode = vCodes;
                run<adam_w8>(grid, 64, 0, result.data(), gradient.data(), mCode.data(), mScale.data(), vCode.data(),
                        vScale.data(), signedCode.values, signedCode.ends, unsignedCode.values, unsignedCode.ends, size,
                        step.rate, step.beta1, step.beta2, step.epsilon, step.decay, step.gradientScale, step.correction1,
                        step.correction2);
                if (grid == 1) {
                    expectClose("AdamW's parameter", result, p, 1e-6);
                    for (int i = 0; i < size; i++) {
                        double largestMean = 0, largestSquare = 0;
                        for (int j = i / 256 * 256; j < min(size, i / 256 * 256 + 256); j++) {
                            largestMean = fmax(largestMean, fabs(means[j]));
                            largestSquare = fmax(largestSquare, squares[j]);
                        }
                        EXPECT(fabs(mScale[i / 256] - largestMean) <= 1e-6 * largestMean
                                && fabs(vScale[i / 256] - largestSquare) <= 1e-6 * largestSquare, "scale of block %d", i / 256);
                        int m = signedCode.nearest(largestMean == 0 ? 0 : means[i] / largestMean);
                        int v = unsignedCode.nearest(largestSquare == 0 ? 0 : squares[i] / largestSquare);
                        EXPECT(abs(m - mCode[i]) <= 1 && abs(v - vCode[i]) <= 1, "code %d: %d %d", i, m, mCode[i]);
                    }
                    parameter = result;
                    mCodes = mCode;
                    vCodes = vCode;
                    mScales = mScale;
                    vScales = vScale;
                }
            }
        }
    }
}

CHECK_CASE(sum_of_squares_is_added_in_double) {
    restart();
    std::vector<int> sizes = {1, 7, 16384, 16385, 100003};
    std::vector<Floats> tensors;
    long double expected = 0;
    int chunks = 0;
    for (int size : sizes) {
        tensors.push_back(random(size, 1));
        for (int i = 0; i < size; i++) {
            tensors.back()[i] = i % 2 ? 0.001f : tensors.back()[i];
            expected += (long double)tensors.back()[i] * tensors.back()[i];
        }
        chunks += blocks(size, optimizer::CHUNK);
    }
    Slice<double> sums(chunks), total(1);
    int chunk = 0;
    for (Floats& x : tensors) {
        int of = blocks(x.size(), optimizer::CHUNK);
        run<sum_of_squares>(of, 256, 0, x.data(), x.size(), &sums[chunk]);
        chunk += of;
    }
    run<sum_doubles>(1, 1024, 0, sums.data(), chunks, total.data());
    expectSameBits("sum of squares", total);
    EXPECT(fabs(total[0] - expected) <= 1e-14 * expected, "sum of squares %.17g instead of %.17g", total[0], (double)expected);
}

// As SplitMix.java.
uint64_t mix(uint64_t value) {
    uint64_t z = value + 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}
uint64_t splitMix(uint64_t of, uint64_t position) { return mix(mix(of) ^ mix(position * 0xd1342543de82ef95u + 1)); }

CHECK_CASE(rounding_gives_the_bits_of_java) {
    restart();
    Floats from = random(1000, 1);
    uint32_t special[] = {0x7f800000, 0xff800000, 0x7f800001, 0xffc12345, 0x7fffffff, 0x7f7fffff, 0x3f808000, 0x3f818000,
            0x80000000, 1};
    for (int i = 0; i < 10; i++) {
        from[i] = __uint_as_float(special[i]);
    }
    Slice<uint16_t> nearest(1000, 1), stochastic(1000, 1);
    run<round_bf16>(4, 256, 0, from.data(), from.size(), nearest.data());
    run<round_bf16_stochastic>(4, 256, 0, from.data(), from.size(), (uint64_t)-5, stochastic.data());
    for (int i = 0; i < 1000; i++) {
        uint32_t bits = __float_as_uint(from[i]);
        uint16_t expected = from[i] != from[i] ? bits >> 16 | 0x40 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
        EXPECT(nearest[i] == expected, "nearest of %x: %x", bits, nearest[i]);
        if (isfinite(from[i])) {
            expected = (bits + (uint32_t)(splitMix((uint64_t)-5, i) & 0xffff)) >> 16;
        }
        EXPECT(stochastic[i] == expected, "stochastic of %x: %x", bits, stochastic[i]);
    }
}

CHECK_CASE(dropout_takes_the_places_of_java) {
    restart();
    // SplitMix.seed(5, 7) in Java
    EXPECT(splitMix(5, 7) == optimizer::random(5, 7), "random numbers");
    for (double rate : {0.0, 0.1, 0.75}) {
        for (int add : {0, 1}) {
            Floats x = random(1000, 1), y = random(1000, 1), before = y;
            float factor = 1 / (1 - rate);
            run<dropout>(4, 256, 0, x.data(), x.size(), rate, factor, 1234567890123ull, add, y.data());
            Floats inPlace = x;
            run<dropout>(4, 256, 0, inPlace.data(), x.size(), rate, factor, 1234567890123ull, add, inPlace.data());
            for (int i = 0; i < 1000; i++) {
                bool isKept = (splitMix(1234567890123ull, i) >> 11) * 0x1p-53 >= rate;
                float value = isKept ? factor * x[i] : 0;
                EXPECT(y[i] == (add ? before[i] + value : value), "dropout %d", i);
                EXPECT(inPlace[i] == (add ? x[i] + value : value), "dropout in place %d", i);
            }
        }
    }
}
} // namespace
