// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.api;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.TokenEvent;
import io.telechat.server.http.ClientGoneException;
import io.telechat.server.http.HttpExchange;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

/** Writes the answers to one request, whole or as a stream. What is in a choice is the endpoint's. */
abstract class Answers {
    /** After so much silence, a stream shows that it is still there. */
    static final Duration SILENCE = Duration.ofSeconds(15);

    private final Context context;
    private final String id;
    private final String modelName;
    private final int count;
    private final int perPrompt;
    private final long created = System.currentTimeMillis() / 1000;
    private final Usage usage = new Usage();

    /**
     * @param count of all answers
     * @param perPrompt how many neighbouring ones have the same prompt
     */
    Answers(Context context, String id, String modelName, int count, int perPrompt) {
        this.context = context;
        this.id = id;
        this.modelName = modelName;
        this.count = count;
        this.perPrompt = perPrompt;
    }

    /** What counts of an answer. */
    Generation generated(Generation generation) {
        return generation;
    }

    /** The name of a whole response. */
    abstract String object();

    /** The name of a chunk of a stream. */
    abstract String chunkObject();

    /** Fills in one of the choices, which has its index. */
    abstract void put(Generation answer, ObjectNode choice);

    /** What a stream begins with. */
    abstract void begin(EventStream events);

    /** The log-probabilities of a prompt, if they were asked for. */
    void prompt(EventStream events, int index, List<Generation.TokenLogprob> logprobs) {
        // Few show them.
    }

    abstract void token(EventStream events, int index, TokenEvent event);

    /** The last of an answer. */
    abstract void finish(EventStream events, int index, Generation answer);

    /** Sends a chunk of one choice, in which {@code fill} puts what has come. */
    final void send(EventStream events, int index, Consumer<ObjectNode> fill) {
        ObjectNode json = context.envelope(id, chunkObject(), created, modelName);
        fill.accept(json.putArray("choices").addObject().put("index", index));
        events.send(json);
    }

    private void count(int index, Generation answer) {
        usage.add(answer.usage(), index % perPrompt == 0);
    }

    void whole(Job job, HttpExchange exchange) {
        Generation[] answers = new Generation[count];
        while (job.isRunning()) {
            switch (job.next(SILENCE)) {
                case Job.Finished finished -> answers[finished.index()] = generated(finished.generation());
                case Job.Failed failed -> throw failed.failure();
                default -> {} // the whole answer is all that counts
            }
        }
        if (job.hasLeft()) {
            return;
        }
        ObjectNode json = context.envelope(id, object(), created, modelName);
        ArrayNode choices = json.putArray("choices");
        for (int i = 0; i < count; i++) {
            put(answers[i], choices.addObject().put("index", i));
            count(i, answers[i]);
        }
        json.set("usage", usage.json());
        exchange.reply(Replies.json(json));
    }

    /** @param withUsage whether it ends with counts */
    void stream(Job job, HttpExchange exchange, boolean withUsage) {
        EventStream events = new EventStream(exchange);
        begin(events);
        try {
            while (job.isRunning()) {
                events.keepAliveIfSilent();
                switch (job.next(SILENCE)) {
                    case Job.Prompt prompt -> prompt(events, prompt.index(), prompt.logprobs());
                    case Job.Token token -> token(events, token.index(), token.event());
                    case Job.Finished finished -> {
                        if (job.hasLeft()) {
                            return;
                        }
                        Generation answer = generated(finished.generation());
                        finish(events, finished.index(), answer);
                        count(finished.index(), answer);
                    }
                    case Job.Failed failed -> throw failed.failure();
                    case Job.Embedded embedded -> {} // is not asked for
                    case Job.Silence silence -> {} // that shows with the next turn
                }
            }
        } catch (ClientGoneException e) {
            throw e;
        } catch (RuntimeException e) {
            events.error(e);
            return;
        }
        if (withUsage) {
            ObjectNode last = context.envelope(id, chunkObject(), created, modelName);
            last.putArray("choices");
            last.set("usage", usage.json());
            events.send(last);
        }
        events.done();
    }
}
