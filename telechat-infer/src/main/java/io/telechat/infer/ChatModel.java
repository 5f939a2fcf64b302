// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import io.telechat.core.InvalidModelException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import io.telechat.core.backend.CloseGuard;
import io.telechat.core.chat.ChatMessage;
import io.telechat.core.chat.ChatTemplate;
import io.telechat.core.chat.ChatTokenizer;
import io.telechat.core.chat.MarkerPolicy;
import io.telechat.core.chat.SystemMessages;
import io.telechat.core.comm.Communicator;
import io.telechat.core.lora.LoraFiles;
import io.telechat.core.model.CausalLm;
import io.telechat.core.ops.KvCache;
import io.telechat.core.ops.TracingOps;
import io.telechat.core.tensor.DType;
import io.telechat.core.tokenizer.Tokenizer;
import io.telechat.infer.engine.BatchingEngine;
import io.telechat.infer.engine.Engine;
import io.telechat.infer.engine.Request;
import io.telechat.infer.generation.Cancellation;
import io.telechat.infer.generation.ContextOverflowException;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.GenerationOptions;
import io.telechat.infer.generation.TokenEvent;
import io.telechat.infer.generation.TokenListener;
import io.telechat.infer.thinking.ThoughtMarks;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.Flow;
import java.util.stream.Stream;

/**
 * A loaded checkpoint, ready to talk:
 *
 * {@snippet file="snippets/ChatSnippetsTest.java" region="chat"}
 *
 * <p>Sessions of one model may live side by side, on threads of their own; the {@link Engine} computes them together.
 */
public final class ChatModel implements AutoCloseable {
    private final CausalLm model;
    private final Optional<ChatTokenizer> chatTokenizer;
    private final GenerationDefaults defaults;
    private final LoadOptions options;
    private final List<Path> adapters;
    private final Optional<TracingOps> trace;
    private final ModelRunner runner;
    private final BatchingEngine engine;
    private final CloseGuard guard;

    private ChatModel(LoadOptions options, List<Path> adapters, ChatModelLoader.Loaded loaded) {
        this.model = loaded.model();
        this.chatTokenizer = loaded.chatTokenizer();
        this.defaults = loaded.defaults();
        this.options = options;
        this.adapters = List.copyOf(adapters);
        this.trace = loaded.trace();
        this.runner = new ModelRunner(model);
        this.engine = new BatchingEngine(
                model,
                chatTokenizer.map(ChatTokenizer::tokenizer),
                chatTokenizer.map(ChatTokenizer::toolMarkIds).orElse(Set.of()),
                loaded.bounds(),
                loaded.drafter());
        this.guard = CloseGuard.of(this, "a ChatModel"); // last: what could not be made need not be closed
    }

    /** Loads with all options at their defaults. */
    public static ChatModel load(Path directory) {
        return load(directory, LoadOptions.builder().build());
    }

    /**
     * @param directory a checkpoint as its makers publish it; or a LoRA adapter that names its model
     * @throws io.telechat.core.InvalidModelException if it is damaged or incomplete
     * @throws io.telechat.core.InsufficientMemoryException if it cannot fit, before anything is loaded
     */
    public static ChatModel load(Path directory, LoadOptions options) {
        Optional<Path> base = LoraFiles.baseOf(directory);
        if (base.isPresent() && !options.adapters().isEmpty()) {
            throw new InvalidRequestException("%s: is an adapter itself; give its model", directory);
        }
        List<Path> adapters = base.isPresent() ? List.of(directory) : options.adapters();
        return new ChatModel(options, adapters, new ChatModelLoader(base.orElse(directory), adapters, options).load());
    }

    /**
     * On all ranks but the first: computes a part of a model that the first rank loads with the same options, and returns when it
     * closes that.
     *
     * @param options with {@link LoadOptions.Builder#ranks}
     * @throws io.telechat.core.comm.RankException if another rank has failed
     */
    public static void follow(Path directory, LoadOptions options) {
        Optional<Path> base = LoraFiles.baseOf(directory);
        List<Path> adapters = base.isPresent() ? List.of(directory) : options.adapters();
        Communicator ranks = options.ranks()
                .orElseThrow(() -> new IllegalArgumentException("there are no ranks, of which one could lead"));
        new PartLoader(base.orElse(directory), adapters, options).follow(ranks);
    }

    public ModelInfo info() {
        return ModelInfo.of(model.config());
    }

    /** Directories of the adapters that it was loaded with; one is chosen by its place in this list. */
    public List<Path> adapters() {
        return adapters;
    }

    /** Which kernels compute, for people. */
    public String backendDescription() {
        return model.backend().description();
    }

    /**
     * What the checkpoint's generation_config.json asks for, and the bound that thoughts were given when it was loaded.
     *
     * @throws InvalidModelException if that is impossible, or something that is not done here
     */
    public GenerationOptions defaults() {
        return defaults(GenerationOverrides.NONE);
    }

    /** Likewise, but what is asked for here comes first, so that nothing is said of what the file has in its place. */
    public GenerationOptions defaults(GenerationOverrides asked) {
        GenerationOptions byFile = defaults.options(asked);
        OptionalInt thinking = options.maxThinkingTokens();
        return thinking.isPresent() ? byFile.withMaxThinkingTokens(thinking.getAsInt()) : byFile;
    }

    /** What every formula cost so far, as a table, if the model was loaded so. */
    public Optional<String> trace() {
        return trace.map(TracingOps::report);
    }

    /** Tokens of prompt and answer at most. */
    public int contextLength() {
        return engine.options().contextLength();
    }

    /** Whether the checkpoint came with a tokenizer. */
    public boolean hasTokenizer() {
        return chatTokenizer.isPresent();
    }

    /** @throws io.telechat.core.InvalidModelException if there is no tokenizer */
    public ChatTokenizer chatTokenizer() {
        return chatTokenizer.orElseThrow(() -> new InvalidModelException(
                "the checkpoint has no tokenizer (tokenizer.model, tokenizer.json or qwen.tiktoken); --tokenizer DIR"
                        + " names a directory that has one"));
    }

    public Tokenizer tokenizer() {
        return chatTokenizer().tokenizer();
    }

    /**
     * An empty conversation.
     *
     * @throws IllegalStateException if the model is closed
     */
    public ChatSession newSession() {
        if (guard.isClosed()) {
            throw new IllegalStateException("the model is closed");
        }
        return new ChatSession(this);
    }

    /** An empty context, to be fed by hand. */
    public Context newContext() {
        return engine.alone(() -> new Context(this, model.newCache(options.cacheType())));
    }

    void free(KvCache cache) {
        if (!guard.isClosed()) {
            engine.alone(() -> {
                cache.close();
                return cache;
            });
        }
    }

    /**
     * Asks one question whose answer is a record, such as {@code record Recipe(String name, List<String> steps) {}}; see {@link
     * ChatSession#ask}.
     */
    public <T extends Record> T ask(String question, Class<T> type) {
        try (ChatSession session = newSession()) {
            return session.ask(question, type);
        }
    }

    /** The element type of caches. */
    public DType cacheType() {
        return options.cacheType();
    }

    /**
     * Reads tokens that follow those of a context.
     *
     * @return logits of the last one, [vocab]
     */
    public float[] logits(int[] ids, Context context) {
        engine.checkIds(ids);
        return engine.alone(() -> runner.feed(ids, context.cache()));
    }

    /** Likewise, and shows all that is computed. */
    public void observe(int[] ids, Context context, PassObserver observer) {
        engine.checkIds(ids);
        engine.alone(() -> {
            runner.feed(ids, context.cache(), observer);
            return context;
        });
    }

    CausalLm decoder() {
        return model;
    }

    ModelRunner runner() {
        return runner;
    }

    /** What generates, for those who want more than one sequence at a time. */
    public Engine engine() {
        return engine;
    }

    /**
     * Continues a prompt. For any thread: generations of one model are computed side by side.
     *
     * @param options {@code maxNewTokens} empty means the checkpoint's default
     * @param listener called on the calling thread
     */
    public Generation generate(
            int[] prompt, GenerationOptions options, TokenListener listener, Cancellation cancellation) {
        return generate(prompt, 0, options, listener, cancellation);
    }

    /** Likewise, through one of the adapters, counted from 0, or {@link ChatSession#NO_ADAPTER}. */
    Generation generate(
            int[] prompt, int adapter, GenerationOptions options, TokenListener listener, Cancellation cancellation) {
        Request request = Request.of(prompt, resolve(options, prompt.length)).withAdapter(adapter);
        return Listening.generate(engine, request, listener, cancellation);
    }

    /** Likewise, without a way to stop it but to interrupt the thread. */
    public Generation generate(int[] prompt, GenerationOptions options, TokenListener listener) {
        return generate(prompt, options, listener, new Cancellation());
    }

    /** Likewise, begun when the first token is asked for; to close the stream cancels. */
    public Stream<TokenEvent> stream(int[] prompt, GenerationOptions options) {
        return TokenStreams.stream((listener, cancellation) -> generate(prompt, options, listener, cancellation));
    }

    /** Likewise, begun by the only subscriber; to cancel the subscription cancels. */
    public Flow.Publisher<TokenEvent> publisher(int[] prompt, GenerationOptions options) {
        return TokenStreams.publisher((listener, cancellation) -> generate(prompt, options, listener, cancellation));
    }

    /** Options for an answer of the chat format: with thoughts first where it has them, and an end where it has that, too. */
    public GenerationOptions asChat(GenerationOptions options) {
        ChatTemplate template = chatTokenizer().template();
        return thinkingAsChat(options).alsoEndingWith(template.stopIds(tokenizer()), template.stopStrings());
    }

    /** Options for an answer that has thoughts first where the chat format has them. */
    public GenerationOptions thinkingAsChat(GenerationOptions options) {
        return chatTokenizer()
                .template()
                .thinking()
                .map(format -> options.withThinking(new ThoughtMarks(format.open(), format.close(), format.begun())))
                .orElse(options);
    }

    /** How many tokens a text has. */
    public int countTokens(String text) {
        return tokenizer().encode(text).length;
    }

    /** How many tokens the prompt has that a conversation becomes, with all marks of the chat format. */
    public int countTokens(List<ChatMessage> conversation) {
        return chatTokenizer().prompt(conversation, MarkerPolicy.ESCAPE, SystemMessages.FOLD).length;
    }

    /**
     * The hidden state behind a text's last token and the final norm, of length 1: the dot product of two is their cosine. Models
     * that were not trained for it give weak embeddings.
     *
     * @return [hidden] for each text
     * @throws ContextOverflowException if a text is longer than the context
     */
    public List<float[]> embed(List<String> texts) {
        return Embeddings.of(
                engine,
                texts.stream()
                        .map(text -> Request.embedding(chatTokenizer().document(text)))
                        .toList());
    }

    /**
     * The options with the checkpoint's default length, if they say nothing of it, and no more than fits.
     *
     * @throws ContextOverflowException if the prompt leaves no room
     */
    public GenerationOptions resolve(GenerationOptions options, int promptTokens) {
        int limit = lengthLimit(options);
        if (promptTokens >= limit) {
            throw new ContextOverflowException(promptTokens, limit, Message.of(""));
        }
        OptionalInt length = options.maxNewTokens().isPresent() ? options.maxNewTokens() : defaults.maxNewTokens();
        return options.withMaxNewTokens(Math.min(length.orElse(Integer.MAX_VALUE), limit - promptTokens));
    }

    /**
     * Tokens that prompt and answer may have together: the context, or less if generation_config.json has a max_length and
     * neither the answer's length nor the context's was asked for.
     */
    public int lengthLimit(GenerationOptions asked) {
        boolean byFile = asked.maxNewTokens().isEmpty()
                && defaults.maxNewTokens().isEmpty()
                && options.contextLength().isEmpty();
        int context = contextLength();
        return byFile ? Math.min(context, defaults.maxLength().orElse(context)) : context;
    }

    /** Length of an answer to make room for, if the conversation has to be shortened. */
    int wantedLength(GenerationOptions asked) {
        OptionalInt length = asked.maxNewTokens().isPresent() ? asked.maxNewTokens() : defaults.maxNewTokens();
        return Math.min(length.orElse(Integer.MAX_VALUE), lengthLimit(asked) / 2);
    }

    /** Ends all generations, then frees everything. */
    @Override
    public void close() {
        if (guard.close()) {
            engine.close();
            runner.close();
            model.close();
        }
    }
}
