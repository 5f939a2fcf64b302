// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.backend.BackendChoice;
import io.telechat.core.checkpoint.ModelFiles;
import io.telechat.core.comm.Communicator;
import io.telechat.core.model.MemoryPlan;
import io.telechat.core.tensor.DType;
import io.telechat.core.weights.LoadProgress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * How a model is loaded; unless said otherwise, by the best backend on all processors, with its weights as they are stored:
 *
 * {@snippet file="snippets/ChatSnippetsTest.java" region="options"}
 */
public final class LoadOptions {
    private static final int MOST_PARTS = 1024;

    private final BackendChoice backend;
    private final Optional<DType> quantization;
    private final Optional<DType> unpacked;
    private final DType activations;
    private final DType cacheType;
    private final OptionalInt contextLength;
    private final Optional<Path> tokenizer;
    private final List<Path> adapters;
    private final CacheSize cacheSize;
    private final int maxBatch;
    private final int maxQueue;
    private final Optional<Speculation> speculation;
    private final OptionalInt maxThinkingTokens;
    private final int tensorParallel;
    private final Optional<Communicator> ranks;
    private final boolean trace;
    private final LoadProgress progress;

    private LoadOptions(Builder builder) {
        this.backend = builder.backend;
        this.quantization = builder.quantization;
        this.unpacked = builder.unpacked;
        this.activations = builder.activations;
        this.cacheType = builder.cacheType;
        this.contextLength = builder.contextLength;
        this.tokenizer = builder.tokenizer;
        this.adapters = List.copyOf(builder.adapters);
        this.cacheSize = builder.cacheSize;
        this.maxBatch = builder.maxBatch;
        this.maxQueue = builder.maxQueue;
        this.speculation = builder.speculation;
        this.maxThinkingTokens = builder.maxThinkingTokens;
        this.tensorParallel = builder.tensorParallel;
        this.ranks = builder.ranks;
        this.trace = builder.trace;
        this.progress = builder.progress;
    }

    public static Builder builder() {
        return new Builder();
    }

    /** Collects options; may be used again after {@link #build}. */
    public static final class Builder {
        private static final Set<DType> CACHE_TYPES = EnumSet.of(DType.F32, DType.F16, DType.BF16, DType.Q8);

        private BackendChoice backend = BackendChoice.best();
        private Optional<DType> quantization = Optional.empty();
        private Optional<DType> unpacked = Optional.empty();
        private DType activations = DType.BF16;
        private DType cacheType = DType.F32;
        private OptionalInt contextLength = OptionalInt.empty();
        private Optional<Path> tokenizer = Optional.empty();
        private final List<Path> adapters = new ArrayList<>();
        private CacheSize cacheSize = new CacheSize.OneContext();
        private int maxBatch = 16;
        private int maxQueue = 256;
        private Optional<Speculation> speculation = Optional.empty();
        private OptionalInt maxThinkingTokens = OptionalInt.empty();
        private int tensorParallel = 1;
        private Optional<Communicator> ranks = Optional.empty();
        private boolean trace;
        private LoadProgress progress = LoadProgress.SILENT;

        private Builder() {}

        public Builder backend(BackendChoice choice) {
            backend = choice;
            return this;
        }

        /** @param name such as {@code cpu} */
        public Builder backend(String name) {
            return backend(backend.withName(name));
        }

        /** @throws InvalidRequestException unless there are 1 to 1024 */
        public Builder threads(int count) {
            return backend(backend.withThreads(count));
        }

        /** @param type Q8 or Q4, to round matrices to as they are loaded */
        public Builder quantization(DType type) {
            if (!type.isQuantized()) {
                throw new InvalidRequestException("weights are to be rounded to %s, must be q8 or q4", type);
            }
            quantization = Optional.of(type);
            return this;
        }

        /** @param type F32 or BF16, which matrices turn into that a GGUF file has quantized; otherwise the nearest of our types */
        public Builder unpacked(DType type) {
            if (type != DType.F32 && type != DType.BF16) {
                throw new InvalidRequestException("weights are to be unpacked to %s, must be f32 or bf16", type);
            }
            unpacked = Optional.of(type);
            return this;
        }

        /** @param type BF16 to let what BF16 weights are multiplied with be rounded to it where that is faster; F32 to never */
        public Builder activations(DType type) {
            if (type != DType.F32 && type != DType.BF16) {
                throw new InvalidRequestException("activations are %s, must be f32 or bf16", type);
            }
            activations = type;
            return this;
        }

        /** @param type of the elements of the key/value cache: F32, F16, BF16 or, on the CPU, Q8 */
        public Builder cacheType(DType type) {
            if (!CACHE_TYPES.contains(type)) {
                throw new InvalidRequestException("the cache is %s, must be f32, f16, bf16 or q8", type);
            }
            cacheType = type;
            return this;
        }

        /** @param tokens of prompt and answer at most, if not the checkpoint's own number */
        public Builder contextLength(int tokens) {
            if (tokens < 1) {
                throw new InvalidRequestException("context length is %d, must be at least 1", tokens);
            }
            contextLength = OptionalInt.of(tokens);
            return this;
        }

        /** @param directory of the tokenizer, if it is not the checkpoint's */
        public Builder tokenizer(Path directory) {
            tokenizer = Optional.of(directory);
            return this;
        }

        /** @param directory of a LoRA adapter in PEFT's format; of several, each request names one by its place, from 0 */
        public Builder adapter(Path directory) {
            adapters.add(directory);
            return this;
        }

        /** @param size of the cache of keys and values, which all sequences share; if not this, it has room for one context */
        public Builder cacheSize(CacheSize size) {
            cacheSize = size;
            return this;
        }

        /** @param sequences that are computed at once at most; 16 if not this */
        public Builder maxBatch(int sequences) {
            if (sequences < 1 || sequences > MemoryPlan.MAX_ROWS / 2) {
                throw new InvalidRequestException(
                        "sequences at once are %d, must be from 1 to %d", sequences, MemoryPlan.MAX_ROWS / 2);
            }
            maxBatch = sequences;
            return this;
        }

        /** @param how tokens are guessed; if not this, they are not */
        public Builder speculation(Speculation how) {
            speculation = Optional.of(how);
            return this;
        }

        /** @param sequences that wait for others at most, before more are refused; 256 if not this */
        public Builder maxQueue(int sequences) {
            if (sequences < 0) {
                throw new InvalidRequestException("waiting sequences are %d, must be 0 or more", sequences);
            }
            maxQueue = sequences;
            return this;
        }

        /** @param tokens of thoughts that answers have at most if nothing is said of that; 0 for no thoughts. If not this, no bound */
        public Builder maxThinkingTokens(int tokens) {
            if (tokens < 0) {
                throw new InvalidRequestException("max thinking tokens is %d, must be 0 or more", tokens);
            }
            maxThinkingTokens = OptionalInt.of(tokens);
            return this;
        }

        /**
         * @param parts that the model is cut into, each computed by its share of the threads
         * @throws InvalidRequestException unless there are 1 to 1024
         */
        public Builder tensorParallel(int parts) {
            if (parts < 1 || parts > MOST_PARTS) {
                throw new InvalidRequestException("parts of the model are %d, must be from 1 to %d", parts, MOST_PARTS);
            }
            tensorParallel = parts;
            return this;
        }

        /**
         * @param group whose ranks compute a part of the model each; the first one loads it, the others {@link ChatModel#follow}. Is
         *     still the caller's to close
         */
        public Builder ranks(Communicator group) {
            ranks = Optional.of(group);
            return this;
        }

        /** @param measured whether to measure every formula; see {@link ChatModel#trace} */
        public Builder trace(boolean measured) {
            trace = measured;
            return this;
        }

        /** @param listener hears how far loading has come */
        public Builder progress(LoadProgress listener) {
            progress = listener;
            return this;
        }

        public LoadOptions build() {
            return new LoadOptions(this);
        }
    }

    public BackendChoice backend() {
        return backend;
    }

    public Optional<DType> quantization() {
        return quantization;
    }

    /** What matrices of a GGUF file turn into that it has quantized; empty for the nearest type. */
    Optional<DType> ofGguf() {
        return quantization.or(() -> unpacked);
    }

    /** @throws InvalidRequestException if something is to be unpacked that is not packed */
    void checkFor(Path model) {
        if (unpacked.isPresent() && ModelFiles.gguf(model).isEmpty()) {
            throw new InvalidRequestException(
                    "%s: is not a GGUF file; only what that has quantized can be unpacked to %s",
                    model, unpacked.get());
        }
    }

    public DType activations() {
        return activations;
    }

    public DType cacheType() {
        return cacheType;
    }

    public OptionalInt contextLength() {
        return contextLength;
    }

    public Optional<Path> tokenizer() {
        return tokenizer;
    }

    public List<Path> adapters() {
        return adapters;
    }

    public CacheSize cacheSize() {
        return cacheSize;
    }

    public int maxBatch() {
        return maxBatch;
    }

    public int maxQueue() {
        return maxQueue;
    }

    public Optional<Speculation> speculation() {
        return speculation;
    }

    public OptionalInt maxThinkingTokens() {
        return maxThinkingTokens;
    }

    public int tensorParallel() {
        return tensorParallel;
    }

    public Optional<Communicator> ranks() {
        return ranks;
    }

    public boolean trace() {
        return trace;
    }

    public LoadProgress progress() {
        return progress;
    }
}
