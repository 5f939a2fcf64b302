// SPDX-License-Identifier: Apache-2.0
//
// All that can be asked of an instruction set's kernels. An operation's number is its place in this list; whoever calls them
// compares the list that DESCRIBE gives with his own first (NativeFunction.java).

// To be raised when what an operation takes, gives or means changes while its name does not.
#define ABI_VERSION 3

#define OPERATIONS(X) \
    X(DESCRIBE) \
    X(SLIVER_COLUMNS) \
    X(ROUNDED_BYTES) \
    X(QUANTIZED_BYTES) \
    X(LINEAR_SCRATCH) \
    X(ATTEND_STATE) \
    X(ATTEND_SCRATCH) \
    X(ATTEND_BACKWARD_SCRATCH) \
    X(RMS_NORM) \
    X(ROPE) \
    X(SWIGLU) \
    X(SCALE) \
    X(PAIR) \
    X(LINEAR) \
    X(ROUND_TOKENS) \
    X(LINEAR_BF16) \
    X(QUANTIZE) \
    X(LINEAR_QUANTIZED) \
    X(STORE_KEYS_VALUES) \
    X(ATTEND) \
    X(ATTEND_FOLD) \
    X(WIDEN_ROWS) \
    X(NARROW_ROWS) \
    X(PACKED_STEPS) \
    X(PACK_MATRIX) \
    X(MATRIX_PRODUCT) \
    X(RMS_NORM_BACKWARD) \
    X(COLUMN_SUMS) \
    X(SWIGLU_BACKWARD) \
    X(ATTEND_BACKWARD) \
    X(CROSS_ENTROPY) \
    X(SUM_OF_SQUARES) \
    X(ADAMW) \
    X(READ) \
    X(MULTIPLY_ADD)

#define AS_NUMBER(name) name,
enum { OPERATIONS(AS_NUMBER) };

// What is given back for a number that is none, or of an operation that the instruction set does not have.
#define NO_SUCH_OPERATION INT64_MIN
