// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.telechat.core.InvalidInputException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.tokenizer.Tokenizer;
import io.telechat.eval.task.Prompt;
import io.telechat.eval.task.Query;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;

/**
 * A model behind a server that speaks OpenAI's API. Plain prompts go to {@code completions}, conversations to {@code
 * chat/completions}. Likelihoods take a server that echoes the log-probabilities of prompts given as ids, as telechat's and vLLM's
 * do, and the model's tokenizer here. Texts are the server's own: a blank in front, which lm-evaluation-harness loses with a model
 * in its process, it keeps with a server, and so does this.
 */
public final class RemoteModel implements Answerer {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    /** More are refused by OpenAI; the others are cut off afterwards. */
    private static final int MOST_STOPS = 4;

    private final OpenAiClient client;
    private final ServedModel model;
    private final Optional<Tokenizer> tokenizer;
    private final PromptForm form;
    private final int parallel;
    private final ExecutorService waiting = Executors.newVirtualThreadPerTaskExecutor();

    /**
     * @param client closed with this
     * @param tokenizer of that model, for likelihoods and to cut what is too long; prompts are sent as ids then
     * @param parallel requests at a time
     */
    public RemoteModel(
            OpenAiClient client, ServedModel model, Optional<Tokenizer> tokenizer, PromptForm form, int parallel) {
        this.client = client;
        this.model = model;
        this.tokenizer = tokenizer;
        this.form = form;
        this.parallel = parallel;
    }

    @Override
    public String name() {
        return model.name();
    }

    @Override
    public String identity() {
        return client.base() + " " + model.name();
    }

    @Override
    public String endOfText() {
        return "</s>";
    }

    @Override
    public int parallel() {
        return parallel;
    }

    @Override
    public CompletableFuture<Likelihoods> likelihoods(Asked asked, Query.Choice choice) {
        String text = form.text(asked.item().prompt())
                .orElseThrow(() -> new InvalidRequestException(
                        "the likelihoods of a conversation's answers cannot be had of a server"));
        Tokenizer pieces = tokenizer.orElseThrow(() -> new InvalidRequestException(
                "%s compares likelihoods, for which the model's tokenizer is needed here: --tokenizer DIR",
                asked.task()));
        Set<Integer> ends = pieces.id(endOfText()).stream().boxed().collect(Collectors.toSet());
        ChoiceTokens tokens = ChoiceTokens.ofText(pieces, text, choice, ends);
        int length = mostRead();
        return CompletableFuture.supplyAsync(
                () -> tokens.likelihoods(index -> echoed(tokens, index, length), length), waiting);
    }

    /** The server reads the last token of an answer, too, though it tells nothing, and wants room for one behind it. */
    private int mostRead() {
        int most = Integer.MAX_VALUE - 1;
        return Math.min(form.maxLength().orElse(most), model.contextLength().orElse(most) - 2);
    }

    /** What the server says of one answer's tokens; see {@code echo} and {@code logprobs} of the completions API. */
    private ChoiceTokens.Found echoed(ChoiceTokens tokens, int index, int maxLength) {
        int[] ids = tokens.whole(index, maxLength);
        int answer = tokens.answers().get(index).length;
        ObjectNode body = request().put("max_tokens", 1).put("echo", true).put("logprobs", 1);
        put(body, ids);
        JsonNode logprobs =
                client.post("completions", body).path("choices").path(0).path("logprobs");
        double sum = 0;
        boolean greedy = true;
        for (int i = ids.length - answer; i < ids.length; i++) {
            JsonNode value = logprobs.path("token_logprobs").path(i);
            JsonNode top = logprobs.path("top_logprobs").path(i);
            if (!value.isNumber() || !top.isObject()) {
                throw new InvalidInputException(
                        "the server does not echo log-probabilities of prompts (echo, logprobs)");
            }
            sum += value.asDouble();
            greedy &= isTop(top, value.asDouble());
        }
        return new ChoiceTokens.Found(sum, greedy);
    }

    private static boolean isTop(JsonNode alternatives, double logprob) {
        return alternatives.properties().stream()
                .allMatch(alternative -> alternative.getValue().asDouble() <= logprob);
    }

    @Override
    public CompletableFuture<Answer> answer(Asked asked, Query.FreeAnswer query) {
        return CompletableFuture.supplyAsync(() -> ask(asked.item().prompt(), query), waiting);
    }

    private Answer ask(Prompt prompt, Query.FreeAnswer query) {
        Optional<String> plain = form.text(prompt);
        if (form.maxLength().isPresent() && (plain.isEmpty() || tokenizer.isEmpty())) {
            throw new InvalidRequestException(
                    "--max-length is for prompts that are cut here: with a server, plain ones, and with its model's"
                            + " tokenizer (--tokenizer DIR)");
        }
        int newTokens = form.newTokens(query.maxNewTokens());
        ObjectNode body = request().put("max_tokens", newTokens);
        List<String> stops = query.until().subList(0, Math.min(query.until().size(), MOST_STOPS));
        if (!stops.isEmpty()) {
            stops.forEach(body.putArray("stop")::add);
        }
        if (plain.isEmpty()) {
            putMessages(body, prompt);
            JsonNode answer = client.post("chat/completions", body);
            JsonNode message = answer.path("choices").path(0).path("message");
            boolean onlyThoughts = message.path("content").isNull();
            return answer(
                    answer, onlyThoughts ? TextNode.valueOf("") : message.path("content"), OptionalInt.empty(), 0);
        }
        String text = plain.get();
        OptionalInt length = OptionalInt.empty();
        int cut = 0;
        if (tokenizer.isPresent()) {
            int[] ids = tokenizer.get().encode(text);
            length = OptionalInt.of(ids.length);
            cut = Math.max(0, ids.length - room(newTokens));
            put(body, Arrays.copyOfRange(ids, cut, ids.length));
        } else {
            body.put("prompt", text);
        }
        JsonNode answer = client.post("completions", body);
        return answer(answer, answer.path("choices").path(0).path("text"), length, cut);
    }

    /** Tokens of a prompt at most. */
    private int room(int newTokens) {
        int most = Integer.MAX_VALUE;
        int length =
                Math.min(form.maxLength().orElse(most), model.contextLength().orElse(most));
        if (newTokens >= length) {
            throw new InvalidRequestException(
                    "answers of %,d tokens leave no room for a question in %,d (--max-gen-toks)", newTokens, length);
        }
        return length - newTokens;
    }

    private static void put(ObjectNode body, int[] ids) {
        ArrayNode prompt = body.putArray("prompt");
        for (int id : ids) {
            prompt.add(id);
        }
    }

    private void putMessages(ObjectNode body, Prompt prompt) {
        ArrayNode messages = body.putArray("messages");
        form.conversation(prompt)
                .forEach(message -> messages.addObject()
                        .put("role", message.role().lowerCase())
                        .put("content", message.content()));
    }

    /** @param length of the prompt, if it is known here */
    private static Answer answer(JsonNode answer, JsonNode text, OptionalInt length, int cut) {
        if (!text.isTextual()) {
            throw new InvalidInputException("the server's answer has no text");
        }
        JsonNode usage = answer.path("usage");
        return new Answer(
                length.isPresent() ? length : number(usage.path("prompt_tokens")),
                cut,
                number(usage.path("completion_tokens")),
                text.asText());
    }

    private static OptionalInt number(JsonNode node) {
        return node.isInt() ? OptionalInt.of(node.asInt()) : OptionalInt.empty();
    }

    /** Greedy, whatever the server's model has in its generation_config.json. */
    private ObjectNode request() {
        ObjectNode request =
                MAPPER.createObjectNode().put("model", model.name()).put("temperature", 0);
        return model.hasRepetitionPenalty() ? request.put("repetition_penalty", 1) : request;
    }

    @Override
    public void close() {
        waiting.shutdownNow();
        client.close();
    }
}
