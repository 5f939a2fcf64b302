// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.telechat.core.InvalidInputException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import io.telechat.core.chat.ChatMessage;
import io.telechat.core.chat.MarkerPolicy;
import io.telechat.core.chat.Role;
import io.telechat.core.chat.SystemMessages;
import io.telechat.core.ops.Batch;
import io.telechat.infer.generation.Cancellation;
import io.telechat.infer.generation.ContextOverflowException;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.GenerationOptions;
import io.telechat.infer.generation.TokenEvent;
import io.telechat.infer.generation.TokenListener;
import io.telechat.infer.grammar.JsonSchema;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Flow;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A conversation. Messages are immutable; what the model has computed for earlier turns is used again where that
 * changes nothing. Not thread-safe.
 */
public final class ChatSession implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ChatSession.class);
    private static final ObjectMapper RECORDS = new ObjectMapper();

    /** The model as it is, without any of its adapters. */
    public static final int NO_ADAPTER = Batch.Span.NO_ADAPTER;

    private final ChatModel model;
    private final List<ChatMessage> messages = new ArrayList<>();
    private Optional<GenerationOptions> options = Optional.empty();
    private MarkerPolicy markers = MarkerPolicy.ESCAPE;
    private SystemMessages systemMessages = SystemMessages.FOLD;
    private OverflowPolicy overflow = OverflowPolicy.ERROR;
    private int adapter;
    private boolean toldOverflow;
    private volatile boolean closed;

    /** Made by {@link ChatModel#newSession}. */
    public ChatSession(ChatModel model) {
        this.model = model;
    }

    /** The checkpoint's defaults, if no others were set. */
    public GenerationOptions options() {
        return options.orElseGet(model::defaults);
    }

    /** Options of the following answers. */
    public ChatSession setOptions(GenerationOptions options) {
        this.options = Optional.of(options);
        return this;
    }

    /**
     * The adapter that the following answers go through; at first, the first one, if there is any.
     *
     * @param number its place in {@link ChatModel#adapters}, or {@link #NO_ADAPTER}
     * @throws IllegalArgumentException if there is no such adapter
     */
    public ChatSession setAdapter(int number) {
        if (number != NO_ADAPTER && (number < 0 || number >= model.adapters().size())) {
            throw new IllegalArgumentException("adapter %d of a model with %d"
                    .formatted(number, model.adapters().size()));
        }
        this.adapter = number;
        return this;
    }

    public ChatSession setMarkerPolicy(MarkerPolicy policy) {
        this.markers = policy;
        return this;
    }

    /** What becomes of system messages that the chat format has no place for. */
    public ChatSession setSystemMessages(SystemMessages policy) {
        this.systemMessages = policy;
        return this;
    }

    public ChatSession setOverflowPolicy(OverflowPolicy policy) {
        this.overflow = policy;
        this.toldOverflow = false;
        return this;
    }

    public OverflowPolicy overflowPolicy() {
        return overflow;
    }

    /** The conversation so far. */
    public List<ChatMessage> messages() {
        return List.copyOf(messages);
    }

    /** Replaces the conversation. */
    public void setMessages(List<ChatMessage> replacement) {
        List<ChatMessage> copy = List.copyOf(replacement);
        messages.clear();
        messages.addAll(copy);
    }

    /** Sets, replaces or (if empty) removes the system message. */
    public void setSystem(String content) {
        messages.removeIf(m -> m.role() == Role.SYSTEM);
        if (!content.isEmpty()) {
            messages.addFirst(ChatMessage.system(content));
        }
    }

    /** Sends a question and waits for the answer. */
    public Generation send(String question) {
        return send(question, TokenListener.SILENT);
    }

    /**
     * Sends a question as soon as the first token is asked for. To close the stream cancels the answer, of which the conversation then
     * has what was read: do so where it may be left before its end, and do nothing else with this session meanwhile.
     *
     * {@snippet file="snippets/ChatSnippetsTest.java" region="stream"}
     */
    public Stream<TokenEvent> stream(String question) {
        return TokenStreams.stream(
                (listener, cancellation) -> send(ChatMessage.user(question), listener, cancellation));
    }

    /**
     * Sends a question as soon as somebody subscribes, the only one who may. The answer waits for who is slow, and is cancelled with
     * the subscription; {@code onComplete} says that this session may be used again.
     */
    public Flow.Publisher<TokenEvent> publisher(String question) {
        return TokenStreams.publisher(
                (listener, cancellation) -> send(ChatMessage.user(question), listener, cancellation));
    }

    /** Sends a question and streams the answer. */
    public Generation send(String question, TokenListener listener) {
        return send(ChatMessage.user(question), listener, new Cancellation());
    }

    /**
     * Sends a message and streams the answer. Both become part of the conversation, also if the answer is cancelled, but no thoughts;
     * if anything fails, the conversation is what it was.
     *
     * @throws InvalidRequestException if the message is empty, or refused for a role marker in it
     * @throws ContextOverflowException if the conversation does not fit
     */
    public Generation send(ChatMessage message, TokenListener listener, Cancellation cancellation) {
        if (message.content().isEmpty()) {
            throw new InvalidRequestException("the message is empty: there is nothing to answer");
        }
        List<ChatMessage> next = new ArrayList<>(messages);
        next.add(message);
        return answer(next, listener, cancellation);
    }

    /**
     * Takes the last answer back and generates another.
     *
     * @throws InvalidRequestException if there is none
     */
    public Generation regenerate(TokenListener listener, Cancellation cancellation) {
        List<ChatMessage> next = new ArrayList<>(messages);
        if (next.isEmpty() || next.getLast().role() != Role.ASSISTANT) {
            throw new InvalidRequestException("there is no answer to regenerate yet");
        }
        next.removeLast();
        return answer(next, listener, cancellation);
    }

    /**
     * Sends a question whose answer is a record: the model can say nothing but its components, as JSON. Question and answer become
     * part of the conversation.
     *
     * @throws io.telechat.core.InvalidInputException if the answer was cut short before the record was whole
     */
    public <T extends Record> T ask(String question, Class<T> type) {
        Optional<GenerationOptions> before = options;
        setOptions(options().withGrammar(JsonSchema.compile(JsonSchema.of(type))));
        try {
            Generation generation = send(question, TokenListener.SILENT);
            return RECORDS.readValue(generation.text(), type);
        } catch (JsonProcessingException e) {
            throw new InvalidInputException(
                    e, "the answer ended before it was a whole %s: let it be longer", type.getSimpleName());
        } finally {
            options = before;
        }
    }

    /** @throws IllegalStateException if this session or its model is closed */
    private Generation answer(List<ChatMessage> conversation, TokenListener listener, Cancellation cancellation) {
        if (closed) {
            throw new IllegalStateException("the session is closed");
        }
        Prompt prompt = fit(conversation);
        Generation generation = model.generate(prompt.ids(), adapter, model.asChat(options()), listener, cancellation);
        conversation.add(ChatMessage.assistant(generation.text()));
        setMessages(conversation);
        return generation.withDroppedTurns(prompt.droppedTurns());
    }

    private record Prompt(int[] ids, int droppedTurns) {}

    /** The prompt of a conversation; if the policy says so, it leaves out the oldest turns until it fits. */
    private Prompt fit(List<ChatMessage> conversation) {
        List<ChatMessage> kept = new ArrayList<>(conversation);
        int[] ids = model.chatTokenizer().prompt(kept, markers, systemMessages);
        int limit = model.lengthLimit(options());
        int wanted = model.wantedLength(options());
        int dropped = 0;
        while (overflow == OverflowPolicy.DROP_OLDEST_TURNS && ids.length + wanted > limit && dropOldestTurn(kept)) {
            dropped++;
            ids = model.chatTokenizer().prompt(kept, markers, systemMessages);
        }
        if (dropped > 0 && !toldOverflow) {
            LOG.warn(Message.localized(
                    "the context of %,d tokens is full: from now on the prompt leaves out the oldest turns", limit));
            toldOverflow = true;
        }
        if (ids.length >= limit) {
            Message otherwise = overflow == OverflowPolicy.ERROR
                    ? Message.of(", or allow --context-overflow drop-oldest-turns")
                    : Message.of("");
            throw new ContextOverflowException(ids.length, limit, otherwise);
        }
        return new Prompt(ids, dropped);
    }

    /** Removes everything from the first user message to before the second; the last user message stays. */
    private static boolean dropOldestTurn(List<ChatMessage> conversation) {
        int first = indexOfUser(conversation, 0);
        int second = first < 0 ? -1 : indexOfUser(conversation, first + 1);
        if (second < 0) {
            return false;
        }
        conversation.subList(first, second).clear();
        return true;
    }

    private static int indexOfUser(List<ChatMessage> conversation, int from) {
        for (int i = from; i < conversation.size(); i++) {
            if (conversation.get(i).role() == Role.USER) {
                return i;
            }
        }
        return -1;
    }

    /** Sending after that fails. For any thread. */
    @Override
    public void close() {
        closed = true;
    }
}
