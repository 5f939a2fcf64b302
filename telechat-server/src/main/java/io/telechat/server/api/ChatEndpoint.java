// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.api;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.chat.ChatMessage;
import io.telechat.core.chat.ChatTemplate;
import io.telechat.core.chat.ChatTokenizer;
import io.telechat.core.chat.MarkerPolicy;
import io.telechat.infer.ChatModel;
import io.telechat.infer.engine.Request;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.GenerationOptions;
import io.telechat.infer.generation.TokenEvent;
import io.telechat.infer.grammar.Grammar;
import io.telechat.infer.tools.ToolAnswer;
import io.telechat.infer.tools.Tools;
import io.telechat.server.http.HttpExchange;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** {@code POST /v1/chat/completions}. */
final class ChatEndpoint {
    private static final int MOST_LOGPROBS = 20;

    /** The field for thoughts, as DeepSeek and vLLM call it. */
    private static final String REASONING = "reasoning_content";

    private final Context context;
    private final ChatModel model;
    private final ChatTokenizer tokenizer;
    private final TokenTexts texts;

    ChatEndpoint(Context context) {
        this.context = context;
        this.model = context.model();
        this.tokenizer = model.chatTokenizer();
        this.texts = new TokenTexts(model.tokenizer());
    }

    /** What a request asks for. */
    private record Asked(
            String modelName, List<Request> requests, Tools tools, boolean stream, boolean usage, boolean logprobs) {}

    void handle(HttpExchange exchange) {
        Asked asked = read(new Fields(StrictJson.object(exchange.body())));
        try (Job job = context.start(asked.requests(), exchange)) {
            ChatAnswers answers = new ChatAnswers(asked, "chatcmpl-" + exchange.id());
            if (asked.stream()) {
                answers.stream(job, exchange, asked.usage());
            } else {
                answers.whole(job, exchange);
            }
        }
    }

    private Asked read(Fields request) {
        ServedModels.Served served = context.models().of(request);
        List<ChatMessage> messages = new ChatMessages(tokenizer).read(request);
        Tools tools = ChatTools.read(request, tokenizer);
        SamplingFields sampling = new SamplingFields(request, model);
        boolean stream = request.flag("stream");
        boolean usage = usageAsked(request, stream);
        boolean logprobs = request.flag("logprobs");
        Optional<Integer> alternatives = request.count("top_logprobs", 0, MOST_LOGPROBS);
        if (alternatives.isPresent() && !logprobs) {
            throw ApiException.invalid("top_logprobs", "top_logprobs needs logprobs: true");
        }
        Optional<Integer> length = request.count("max_completion_tokens", 1, Integer.MAX_VALUE)
                .or(() -> request.count("max_tokens", 1, Integer.MAX_VALUE));
        ChatTemplate template = tokenizer.template();
        GenerationOptions chosen = sampling.options(
                length,
                template.stopIds(model.tokenizer()),
                template.stopStrings(),
                logprobs ? alternatives.orElse(0) : GenerationOptions.NO_LOGPROBS);
        GenerationOptions options = new ThinkingFields(request).over(model.thinkingAsChat(chosen));
        Optional<Grammar> grammar = ResponseFormat.read(request, tools);
        int[] prompt = tokenizer.prompt(tools.offer(messages, tokenizer), MarkerPolicy.ESCAPE);
        GenerationOptions formed = grammar.map(options::withGrammar).orElse(options);
        GenerationOptions resolved = model.resolve(formed, prompt.length);
        List<Request> requests = new ArrayList<>();
        for (int i = 0; i < sampling.choices(); i++) {
            Request one = Request.of(prompt, resolved.withSeed(SamplingFields.seed(resolved.seed(), i)))
                    .withAdapter(served.adapter())
                    .withSalt(request.salt());
            requests.add(one);
        }
        return new Asked(served.name(), requests, tools, stream, usage, logprobs);
    }

    /** Whether a stream is to end with counts. */
    static boolean usageAsked(Fields request, boolean stream) {
        return request.get("stream_options")
                .map(options -> {
                    if (!stream) {
                        throw ApiException.invalid("stream_options", "stream_options needs stream: true");
                    }
                    if (!(options instanceof ObjectNode object)) {
                        throw ApiException.invalid("stream_options", "stream_options must be an object");
                    }
                    return new Fields(object).flag("include_usage");
                })
                .orElse(false);
    }

    /** Messages, whole or in deltas. */
    private final class ChatAnswers extends Answers {
        private final Asked asked;
        private final List<ToolDeltas> streams = new ArrayList<>();

        ChatAnswers(Asked asked, String id) {
            super(
                    context,
                    id,
                    asked.modelName(),
                    asked.requests().size(),
                    asked.requests().size());
            this.asked = asked;
        }

        @Override
        String object() {
            return "chat.completion";
        }

        @Override
        String chunkObject() {
            return "chat.completion.chunk";
        }

        @Override
        void put(Generation answer, ObjectNode choice) {
            ToolAnswer said = asked.tools().answer(answer.text());
            boolean calls = !said.calls().isEmpty();
            ObjectNode message = choice.putObject("message");
            message.put("role", "assistant");
            if (!answer.thinking().isEmpty()) {
                message.put(REASONING, answer.thinking());
            }
            if (!calls) {
                message.put("content", answer.text());
            } else {
                message.put("content", said.content().isEmpty() ? null : said.content());
                message.set("tool_calls", ToolDeltas.whole(said.calls()));
            }
            if (asked.logprobs()) {
                ArrayNode rows = choice.putObject("logprobs").putArray("content");
                answer.logprobs().forEach(row -> rows.add(texts.chatRow(row)));
            } else {
                choice.putNull("logprobs");
            }
            choice.put("finish_reason", calls ? "tool_calls" : Context.finishReason(answer.finishReason()));
        }

        @Override
        void begin(EventStream events) {
            for (int i = 0; i < asked.requests().size(); i++) {
                streams.add(new ToolDeltas(asked.tools().stream()));
                ObjectNode delta = JsonNodeFactory.instance.objectNode();
                send(events, i, delta.put("role", "assistant").put("content", ""), null, null);
            }
        }

        @Override
        void token(EventStream events, int index, TokenEvent event) {
            ObjectNode logprobs = null;
            if (asked.logprobs() && event.logprob().isPresent()) {
                logprobs = JsonNodeFactory.instance.objectNode();
                logprobs.putArray("content").add(texts.chatRow(event.logprob().get()));
            }
            List<ObjectNode> deltas = new ArrayList<>();
            if (!event.thinking().isEmpty()) {
                deltas.add(JsonNodeFactory.instance.objectNode().put(REASONING, event.thinking()));
            }
            deltas.addAll(streams.get(index).add(event.text()));
            if (deltas.isEmpty() && logprobs != null) {
                deltas.add(JsonNodeFactory.instance.objectNode().put("content", ""));
            }
            for (ObjectNode delta : deltas) {
                send(events, index, delta, logprobs, null);
                logprobs = null;
            }
        }

        @Override
        void finish(EventStream events, int index, Generation answer) {
            ToolDeltas tools = streams.get(index);
            tools.finish().forEach(delta -> send(events, index, delta, null, null));
            String reason = tools.hasCalls() ? "tool_calls" : Context.finishReason(answer.finishReason());
            send(events, index, JsonNodeFactory.instance.objectNode(), null, reason);
        }

        private void send(EventStream events, int index, ObjectNode delta, ObjectNode logprobs, String reason) {
            send(events, index, choice -> {
                choice.set("delta", delta);
                choice.set("logprobs", logprobs);
                choice.put("finish_reason", reason);
            });
        }
    }
}
