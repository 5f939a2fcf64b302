// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.tokenizer.Tokenizer;
import io.telechat.infer.ChatModel;
import io.telechat.infer.engine.Request;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.GenerationOptions;
import io.telechat.infer.generation.TokenEvent;
import io.telechat.infer.grammar.Grammar;
import io.telechat.server.http.ClientGoneException;
import io.telechat.server.http.HttpExchange;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** {@code POST /v1/completions}. */
final class CompletionEndpoint {
    private static final int STANDARD_LENGTH = 16;
    private static final int MOST_LOGPROBS = 20;

    private final Context context;
    private final ChatModel model;
    private final Tokenizer tokenizer;
    private final TokenTexts texts;

    CompletionEndpoint(Context context) {
        this.context = context;
        this.model = context.model();
        this.tokenizer = model.tokenizer();
        this.texts = new TokenTexts(tokenizer);
    }

    /**
     * What a request asks for.
     *
     * @param choices answers to each prompt
     * @param onlyPrompt whether nothing is to be generated
     */
    private record Asked(
            String modelName,
            List<Request> requests,
            int choices,
            boolean stream,
            boolean usage,
            boolean echo,
            boolean onlyPrompt,
            boolean logprobs,
            boolean tokenIds) {}

    void handle(HttpExchange exchange, String requestId) {
        Asked asked = read(new Fields(StrictJson.object(exchange.body())));
        try (Job job = context.start(asked.requests(), exchange)) {
            Answers answers = new Answers(asked, "cmpl-" + requestId);
            if (asked.stream()) {
                answers.stream(job, exchange, requestId);
            } else {
                answers.whole(job, exchange, requestId);
            }
        }
    }

    private Asked read(Fields request) {
        ServedModels.Served served = context.models().of(request);
        List<int[]> prompts = new Prompts(model).read(request, "prompt");
        SamplingFields sampling = new SamplingFields(request, model);
        boolean stream = request.flag("stream");
        boolean usage = ChatEndpoint.usageAsked(request, stream);
        boolean echo = request.flag("echo");
        Optional<Integer> logprobs = request.count("logprobs", 0, MOST_LOGPROBS);
        int length =
                request.count("max_tokens", echo ? 0 : 1, Integer.MAX_VALUE).orElse(STANDARD_LENGTH);
        GenerationOptions options = sampling.options(
                Optional.of(Math.max(1, length)), Set.of(), List.of(), logprobs.orElse(GenerationOptions.NO_LOGPROBS));
        Optional<Grammar> grammar = ResponseFormat.read(request, ChatTools.NONE);
        List<Request> requests = new ArrayList<>();
        for (int[] prompt : prompts) {
            GenerationOptions resolved =
                    model.resolve(grammar.map(options::withGrammar).orElse(options), prompt.length);
            for (int i = 0; i < sampling.choices(); i++) {
                Request one = Request.of(
                                prompt, resolved.withSeed(SamplingFields.seed(resolved.seed(), requests.size())))
                        .withAdapter(served.adapter())
                        .withSalt(request.text("cache_salt").orElse(""));
                requests.add(echo && logprobs.isPresent() ? one.withPromptLogprobs(logprobs.get()) : one);
            }
        }
        return new Asked(
                served.name(),
                requests,
                sampling.choices(),
                stream,
                usage,
                echo,
                length == 0,
                logprobs.isPresent(),
                request.flag("return_token_ids"));
    }

    /** Writes the answers to one request. */
    private final class Answers {
        private final Asked asked;
        private final String id;
        private final long created = System.currentTimeMillis() / 1000;
        private final Usage usage = new Usage();

        Answers(Asked asked, String id) {
            this.asked = asked;
            this.id = id;
        }

        private String promptText(int index) {
            return asked.echo() ? tokenizer.decode(asked.requests().get(index).prompt()) : "";
        }

        void whole(Job job, HttpExchange exchange, String requestId) {
            Generation[] answers = new Generation[asked.requests().size()];
            while (job.isRunning()) {
                switch (job.next(ChatEndpoint.SILENCE)) {
                    case Job.Finished finished -> answers[finished.index()] = generated(finished.generation());
                    case Job.Failed failed -> throw failed.failure();
                    default -> {} // the whole answer is all that counts
                }
            }
            if (job.hasLeft()) {
                return;
            }
            ObjectNode json = context.envelope(id, "text_completion", created, asked.modelName());
            ArrayNode choices = json.putArray("choices");
            for (int i = 0; i < answers.length; i++) {
                choices.add(choice(i, answers[i]));
                usage.add(answers[i].usage(), i % asked.choices() == 0);
            }
            json.set("usage", usage.json());
            exchange.reply(Replies.json(json).withHeader("X-Request-Id", requestId));
        }

        /** What counts of it: where nothing was to be generated, nothing. */
        private Generation generated(Generation generation) {
            return asked.onlyPrompt() ? generation.cutTo(0, "", generation.finishReason()) : generation;
        }

        private ObjectNode choice(int index, Generation answer) {
            String prompt = promptText(index);
            ObjectNode choice = JsonNodeFactory.instance.objectNode();
            choice.put("index", index);
            choice.put("text", prompt + answer.text());
            JsonNode logprobs =
                    asked.logprobs() ? columns(index, answer, prompt).json() : null;
            choice.set("logprobs", logprobs);
            choice.put("finish_reason", Context.finishReason(answer.finishReason()));
            if (asked.tokenIds()) {
                ArrayNode ids = choice.putArray("token_ids");
                answer.tokens().forEach(ids::add);
            }
            return choice;
        }

        private TokenTexts.Columns columns(int index, Generation answer, String prompt) {
            TokenTexts.Columns columns = texts.new Columns(0);
            if (asked.echo()) {
                columns.addUnknown(asked.requests().get(index).prompt()[0]);
                columns.addAll(answer.promptLogprobs());
            }
            columns.addAll(answer.logprobs());
            return columns;
        }

        void stream(Job job, HttpExchange exchange, String requestId) {
            EventStream events = new EventStream(exchange, requestId);
            int[] offsets = new int[asked.requests().size()];
            for (int i = 0; asked.echo() && i < offsets.length; i++) {
                events.send(chunk(i, promptText(i), null, null));
            }
            try {
                while (job.isRunning()) {
                    events.keepAliveIfSilent();
                    switch (job.next(ChatEndpoint.SILENCE)) {
                        case Job.Token token -> {
                            if (!asked.onlyPrompt()) {
                                token(events, offsets, token.index(), token.event());
                            }
                        }
                        case Job.Finished finished -> {
                            if (job.hasLeft()) {
                                return;
                            }
                            Generation answer = generated(finished.generation());
                            String reason = Context.finishReason(answer.finishReason());
                            events.send(chunk(finished.index(), "", null, reason));
                            usage.add(answer.usage(), finished.index() % asked.choices() == 0);
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
            if (asked.usage()) {
                ObjectNode last = context.envelope(id, "text_completion", created, asked.modelName());
                last.putArray("choices");
                last.set("usage", usage.json());
                events.send(last);
            }
            events.done();
        }

        private void token(EventStream events, int[] offsets, int index, TokenEvent event) {
            ObjectNode logprobs = null;
            if (event.logprob().isPresent()) {
                TokenTexts.Columns columns = texts.new Columns(offsets[index]);
                columns.add(event.logprob().get());
                offsets[index] = columns.offset();
                logprobs = columns.json();
            }
            if (!event.text().isEmpty() || logprobs != null) {
                events.send(chunk(index, event.text(), logprobs, null));
            }
        }

        private ObjectNode chunk(int index, String text, ObjectNode logprobs, String finishReason) {
            ObjectNode json = context.envelope(id, "text_completion", created, asked.modelName());
            ObjectNode choice = json.putArray("choices").addObject();
            choice.put("index", index);
            choice.put("text", text);
            choice.set("logprobs", logprobs);
            choice.put("finish_reason", finishReason);
            return json;
        }
    }
}
