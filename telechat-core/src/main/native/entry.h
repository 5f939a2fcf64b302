// SPDX-License-Identifier: Apache-2.0
//
// The one function that Java binds for each instruction set. To bind a function costs the JVM some ten milliseconds at every
// start, so there is one for all kernels.

#include "operations.h"

#define TEXT_OF(x) #x
#define VALUE_OF(x) TEXT_OF(x)
#define AS_TEXT(name) " " #name

// What caller and kernels must agree on: the layouts of files and caches, and the operations.
static const char DESCRIPTION[] = "abi " VALUE_OF(ABI_VERSION) " panel " VALUE_OF(PANEL) " block " VALUE_OF(BLOCK) " group " VALUE_OF(
    GROUP_SIZE) " positions " VALUE_OF(POSITIONS) " stretch " VALUE_OF(STRETCH) ":" OPERATIONS(AS_TEXT);

INLINE int64_t describe(char *to, int64_t capacity) {
    if (capacity >= (int64_t) sizeof DESCRIPTION) memcpy(to, DESCRIPTION, sizeof DESCRIPTION);
    return sizeof DESCRIPTION;
}

INLINE void *address(int64_t argument) { return (void *) (intptr_t) argument; }

INLINE float float_of(int64_t argument) {
    int32_t bits = (int32_t) argument;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

#define ARGUMENTS                                                                                                         \
    int64_t a0, int64_t a1, int64_t a2, int64_t a3, int64_t a4, int64_t a5, int64_t a6, int64_t a7, int64_t a8, int64_t a9, \
        int64_t a10, int64_t a11, int64_t a12, int64_t a13, int64_t a14, int64_t a15

int64_t KERNEL(run)(int operation, ARGUMENTS);

// Integers and addresses are arguments as they are, floats by their bits; what an operation does not take is 0. Gives what the
// operation gives, or 0.
int64_t KERNEL(run)(int operation, ARGUMENTS) {
    const int64_t a[] = {a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15};
    switch (operation) {
        case DESCRIBE: return describe(address(a[0]), a[1]);
        case SLIVER_COLUMNS: return SLIVER;
#ifdef HAS_BF16
        case ROUNDED_BYTES: return rounded_bytes(a[0]);
#endif
        case QUANTIZED_BYTES: return token_bytes((int) a[0], blocks_of(a[1]));
        case LINEAR_SCRATCH: return linear_scratch(a[0]);
        case ATTEND_STATE: return attend_state(a[0], a[1]);
        case ATTEND_SCRATCH: return attend_scratch(a[0], a[1]);
        case ATTEND_BACKWARD_SCRATCH: return attend_backward_scratch(a[0], a[1]);
        case RMS_NORM:
            rms_norm(address(a[0]), address(a[1]), float_of(a[2]), address(a[3]), address(a[4]), a[5], a[6]);
            break;
        case ROPE: rope(address(a[0]), address(a[1]), address(a[2]), a[3], a[4], a[5], a[6]); break;
        case SWIGLU: swiglu(address(a[0]), address(a[1]), a[2], a[3]); break;
        case SCALE: scale(address(a[0]), float_of(a[1]), a[2]); break;
        case PAIR: pair(address(a[0]), a[1], a[2], address(a[3])); break;
        case LINEAR:
            linear((int) a[0], address(a[1]), a[2], a[3], address(a[4]), a[5], address(a[6]), address(a[7]), a[8], (int) a[9],
                   address(a[10]));
            break;
#ifdef HAS_BF16
        case ROUND_TOKENS: round_tokens(address(a[0]), a[1], a[2], address(a[3])); break;
        case LINEAR_BF16:
            linear_bf16(address(a[1]), a[2], a[3], address(a[4]), a[5], address(a[6]), address(a[7]), a[8], (int) a[9]);
            break;
#endif
        case QUANTIZE: quantize_tokens((int) a[0], address(a[1]), a[2], a[3], address(a[4])); break;
        case LINEAR_QUANTIZED:
            linear_quantized((int) a[0], address(a[1]), a[2], a[3], address(a[4]), a[5], address(a[6]), address(a[7]), a[8],
                             (int) a[9]);
            break;
        case STORE_KEYS_VALUES:
            store_keys_values((int) a[0], address(a[1]), a[2], a[3], a[4], a[5], a[6], a[7], address(a[8]), address(a[9]), a[10]);
            break;
        case ATTEND:
            attend((int) a[0], address(a[1]), a[2], a[3], a[4], a[5], a[6], a[7], a[8], address(a[9]), a[10], a[11], a[12],
                   address(a[13]), address(a[14]));
            break;
        case ATTEND_FOLD:
            attend_fold(address(a[0]), a[1], a[2], a[3], a[4], a[5], a[6], address(a[7]), a[8], address(a[9]), a[10]);
            break;
        case PACKED_STEPS: return has_form((int) a[0]) ? packed_steps((int) a[0], a[1]) : NO_SUCH_OPERATION;
        case PACK_MATRIX: pack_matrix((int) a[0], (int) a[1], address(a[2]), a[3], (int) a[4], a[5], a[6], address(a[7])); break;
        case MATRIX_PRODUCT:
            matrix_product((int) a[0], (Left){address(a[1]), (int) a[2], a[3], a[4]}, a[5], address(a[6]), a[7], a[8], address(a[9]), a[10],
                           (int) a[11]);
            break;
        case WIDEN_ROWS: widen_rows((int) a[0], address(a[1]), a[2], address(a[3]), a[4], a[5], a[6]); break;
        case NARROW_ROWS: narrow_rows((int) a[0], address(a[1]), a[2], address(a[3]), a[4], a[5], a[6]); break;
        case RMS_NORM_BACKWARD:
            rms_norm_backward(address(a[0]), address(a[1]), address(a[2]), address(a[3]), address(a[4]), address(a[5]), address(a[6]),
                              a[7], a[8]);
            break;
        case COLUMN_SUMS: column_sums(address(a[0]), a[1], a[2], a[3], address(a[4])); break;
        case SWIGLU_BACKWARD: swiglu_backward(address(a[0]), address(a[1]), address(a[2]), a[3], a[4]); break;
        case ATTEND_BACKWARD:
            attend_backward(address(a[0]), address(a[1]), address(a[2]), a[3], a[4], a[5], a[6], address(a[7]), address(a[8]), a[9],
                            address(a[10]), a[11], address(a[12]), address(a[13]), address(a[14]), address(a[15]));
            break;
        case CROSS_ENTROPY:
            cross_entropy(address(a[0]), address(a[1]), address(a[2]), float_of(a[3]), address(a[4]), a[5], a[6]);
            break;
        case SUM_OF_SQUARES: *(double *) address(a[2]) = sum_of_squares(address(a[0]), a[1]); break;
        case ADAMW:
            adamw(address(a[0]), address(a[1]), address(a[2]), address(a[3]), a[4], float_of(a[5]), float_of(a[6]), float_of(a[7]),
                  float_of(a[8]), float_of(a[9]), float_of(a[10]), float_of(a[11]), float_of(a[12]));
            break;
        case READ: *(float *) address(a[2]) = read_all(address(a[0]), a[1]); break;
        case MULTIPLY_ADD:
            // The result is handed over, too, or the compiler would leave the work out.
            *(float *) address(a[2]) = multiply_add((int) a[0], a[1]);
            *(double *) address(a[3]) = multiply_add_flops((int) a[0], a[1]);
            break;
        default: return NO_SUCH_OPERATION;
    }
    return 0;
}
