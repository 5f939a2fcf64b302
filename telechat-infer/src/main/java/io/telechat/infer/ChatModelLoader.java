// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import io.telechat.core.InvalidModelException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.backend.Backend;
import io.telechat.core.backend.Backends;
import io.telechat.core.chat.ChatTokenizer;
import io.telechat.core.comm.Communicator;
import io.telechat.core.lora.AdaptedModel;
import io.telechat.core.model.CausalLm;
import io.telechat.core.model.MemoryPlan;
import io.telechat.core.ops.KvLayout;
import io.telechat.core.ops.Ops;
import io.telechat.core.ops.TracingOps;
import io.telechat.core.weights.ModelLoader;
import io.telechat.infer.engine.Drafter;
import io.telechat.infer.engine.EngineOptions;
import io.telechat.infer.engine.NGramDrafter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Loads what a {@link ChatModel} is made of.
 *
 * @param directory of the checkpoint
 * @param adapters directories in PEFT's format
 */
record ChatModelLoader(Path directory, List<Path> adapters, LoadOptions options) {
    /** Tokens; a context that is cut to the memory is a multiple of it. */
    private static final int CONTEXT_STEP = 1024;

    private static final Logger LOG = LoggerFactory.getLogger(ChatModel.class);

    /** The parts, which belong to whoever gets them. */
    record Loaded(
            CausalLm model,
            Optional<ChatTokenizer> chatTokenizer,
            GenerationDefaults defaults,
            EngineOptions bounds,
            Optional<TracingOps> trace,
            Drafter drafter) {}

    /** @throws io.telechat.core.TelechatException if it cannot be loaded, as {@link ChatModel#load} says */
    Loaded load() {
        options.checkFor(directory);
        ModelLoader.Checked checked = ModelLoader.check(directory, options.ofGguf());
        Optional<Backend> backend = Optional.empty();
        try {
            ModelConfig config = checked.config();
            requireDefined(config, options);
            GenerationDefaults defaults = GenerationDefaults.read(directory);
            backend = Optional.of(Backends.open(PartLoader.share(options)));
            backend.get().requireCacheType(options.cacheType());
            long weights = checked.weightBytes(backend.get(), options.quantization());
            int processes = options.ranks().map(Communicator::size).orElse(1);
            OptionalLong ofDevice = backend.get().memory().freeBytes();
            long memory =
                    ofDevice.isPresent() ? ofDevice.getAsLong() * options.tensorParallel() : MemoryPlan.machineMemory();
            long forCaches = ofDevice.isPresent() ? memory / 10 * 9 : memory / 2;
            int contextLength = options.contextLength()
                    .orElseGet(() -> fittingContext(
                            MemoryPlan.of(config, weights, options.cacheType(), config.contextLength())
                                    .dividedBy(processes),
                            memory));
            EngineOptions bounds = bounds(config, forCaches - weights, contextLength, options);
            MemoryPlan plan = MemoryPlan.of(config, weights, options.cacheType(), bounds.contextLength())
                    .dividedBy(processes);
            plan.require(directory.toString(), memory);
            LOG.info(
                    "{}: {}, {} parameters, weights of {}, context {}, {} in all; {}",
                    directory,
                    config.architecture().name(),
                    config.parameters(),
                    MemoryPlan.gib(weights),
                    bounds.contextLength(),
                    MemoryPlan.gib(plan.total()),
                    backend.get().description());
            adapters.forEach(a -> LOG.info("with the adapter {}", a));
            Optional<ChatTokenizer> tokenizer = tokenizer(directory, config, options);
            Ops plain = PartLoader.ops(backend.get(), options);
            Optional<TracingOps> trace = options.trace() ? Optional.of(new TracingOps(plain)) : Optional.empty();
            Ops ops = trace.isPresent() ? trace.get() : plain;
            CausalLm model = load(checked, backend.get(), ops);
            return new Loaded(model, tokenizer, defaults, bounds, trace, drafter(config));
        } catch (RuntimeException | Error e) {
            checked.close();
            backend.ifPresent(Backend::close);
            throw e;
        }
    }

    private CausalLm load(ModelLoader.Checked checked, Backend backend, Ops ops) {
        if (PartLoader.cuts(options)) {
            return new PartLoader(checked.checkpoint().directory(), adapters, options).lead(checked, backend, ops);
        }
        return adapters.isEmpty()
                ? ModelLoader.load(checked, backend, ops, options.quantization(), options.progress())
                : AdaptedModel.load(checked, backend, ops, options.quantization(), adapters, options.progress());
    }

    /**
     * What the engine may use; the context is cut to what the cache holds.
     *
     * @param left bytes that caches may take
     */
    private static EngineOptions bounds(ModelConfig config, long left, int contextLength, LoadOptions options) {
        KvLayout layout = new KvLayout(config.layers(), config.heads(), options.cacheType());
        int blocks = CacheBlocks.of(options.cacheSize(), layout, contextLength, left);
        int held = Math.min(contextLength, blocks * KvLayout.BLOCK);
        int drafts = options.speculation().map(Speculation::tokens).orElse(0);
        return new EngineOptions(options.cacheType(), held, blocks, options.maxBatch(), options.maxQueue(), drafts);
    }

    /** What guesses tokens, if anything is to. */
    private Drafter drafter(ModelConfig config) {
        if (options.speculation().isEmpty()) {
            return Drafter.NONE;
        }
        if (options.speculation().get().draftModel().isEmpty()) {
            return new NGramDrafter();
        }
        Path draft = options.speculation().get().draftModel().get();
        ModelLoader.Checked checked = ModelLoader.check(draft, options.ofGguf());
        Optional<Backend> backend = Optional.empty();
        try {
            if (checked.config().vocabSize() != config.vocabSize()) {
                throw new InvalidRequestException(
                        "%s: has a vocabulary of %,d, the model %,d: what it guesses means nothing",
                        draft, checked.config().vocabSize(), config.vocabSize());
            }
            backend = Optional.of(Backends.open(options.backend()));
            Ops ops = PartLoader.ops(backend.get(), options);
            CausalLm small = ModelLoader.load(checked, backend.get(), ops, options.quantization(), options.progress());
            return new ModelDrafter(small, options.cacheType());
        } catch (RuntimeException | Error e) {
            checked.close();
            backend.ifPresent(Backend::close);
            throw e;
        }
    }

    private static void requireDefined(ModelConfig config, LoadOptions options) {
        if (options.contextLength().orElse(0) > config.maxContextLength()) {
            throw new InvalidRequestException(
                    "context length %,d is beyond this model's %,d: its rotation is not defined there",
                    options.contextLength().getAsInt(), config.maxContextLength());
        }
    }

    /** The model's own context length, or what memory has room for, with some left over, where that is less. */
    private static int fittingContext(MemoryPlan plan, long memory) {
        long fitting = plan.longestContext(memory) / 4 * 3 / CONTEXT_STEP * CONTEXT_STEP;
        if (plan.total() <= memory || fitting == 0) {
            return plan.contextLength();
        }
        LOG.warn(Message.localized(
                "memory has no room for the %,d tokens of this model's context: it is %,d (--context-length)",
                plan.contextLength(), fitting));
        return (int) fitting;
    }

    /** A checkpoint without a tokenizer can still be fed with ids; one with a damaged tokenizer is refused. */
    private static Optional<ChatTokenizer> tokenizer(Path directory, ModelConfig config, LoadOptions options) {
        Path from = options.tokenizer().orElse(directory);
        if (options.tokenizer().isEmpty() && ChatTokenizer.file(from).isEmpty()) {
            return Optional.empty();
        }
        ChatTokenizer tokenizer = ChatTokenizer.load(from);
        if (tokenizer.tokenizer().size() > config.vocabSize()) {
            throw new InvalidModelException(
                    "%s: its tokenizer has %,d pieces, the model %,d ids: they don't belong together",
                    from, tokenizer.tokenizer().size(), config.vocabSize());
        }
        return Optional.of(tokenizer);
    }
}
