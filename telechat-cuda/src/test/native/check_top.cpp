// SPDX-License-Identifier: Apache-2.0
// The highest logits of rows: no thread meets another, no access leaves its array, and bits do not depend on the order. What is
// found is compared with sorted rows by CudaTopSelectorTest.
#include "check.h"

#include "../../main/cuda/top.cu"

#include <algorithm>

namespace {

std::vector<uint8_t> select(const std::vector<float>& logits, int vocab, int parts, int most) {
    int rows = logits.size() / vocab;
    std::vector<uint8_t> inParts(rows * parts * (sizeof(top::Head) + 8 * most)), found(rows * (sizeof(top::Head) + 8 * most));
    run<top_of_parts>(dim3(parts, rows), top::THREADS, 0, logits.data(), vocab, most, inParts.data());
    run<top_of_rows>(rows, top::THREADS, 0, inParts.data(), parts, most, found.data());
    return found;
}

// The same in the first order of threads, and the highest first number.
void check(const char* what, std::vector<uint8_t>& first, const std::vector<float>& logits, int vocab, int parts, int most) {
    std::vector<uint8_t> found = select(logits, vocab, parts, most);
    first = first.empty() ? found : first;
    EXPECT(first == found, "%s: bits depend on the order", what);
    const top::Head* head = (const top::Head*)found.data();
    EXPECT(head->candidates == std::min(most, vocab), "%s: %d candidates", what, head->candidates);
    EXPECT(head->largest == *std::max_element(logits.begin(), logits.begin() + vocab), "%s: largest %g", what, head->largest);
}

CHECK_CASE(rows_of_several_parts) {
    static std::vector<uint8_t> first;
    check("several parts", first, gaussian(2 * 3001), 3001, 4, 200);
}

CHECK_CASE(rows_shorter_than_their_candidates) {
    static std::vector<uint8_t> first;
    check("one part", first, gaussian(3 * 77), 77, 1, 100);
}

CHECK_CASE(rows_of_equals) {
    static std::vector<uint8_t> first;
    check("equals", first, std::vector<float>(2500, 0.5f), 2500, 2, 1024);
}

} // namespace
