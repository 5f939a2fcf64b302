// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.api;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.tokenizer.Tokenizer;
import io.telechat.infer.ChatModel;
import io.telechat.infer.engine.Request;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.GenerationOptions;
import io.telechat.infer.generation.TokenEvent;
import io.telechat.infer.grammar.Grammar;
import io.telechat.infer.tools.Tools;
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

    void handle(HttpExchange exchange) {
        Asked asked = read(new Fields(StrictJson.object(exchange.body())));
        try (Job job = context.start(asked.requests(), exchange)) {
            Answers answers = new TextAnswers(asked, "cmpl-" + exchange.id());
            if (asked.stream()) {
                answers.stream(job, exchange, asked.usage());
            } else {
                answers.whole(job, exchange);
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
        Optional<Grammar> grammar = ResponseFormat.read(request, Tools.NONE);
        List<Request> requests = new ArrayList<>();
        for (int[] prompt : prompts) {
            GenerationOptions resolved =
                    model.resolve(grammar.map(options::withGrammar).orElse(options), prompt.length);
            for (int i = 0; i < sampling.choices(); i++) {
                Request one = Request.of(
                                prompt, resolved.withSeed(SamplingFields.seed(resolved.seed(), requests.size())))
                        .withAdapter(served.adapter())
                        .withSalt(request.salt());
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

    /** Texts, whole or in pieces. */
    private final class TextAnswers extends Answers {
        private final Asked asked;
        private final int[] offsets;

        TextAnswers(Asked asked, String id) {
            super(context, id, asked.modelName(), asked.requests().size(), asked.choices());
            this.asked = asked;
            this.offsets = new int[asked.requests().size()];
        }

        @Override
        String object() {
            return "text_completion";
        }

        @Override
        String chunkObject() {
            return object();
        }

        /** Where nothing was to be generated, nothing. */
        @Override
        Generation generated(Generation generation) {
            return asked.onlyPrompt() ? generation.cutTo(0, "", "", generation.finishReason()) : generation;
        }

        private String promptText(int index) {
            return asked.echo() ? tokenizer.decode(asked.requests().get(index).prompt()) : "";
        }

        @Override
        void put(Generation answer, ObjectNode choice) {
            int index = choice.get("index").intValue();
            choice.put("text", promptText(index) + answer.text());
            choice.set("logprobs", asked.logprobs() ? columns(index, answer).json() : null);
            choice.put("finish_reason", Context.finishReason(answer.finishReason()));
            if (asked.tokenIds()) {
                ArrayNode ids = choice.putArray("token_ids");
                answer.tokens().forEach(ids::add);
            }
        }

        private TokenTexts.Columns columns(int index, Generation answer) {
            TokenTexts.Columns columns =
                    asked.echo() ? promptColumns(index, answer.promptLogprobs()) : texts.new Columns(0);
            columns.addAll(answer.logprobs());
            return columns;
        }

        private TokenTexts.Columns promptColumns(int index, List<Generation.TokenLogprob> logprobs) {
            TokenTexts.Columns columns = texts.new Columns(0);
            columns.addUnknown(asked.requests().get(index).prompt()[0]);
            columns.addAll(logprobs);
            return columns;
        }

        @Override
        void begin(EventStream events) {
            for (int i = 0; asked.echo() && !asked.logprobs() && i < offsets.length; i++) {
                send(events, i, promptText(i), null, null);
            }
        }

        /** The prompt waits for its log-probabilities. */
        @Override
        void prompt(EventStream events, int index, List<Generation.TokenLogprob> logprobs) {
            TokenTexts.Columns columns = promptColumns(index, logprobs);
            offsets[index] = columns.offset();
            send(events, index, promptText(index), columns.json(), null);
        }

        @Override
        void token(EventStream events, int index, TokenEvent event) {
            ObjectNode logprobs = null;
            if (event.logprob().isPresent()) {
                TokenTexts.Columns columns = texts.new Columns(offsets[index]);
                columns.add(event.logprob().get());
                offsets[index] = columns.offset();
                logprobs = columns.json();
            }
            if (!asked.onlyPrompt() && (!event.text().isEmpty() || logprobs != null)) {
                send(events, index, event.text(), logprobs, null);
            }
        }

        @Override
        void finish(EventStream events, int index, Generation answer) {
            send(events, index, "", null, Context.finishReason(answer.finishReason()));
        }

        private void send(EventStream events, int index, String text, ObjectNode logprobs, String reason) {
            send(events, index, choice -> {
                choice.put("text", text);
                choice.set("logprobs", logprobs);
                choice.put("finish_reason", reason);
            });
        }
    }
}
