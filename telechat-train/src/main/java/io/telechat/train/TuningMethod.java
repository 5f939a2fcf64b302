// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.lora.LoraConfig;
import io.telechat.core.ops.Rounding;
import io.telechat.core.tensor.DType;
import java.nio.file.Path;
import java.util.Optional;

/** What of a model is trained. */
public sealed interface TuningMethod {
    /** What matrices of a GGUF file turn into that it has quantized; empty for the nearest of our types. */
    default Optional<DType> ofGguf() {
        return switch (this) {
            case Full full -> Optional.of(DType.F32);
            case Lora lora -> lora.quantization();
        };
    }

    /**
     * Every parameter. Those that the optimizer updates are float32.
     *
     * @param dtype of the parameters that are computed with: F32, which are these themselves, or BF16, which activations are
     *     kept and multiplied in then, too, where the backend does so
     * @param rounding to BF16 after each update
     */
    record Full(DType dtype, Rounding rounding) implements TuningMethod {
        /** @throws InvalidRequestException if parameters of this type cannot be trained */
        public Full {
            requireComputed(dtype);
        }
    }

    private static void requireComputed(DType dtype) {
        if (dtype != DType.F32 && dtype != DType.BF16) {
            throw new InvalidRequestException("--dtype %s: must be f32 or bf16", dtype);
        }
    }

    /** What is computed in. */
    DType dtype();

    /**
     * Low-rank adapters only; the model stays as it is stored, or is quantized (QLoRA, arXiv:2305.14314).
     *
     * @param fresh numbers of new adapters; ignored if there is a start
     * @param start directory of adapters to go on with
     * @param quantization of the model while it is loaded: Q8 or Q4
     * @param dtype of activations: F32, or BF16, which they are kept and multiplied in where the backend does so; the adapters
     *     themselves are F32
     */
    record Lora(LoraConfig fresh, Optional<Path> start, Optional<DType> quantization, DType dtype)
            implements TuningMethod {
        /** @throws InvalidRequestException if nothing is computed in this type */
        public Lora {
            requireComputed(dtype);
        }

        /** The same, computed in F32. */
        public Lora(LoraConfig fresh, Optional<Path> start, Optional<DType> quantization) {
            this(fresh, start, quantization, DType.F32);
        }

        /** Fresh adapters of this rank, on attention's queries, keys and values, whose product is scaled by {@code alpha/rank}. */
        public static Lora of(int rank, double alpha) {
            LoraConfig fresh = new LoraConfig(rank, alpha, false, 0, LoraConfig.ATTENTION_INPUTS);
            return new Lora(fresh, Optional.empty(), Optional.empty());
        }

        /** The same on a model that is rounded to Q8 or Q4 while it is loaded. */
        public Lora quantized(DType type) {
            return new Lora(fresh, start, Optional.of(type), dtype);
        }

        /** The same, computed in F32 or BF16. */
        public Lora computedIn(DType type) {
            return new Lora(fresh, start, quantization, type);
        }
    }
}
