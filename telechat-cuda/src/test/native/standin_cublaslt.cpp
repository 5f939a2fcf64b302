// SPDX-License-Identifier: Apache-2.0
// A stand-in for cuBLASLt, by loops, in the order of the stand-in driver's streams; for tests only. Matrices are column-major:
// D = alpha * op(A) * op(B) + beta * C. Numbers of attributes and types as in NVIDIA's public documentation.
#include "standin/hooks.h"
#include "standin/numbers.h"
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

using namespace standin;

namespace {
enum Status { SUCCESS = 0, NOT_INITIALIZED = 1, INVALID_VALUE = 7, EXECUTION_FAILED = 13, NOT_SUPPORTED = 15 };
enum Type { FLOAT = 0, HALF = 2, BF16 = 14 };
enum Compute { COMPUTE_FLOAT = 68 };

Status complain(Status status, const std::string& what) {
    fprintf(stderr, "[stand-in cuBLASLt] %s\n", what.c_str());
    return status;
}
} // namespace

struct MatmulDesc {
    int compute, scale;
    int transA = 0, transB = 0;
};
struct Layout {
    int type;
    uint64_t rows, columns;
    int64_t stride; // of columns
    int batches = 1;
    int64_t batchStride = 0;

    size_t width() const { return type == FLOAT ? 4 : 2; }
    size_t bytes() const { return ((columns - 1) * stride + rows + (batches - 1) * batchStride) * width(); }
};
struct Preference {
    uint64_t workspace = 0;
    uint32_t alignments[4] = {256, 256, 256, 256}; // of a, b, c, d: what callers promise unless they say otherwise
};
struct Algorithm { // opaque to callers
    uint64_t magic, workspace, problem, alignments, unused[4];
};
struct HeuristicResult {
    Algorithm algorithm;
    size_t workspace;
    int status;
    float waves;
    int reserved[4];
};
static_assert(sizeof(HeuristicResult) == 96);

namespace {
constexpr uint64_t MAGIC = 0x7374616e64696eull;

struct Problem {
    MatmulDesc matmul;
    Layout a, b, c, d;

    uint64_t m() const { return d.rows; }
    uint64_t n() const { return d.columns; }
    uint64_t k() const { return matmul.transA ? a.rows : a.columns; }

    Status check() const {
        if ((matmul.transA ? a.columns : a.rows) != m() || (matmul.transB ? b.rows : b.columns) != n()
                || (matmul.transB ? b.columns : b.rows) != k() || c.rows != m() || c.columns != n()) {
            return complain(INVALID_VALUE, "the shapes of the matrices do not fit");
        }
        if (a.batches != d.batches || b.batches != d.batches || c.batches != d.batches) {
            return complain(INVALID_VALUE, "the numbers of matrices of a batch differ");
        }
        if (matmul.compute != COMPUTE_FLOAT || matmul.scale != FLOAT || a.type != b.type || c.type != d.type
                || (d.type != FLOAT && d.type != a.type)) {
            return complain(NOT_SUPPORTED, "no algorithm for these types");
        }
        return SUCCESS;
    }
    uint64_t hash() const {
        uint64_t h = 14695981039346656037ull;
        for (uint64_t x : {(uint64_t)matmul.transA, (uint64_t)matmul.transB, m(), n(), k(), (uint64_t)a.type, (uint64_t)d.type,
                     (uint64_t)a.stride, (uint64_t)b.stride, (uint64_t)c.stride, (uint64_t)d.stride, (uint64_t)d.batches}) {
            h = (h ^ x) * 1099511628211ull;
        }
        return h;
    }
};

float read(int type, const void* at, size_t i) {
    switch (type) {
        case FLOAT: return static_cast<const float*>(at)[i];
        case HALF: return static_cast<const Half*>(at)[i].wide();
        default: return static_cast<const Bf16*>(at)[i].wide();
    }
}
void write(int type, void* at, size_t i, float value) {
    switch (type) {
        case FLOAT: static_cast<float*>(at)[i] = value; break;
        case HALF: static_cast<Half*>(at)[i] = Half::of(value); break;
        default: static_cast<Bf16*>(at)[i] = Bf16::of(value);
    }
}

// op(matrix) as floats, column after column.
std::vector<float> unpack(const Layout& layout, const void* at, bool transposed) {
    std::vector<float> to(layout.rows * layout.columns);
    for (uint64_t column = 0; column < layout.columns; column++) {
        for (uint64_t row = 0; row < layout.rows; row++) {
            to[transposed ? row * layout.columns + column : column * layout.rows + row] = read(layout.type, at,
                    column * layout.stride + row);
        }
    }
    return to;
}

void multiply(const Problem& p, float alpha, const void* a, const void* b, float beta, const void* c, void* d) {
    uint64_t m = p.m(), n = p.n(), k = p.k();
    std::vector<float> wideA = unpack(p.a, a, p.matmul.transA), wideB = unpack(p.b, b, p.matmul.transB);
    constexpr uint64_t TOGETHER = 4, PART = 512; // columns of d, and rows that stay in the cache
    std::vector<float> sums(TOGETHER * PART);
    for (uint64_t row = 0; row < m; row += PART) {
        uint64_t rows = m - row < PART ? m - row : PART;
        for (uint64_t column = 0; column < n; column += TOGETHER) {
            uint64_t columns = n - column < TOGETHER ? n - column : TOGETHER;
            std::fill(sums.begin(), sums.end(), 0.0f);
            float *s0 = &sums[0], *s1 = &sums[PART], *s2 = &sums[2 * PART], *s3 = &sums[3 * PART];
            for (uint64_t i = 0; i < k; i++) {
                const float* x = &wideA[i * m + row];
                float y[TOGETHER] = {};
                for (uint64_t j = 0; j < columns; j++) {
                    y[j] = wideB[(column + j) * k + i];
                }
                for (uint64_t r = 0; r < rows; r++) {
                    s0[r] += x[r] * y[0];
                    s1[r] += x[r] * y[1];
                    s2[r] += x[r] * y[2];
                    s3[r] += x[r] * y[3];
                }
            }
            for (uint64_t j = 0; j < columns; j++) {
                for (uint64_t r = 0; r < rows; r++) {
                    float value = alpha * sums[j * PART + r];
                    if (beta != 0) { // c need not hold numbers otherwise
                        value += beta * read(p.c.type, c, (column + j) * p.c.stride + row + r);
                    }
                    write(p.d.type, d, (column + j) * p.d.stride + row + r, value);
                }
            }
        }
    }
}

template <class T> Status setAttribute(T& to, const void* value, size_t bytes) {
    if (bytes != sizeof(T)) {
        return complain(INVALID_VALUE, "an attribute of " + std::to_string(bytes) + " bytes, where it has "
                + std::to_string(sizeof(T)));
    }
    memcpy(&to, value, bytes);
    return SUCCESS;
}
template <class T> Status create(T** to, T value) {
    *to = new T(value);
    return SUCCESS;
}
template <class T> Status destroy(T* object) {
    delete object;
    return SUCCESS;
}
} // namespace

#define API extern "C" __attribute__((visibility("default"))) Status

API cublasLtCreate(int** handle) {
    return standin_current_device() < 0 ? complain(NOT_INITIALIZED, "no context is current")
            : create(handle, standin_current_device());
}
API cublasLtDestroy(int* handle) { return destroy(handle); }
extern "C" __attribute__((visibility("default"))) size_t cublasLtGetVersion() { return 130000; }
extern "C" __attribute__((visibility("default"))) const char* cublasLtGetStatusString(int status) {
    switch (status) {
        case SUCCESS: return "CUBLAS_STATUS_SUCCESS";
        case NOT_INITIALIZED: return "CUBLAS_STATUS_NOT_INITIALIZED";
        case INVALID_VALUE: return "CUBLAS_STATUS_INVALID_VALUE";
        case EXECUTION_FAILED: return "CUBLAS_STATUS_EXECUTION_FAILED";
        case NOT_SUPPORTED: return "CUBLAS_STATUS_NOT_SUPPORTED";
        default: return "CUBLAS_STATUS_?";
    }
}

API cublasLtMatmulDescCreate(MatmulDesc** desc, int compute, int scale) { return create(desc, MatmulDesc{compute, scale}); }
API cublasLtMatmulDescDestroy(MatmulDesc* desc) { return destroy(desc); }
API cublasLtMatmulDescSetAttribute(MatmulDesc* desc, int attribute, const void* value, size_t bytes) {
    constexpr int POINTER_MODE = 2, TRANSA = 3, TRANSB = 4, EPILOGUE = 7;
    int number = 0;
    switch (attribute) {
        case TRANSA: return setAttribute(desc->transA, value, bytes);
        case TRANSB: return setAttribute(desc->transB, value, bytes);
        case POINTER_MODE:
            setAttribute(number, value, bytes);
            return number == 0 ? SUCCESS : complain(NOT_SUPPORTED, "alpha and beta must lie on the host");
        case EPILOGUE:
            setAttribute(number, value, bytes);
            return number == 1 ? SUCCESS : complain(NOT_SUPPORTED, "no epilogue but the default");
        default: return complain(NOT_SUPPORTED, "no attribute " + std::to_string(attribute) + " of a product");
    }
}

API cublasLtMatrixLayoutCreate(Layout** layout, int type, uint64_t rows, uint64_t columns, int64_t stride) {
    if ((type != FLOAT && type != HALF && type != BF16) || rows == 0 || columns == 0 || stride < (int64_t)rows) {
        *layout = nullptr;
        return complain(INVALID_VALUE, "a matrix of type " + std::to_string(type) + ", " + std::to_string(rows) + " x "
                + std::to_string(columns)
                + ", leading dimension " + std::to_string(stride));
    }
    return create(layout, Layout{type, rows, columns, stride});
}
API cublasLtMatrixLayoutDestroy(Layout* layout) { return destroy(layout); }
API cublasLtMatrixLayoutSetAttribute(Layout* layout, int attribute, const void* value, size_t bytes) {
    constexpr int TYPE = 0, ORDER = 1, ROWS = 2, COLUMNS = 3, LEADING_DIMENSION = 4, BATCH_COUNT = 5, BATCH_STRIDE = 6;
    int order = 0;
    switch (attribute) {
        case TYPE: return setAttribute(layout->type, value, bytes);
        case ORDER:
            setAttribute(order, value, bytes);
            return order == 0 ? SUCCESS : complain(NOT_SUPPORTED, "no order but column after column");
        case ROWS: return setAttribute(layout->rows, value, bytes);
        case COLUMNS: return setAttribute(layout->columns, value, bytes);
        case LEADING_DIMENSION: return setAttribute(layout->stride, value, bytes);
        case BATCH_COUNT: return setAttribute(layout->batches, value, bytes);
        case BATCH_STRIDE: return setAttribute(layout->batchStride, value, bytes);
        default: return complain(NOT_SUPPORTED, "no attribute " + std::to_string(attribute) + " of a layout");
    }
}

API cublasLtMatmulPreferenceCreate(Preference** preference) { return create(preference, Preference()); }
API cublasLtMatmulPreferenceDestroy(Preference* preference) { return destroy(preference); }
API cublasLtMatmulPreferenceSetAttribute(Preference* preference, int attribute, const void* value, size_t bytes) {
    constexpr int MAX_WORKSPACE_BYTES = 1, MIN_ALIGNMENT_A_BYTES = 5, MIN_ALIGNMENT_D_BYTES = 8;
    if (attribute == MAX_WORKSPACE_BYTES) {
        return setAttribute(preference->workspace, value, bytes);
    }
    if (attribute >= MIN_ALIGNMENT_A_BYTES && attribute <= MIN_ALIGNMENT_D_BYTES) {
        return setAttribute(preference->alignments[attribute - MIN_ALIGNMENT_A_BYTES], value, bytes);
    }
    return complain(NOT_SUPPORTED, "no attribute " + std::to_string(attribute) + " of a preference");
}

// The first algorithm wants as much workspace as it may have, up to 64 KiB, the second one none.
API cublasLtMatmulAlgoGetHeuristic(int*, MatmulDesc* desc, Layout* a, Layout* b, Layout* c, Layout* d, Preference* preference,
        int wanted,
        HeuristicResult* results, int* found) {
    Problem problem{*desc, *a, *b, *c, *d};
    *found = 0;
    if (Status status = problem.check()) {
        return status;
    }
    uint64_t alignments = 0;
    for (int i = 0; i < 4; i++) {
        alignments |= (uint64_t)preference->alignments[i] << 16 * i;
    }
    for (uint64_t workspace : {preference->workspace < 65536 ? preference->workspace : 65536, (uint64_t)0}) {
        if (*found < wanted) {
            HeuristicResult result = {};
            result.algorithm = {MAGIC, workspace, problem.hash(), alignments, {}};
            result.workspace = workspace;
            result.waves = 1;
            results[(*found)++] = result;
        }
    }
    return SUCCESS;
}

API cublasLtMatmul(int* handle, MatmulDesc* desc, const float* alpha, const void* a, Layout* layoutA, const void* b,
        Layout* layoutB,
        const float* beta, const void* c, Layout* layoutC, void* d, Layout* layoutD, const Algorithm* algorithm, void* workspace,
        size_t workspaceBytes, void* stream) {
    Problem p{*desc, *layoutA, *layoutB, *layoutC, *layoutD};
    if (Status status = p.check()) {
        return status;
    }
    int device = standin_current_device();
    if (device != *handle) {
        return complain(INVALID_VALUE, "the handle belongs to device " + std::to_string(*handle) + ", the current context to "
                + std::to_string(device));
    }
    size_t used = algorithm ? algorithm->workspace : 0;
    const void* pointers[] = {a, b, c, d};
    const Layout* layouts[] = {&p.a, &p.b, &p.c, &p.d};
    for (int i = 0; i < 4; i++) {
        std::string name = std::string("matrix ") + "ABCD"[i];
        if (i == 2 && *beta == 0 && !c) {
            continue;
        }
        if (!standin_owns(device, pointers[i], layouts[i]->bytes())) {
            return complain(INVALID_VALUE, name + " is not within an allocation of device " + std::to_string(device));
        }
        uint64_t alignment = algorithm ? algorithm->alignments >> 16 * i & 0xffff : 0;
        if (alignment && (uintptr_t)pointers[i] % alignment != 0) {
            return complain(NOT_SUPPORTED, name + " is not aligned to the " + std::to_string(alignment)
                    + " bytes for which the algorithm was chosen (CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT)");
        }
    }
    if (algorithm && (algorithm->magic != MAGIC || algorithm->problem != p.hash())) {
        return complain(INVALID_VALUE, "the algorithm was chosen for another product");
    }
    if (workspaceBytes < used || (used > 0 && !standin_owns(device, workspace, used))) {
        return complain(INVALID_VALUE, "the algorithm needs " + std::to_string(used) + " bytes of workspace");
    }
    Work work = [=, alpha = *alpha, beta = *beta](uint64_t) {
        memset(workspace, 0xff, used); // whoever keeps anything there loses it
        for (int i = 0; i < p.d.batches; i++) {
            auto part = [&](const void* at, const Layout& l) { return (char*)at + i * l.batchStride * l.width(); };
            multiply(p, alpha, part(a, p.a), part(b, p.b), beta, part(c, p.c), part(d, p.d));
        }
        return 0;
    };
    return standin_enqueue(device, stream, &work, 0, "cublasLtMatmul") == 0 ? SUCCESS : EXECUTION_FAILED;
}
