// SPDX-License-Identifier: Apache-2.0
// Checks the emulation itself: that it computes what a GPU does, and that it notices mistakes.
#include "check.h"

#include "planted.cu"

#if defined(__SANITIZE_THREAD__)
constexpr bool RACES = true, BOUNDS = false, PLAIN = false;
#elif defined(__SANITIZE_ADDRESS__)
constexpr bool RACES = false, BOUNDS = true, PLAIN = false;
#else
constexpr bool RACES = false, BOUNDS = false, PLAIN = true;
#endif

// What a GPU computes -----------------------------------------------------------------------------------------------------------
KERNEL block_sum_of_rows(const float* x, int columns, float* sums) {
    SHARED(float, box, [WARP]);
    float sum = 0;
    for (int i = threadIdx.x; i < columns; i += blockDim.x) {
        sum += x[blockIdx.x * columns + i];
    }
    sum = blockSum(sum, box);
    if (threadIdx.x == 0) {
        sums[blockIdx.x] = sum;
    }
}
REGISTER(block_sum_of_rows)

CHECK_CASE(block_sum) {
    for (int threads : {32, 96, 1024}) {
        int rows = 5, columns = 1000;
        std::vector<float> x = gaussian(rows * columns), sums(rows);
        std::vector<double> expected(rows);
        for (int i = 0; i < rows * columns; i++) {
            expected[i / columns] += x[i];
        }
        run<block_sum_of_rows>(rows, threads, 0, x.data(), columns, sums.data());
        expectClose("sum of a row", sums, expected, 1e-5);
    }
}

// a [16, 16] and b [8, 16] (transposed), bf16 in pairs
KERNEL product_bf16(const uint32_t* a, const uint32_t* b, float* d) {
    int group = threadIdx.x / 4, in = threadIdx.x % 4;
    const uint32_t mineA[4] = {a[group * 8 + in], a[(group + 8) * 8 + in], a[group * 8 + in + 4], a[(group + 8) * 8 + in + 4]};
    const uint32_t mineB[2] = {b[group * 8 + in], b[group * 8 + in + 4]};
    float mineD[4] = {1, 1, 1, 1};
    mmaBf16(mineD, mineA, mineB);
    for (int i = 0; i < 4; i++) {
        d[(group + i / 2 * 8) * 8 + in * 2 + i % 2] = mineD[i];
    }
}
REGISTER(product_bf16)

CHECK_CASE(mma_bf16) {
    std::vector<float> a = gaussian(16 * 16, 2), b = gaussian(8 * 16, 3), d(16 * 8);
    std::vector<uint32_t> pairsA, pairsB;
    for (size_t i = 0; i < a.size(); i += 2) {
        pairsA.push_back(packBf16(a[i], a[i + 1]));
    }
    for (size_t i = 0; i < b.size(); i += 2) {
        pairsB.push_back(packBf16(b[i], b[i + 1]));
    }
    run<product_bf16>(1, 32, 0, pairsA.data(), pairsB.data(), d.data());
    auto at = [](const std::vector<uint32_t>& pairs, int i) { return i % 2 ? highBf16(pairs[i / 2]) : lowBf16(pairs[i / 2]); };
    std::vector<double> expected(d.size(), 1);
    for (int i = 0; i < 16 * 8 * 16; i++) {
        int row = i / 128, column = i / 16 % 8, k = i % 16;
        expected[row * 8 + column] += (double)at(pairsA, row * 16 + k) * at(pairsB, column * 16 + k);
    }
    expectClose("product", d, expected, 1e-6);
}

// a [16, 32] unsigned and b [8, 32] (transposed) signed bytes
KERNEL product_bytes(const uint32_t* a, const uint32_t* b, int* d) {
    int group = threadIdx.x / 4, in = threadIdx.x % 4;
    const uint32_t mineA[4] = {a[group * 8 + in], a[(group + 8) * 8 + in], a[group * 8 + in + 4], a[(group + 8) * 8 + in + 4]};
    const uint32_t mineB[2] = {b[group * 8 + in], b[group * 8 + in + 4]};
    int mineD[4] = {-1, -1, -1, -1};
    mmaU8S8(mineD, mineA, mineB);
    for (int i = 0; i < 4; i++) {
        d[(group + i / 2 * 8) * 8 + in * 2 + i % 2] = mineD[i];
    }
}
REGISTER(product_bytes)

CHECK_CASE(mma_bytes) {
    std::vector<uint32_t> a(16 * 8), b(8 * 8);
    for (size_t i = 0; i < a.size(); i++) {
        a[i] = i * 2654435761u ^ 0x12345678u;
    }
    for (size_t i = 0; i < b.size(); i++) {
        b[i] = i * 2246822519u ^ 0x9abcdef0u;
    }
    std::vector<int> d(16 * 8);
    run<product_bytes>(1, 32, 0, a.data(), b.data(), d.data());
    for (int i = 0; i < 16 * 8; i++) {
        int expected = -1;
        for (int k = 0; k < 32; k++) {
            expected += (uint8_t)(a[i / 8 * 8 + k / 4] >> k % 4 * 8) * (int8_t)(b[i % 8 * 8 + k / 4] >> k % 4 * 8);
        }
        EXPECT(d[i] == expected, "product of bytes %d: %d instead of %d", i, d[i], expected);
    }
}

KERNEL shuffles(int* y) {
    int lane = threadIdx.x, all = gridDim.x * 0;
    int* mine = y + lane * 8;
    mine[0] = __shfl_sync(ALL_LANES, lane, 5);
    mine[1] = __shfl_sync(ALL_LANES, lane, 9, 8); // within parts of 8
    mine[2] = __shfl_xor_sync(ALL_LANES, lane, 3);
    mine[3] = __shfl_down_sync(ALL_LANES, lane, 2, 16);
    mine[4] = __shfl_up_sync(ALL_LANES, lane, 2, 16);
    mine[5] = (int)__ballot_sync(ALL_LANES, lane % 3 == 0);
    if (lane >= 16) { // a part of the warp by itself
        all = __shfl_xor_sync(0xffff0000u, lane, 15);
    }
    mine[6] = all;
    mine[7] = (int)(__shfl_sync(ALL_LANES, (int64_t)lane << 33, 31) >> 33) + (int)__shfl_sync(ALL_LANES, lane * 0.5, 4);
}
REGISTER(shuffles)

CHECK_CASE(shuffles) {
    std::vector<int> y(32 * 8);
    run<shuffles>(1, 32, 0, y.data());
    for (int lane = 0; lane < 32; lane++) {
        int down = lane % 16 < 14 ? lane + 2 : lane, up = lane % 16 < 2 ? lane : lane - 2;
        int expected[] = {5, lane / 8 * 8 + 1, lane ^ 3, down, up, 0x49249249, lane < 16 ? 0 : lane ^ 15, 31 + 2};
        for (int i = 0; i < 8; i++) {
            int actual = y[lane * 8 + i];
            EXPECT(actual == expected[i], "shuffle %d of lane %d: %d instead of %d", i, lane, actual, expected[i]);
        }
    }
}

KERNEL votes_of_block(int limit, int* y) {
    int count = __syncthreads_count((int)threadIdx.x < limit), any = __syncthreads_or((int)threadIdx.x >= limit),
        all = __syncthreads_and((int)threadIdx.x < limit);
    y[threadIdx.x] = count * 4 + any * 2 + all;
}
REGISTER(votes_of_block)

CHECK_CASE(votes_of_block) {
    for (int limit : {0, 33, 100}) { // of 100 threads: the last warp is not full
        std::vector<int> y(100);
        run<votes_of_block>(1, 100, 0, limit, y.data());
        for (int i = 0; i < 100; i++) {
            EXPECT(y[i] == limit * 4 + (limit < 100) * 2 + (limit == 100), "votes of thread %d: %d", i, y[i]);
        }
    }
}

CHECK_CASE(numbers) {
    for (unsigned bits = 0; bits < 0x10000; bits++) {
        float value = halfToFloat(bits);
        EXPECT(value != value || floatToHalf(value) == bits, "half %04x", bits);
    }
    EXPECT(floatToHalf(0x1p-25f) == 0 && floatToHalf(0x1.8p-25f) == 1, "halves below the least");
    EXPECT(floatToHalf(65519.9f) == 0x7bff && floatToHalf(65520) == 0x7c00, "halves beyond the greatest");
    EXPECT(floatToHalf(1 + 0x1p-11f) == 0x3c00 && floatToHalf(1 + 0x1.8p-10f) == 0x3c02, "ties of halves");
    EXPECT(halfToFloat(1) == 0x1p-24f && halfToFloat(0x3c01) == 1 + 0x1p-10f, "values of halves");
    EXPECT(packBf16(1 + 0x1p-8f, 1 + 0x1.8p-7f) == 0x3f823f80, "bf16 %08x", packBf16(1 + 0x1p-8f, 1 + 0x1.8p-7f));
    EXPECT(__byte_perm(0x33221100, 0x77665544, 0x7250) == 0x77225500, "bytes %08x", __byte_perm(0x33221100, 0x77665544, 0x7250));
    EXPECT(__dp4a(0x7f80ff01, 0x02020202, 1) == 1 + 2 * (127 - 128 - 1 + 1), "products of bytes");
    EXPECT(__umulhi(0x80000000u, 6) == 3 && __clz(1) == 31 && __clz(0) == 32 && __ffs(8) == 4 && __popc(0xf0f0) == 8, "bits");
    EXPECT(min(3, 2ll) == 2 && max(3u, 2ull) == 3 && min(NAN, 1.0f) == 1, "minima");
    EXPECT(rsqrtf(4) == 0.5f && __float2int_rn(2.5f) == 2 && __float2int_rz(-2.7f) == -2 && __saturatef(NAN) == 0, "functions");
}

// Kernels without mistakes are not found fault with -------------------------------------------------------------------------------
CHECK_CASE(good_kernels) {
    std::vector<float> x = gaussian(256), y(256), expected(256);
    run<reverse_good>(1, 256, 0, x.data(), y.data(), 4);
    expectClose("turned round twice", y, x, 0);
    run<reverse_warp_good>(1, 256, 0, x.data(), y.data());
    for (int i = 0; i < 256; i++) {
        expected[i] = x[i / 32 * 32 + 31 - i % 32];
    }
    expectClose("turned round in warps", y, expected, 0);

    std::vector<float4> tiles(64 * 5, float4{1, 2, 3, 4});
    run<pipeline_good>(1, 64, 0, tiles.data(), 5, y.data());
    EXPECT(y[0] == 50 && y[63] == 50, "sums of tiles: %g, %g", y[0], y[63]);

    int counter = 0;
    run<count_blocks_good>(10, 32, 0, &counter);
    EXPECT(counter == 10, "%d blocks", counter);

    std::vector<float> sums(8);
    unsigned blocks = 0;
    float sum = 0;
    std::vector<float> ones(8 * 64, 1.0f);
    run<last_block_sums_good>(8, 64, 0, ones.data(), sums.data(), &blocks, &sum);
    EXPECT(sum == 8 * 64, "sum by the last block: %g", sum);
}

// Mistakes ------------------------------------------------------------------------------------------------------------------------
static void expectWrongOrRace(const char* what, const std::function<void(std::vector<float>& y)>& action, float expected) {
    if (BOUNDS) {
        return;
    }
    expectNoticed(what, RACES ? "ThreadSanitizer: data race" : "wrong", [&] {
        std::vector<float> y(256);
        action(y);
        for (float value : y) {
            if (value != expected && !RACES) {
                fprintf(stderr, "wrong\n");
            }
        }
    });
}

CHECK_CASE(missing_waits) {
    std::vector<float> x(256);
    for (int i = 0; i < 256; i++) {
        x[i] = i % 2; // turned round an odd number of times: 1 - i % 2
    }
    auto flip = [](std::vector<float>& y) {
        for (int i = 0; i < 256; i++) {
            y[i] += i % 2;
        }
    };
    auto reversed = [&](auto kernel) {
        return [&, kernel](std::vector<float>& y) {
            kernel(y);
            flip(y);
        };
    };
    expectWrongOrRace("a missing barrier", reversed([&](auto& y) {
        run<reverse_missing_first_barrier>(1, 256, 0, x.data(), y.data(), 1);
    }), 1);
    expectWrongOrRace("a missing barrier after reading", reversed([&](auto& y) {
        run<reverse_missing_second_barrier>(1, 256, 0, x.data(), y.data(), 3);
    }), 1);
    expectWrongOrRace("a missing __syncwarp", reversed([&](auto& y) {
        run<reverse_warp_missing_sync>(1, 256, 0, x.data(), y.data());
    }), 1);
    std::vector<float4> tiles(64 * 4, float4{1, 2, 3, 4});
    auto fill = [](std::vector<float>& y) { std::fill(y.begin() + 64, y.end(), 40); };
    expectWrongOrRace("a missing barrier after asynchronous copies", [&](auto& y) {
        run<pipeline_missing_barrier>(1, 64, 0, tiles.data(), 4, y.data());
        fill(y);
    }, 40);
    if (PLAIN) {
        expectWrongOrRace("a missing wait for asynchronous copies", [&](auto& y) {
            run<pipeline_missing_wait>(1, 64, 0, tiles.data(), 4, y.data());
            fill(y);
        }, 40);
    }
}

static void expectError(const std::string& error, const char* kernel, const char* text) {
    EXPECT(error.find(kernel) != std::string::npos && error.find(text) != std::string::npos, "%s: \"%s\" instead of \"%s\"", kernel,
            error.c_str(), text);
}

CHECK_CASE(broken_launches) {
    std::vector<float> y(256);
    expectError(tryRun<diverging_barriers>(1, 64, 0, y.data()), "diverging_barriers", "planted.cu:");
    expectError(tryRun<diverging_barriers>(1, 64, 0, y.data()), "diverging_barriers", "different barriers");
    expectError(tryRun<barrier_without_some>(1, 64, 0, y.data()), "barrier_without_some", "ended");
    expectError(tryRun<shuffle_without_some>(1, 64, 0, y.data()), "shuffle_without_some", "lane");
    expectError(tryRun<shuffle_meets_vote>(1, 64, 0, y.data()), "shuffle_meets_vote", "different operations");
    expectError(tryRun<shuffle_waits_while_others_are_at_barrier>(1, 32, 0, y.data()), "shuffle_waits", "ffff0000 are missing");
    auto* aligned = (const float*)((uintptr_t)y.data() & ~15ull);
    expectError(tryRun<misaligned_copy>(1, 1, 0, aligned, y.data()), "misaligned_copy", "multiples");
    expectError(tryRun<too_much_shared>(1, 64, 0, y.data()), "too_much_shared", "more shared memory");
    expectError(tryRun<reverse_good>(1, 1025, 0, y.data(), y.data(), 1), "reverse_good", "no GPU");
    // And after all that, kernels run as before.
    std::vector<float> x = gaussian(256);
    run<reverse_good>(1, 256, 0, x.data(), y.data(), 2);
    expectClose("turned round twice", y, x, 0);
}

CHECK_CASE(out_of_bounds) {
    if (!BOUNDS) {
        return;
    }
    std::vector<float> y(100);
    const char* text = "AddressSanitizer: ";
    expectNoticed("an access beyond shared memory", text, [&] { run<beyond_shared>(1, 1, 0, y.data(), 64); });
    expectNoticed("an access beyond dynamic shared memory", text, [&] { run<beyond_dynamic_shared>(1, 1, 64, y.data(), 16); });
    expectNoticed("an access beyond global memory", text, [&] { run<beyond_global>(1, 1, 0, y.data(), 100); });
    expectNoticed("an access before global memory", text, [&] { run<beyond_global>(1, 1, 0, y.data(), -1); });
}

CHECK_CASE(races_of_blocks) {
    if (!RACES) {
        return;
    }
    const char* text = "ThreadSanitizer: data race";
    int counter = 0;
    expectNoticed("a race of blocks", text, [&] { run<count_blocks_race>(4, 32, 0, &counter); });
    std::vector<float> x(8 * 64), sums(8);
    unsigned blocks = 0;
    float sum;
    expectNoticed("a missing fence", text, [&] {
        run<last_block_sums_missing_fence>(8, 64, 0, x.data(), sums.data(), &blocks, &sum);
    });
}
